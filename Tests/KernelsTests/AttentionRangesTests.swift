import TestSupport
import Testing

@testable import Numerics
@testable import Tape

/// Attention whose queries and keys have ranges of their own, with a learned bias by distance.
@Suite struct AttentionRangesTests {
  /// Queries and keys of each sequence, heads, columns of a head, how far the bias reaches.
  struct Form: CustomTestStringConvertible, Sendable {
    let lengths: [(queries: Int, keys: Int)]
    let heads: Int
    let width: Int
    let reach: Int

    var testDescription: String { "\(lengths), \(heads) heads of \(width), reach \(reach)" }
    var queries: PackedSequences { packed(lengths.map(\.queries)) }
    var keys: PackedSequences { packed(lengths.map(\.keys)) }

    private func packed(_ lengths: [Int]) -> PackedSequences {
      PackedSequences(
        offsets: lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + UInt32($1)) })
    }

    /// Queries, keys and values, and the bias.
    var inputs: [Input] {
      let columns = heads * width
      return [
        .tensor(.noise(queries.tokenCount, columns, seed: 1, scale: 2)),
        .tensor(.noise(keys.tokenCount, columns, seed: 2, scale: 2)),
        .tensor(.noise(keys.tokenCount, columns, seed: 3, scale: 2)),
        .parameter(.noise(2 * reach + 1, heads, seed: 4, scale: 2)),
      ]
    }
  }

  /// For each way through the kernels: any width, whole vectors, a head in each lane, one query for each sequence.
  static let forms = [
    Form(lengths: [(1, 3), (2, 2), (5, 18)], heads: 2, width: 7, reach: 3),
    Form(lengths: [(17, 40), (3, 3)], heads: 1, width: 5, reach: 60),
    Form(lengths: [(2, 5), (16, 33), (1, 1)], heads: 2, width: 16, reach: 4),
    Form(lengths: [(17, 19), (11, 50)], heads: 1, width: 32, reach: 20),
    Form(lengths: [(1, 2), (5, 9), (6, 6)], heads: 16, width: 16, reach: 2),
    Form(lengths: [(7, 18)], heads: 32, width: 16, reach: 30),
    Form(lengths: [(1, 1), (1, 6), (1, 17)], heads: 2, width: 7, reach: 5),
    Form(lengths: [(1, 18), (1, 4)], heads: 16, width: 16, reach: 1),
    Form(lengths: [(3, 4), (0, 2), (2, 7)], heads: 2, width: 16, reach: 1),
  ]

  /// More queries than keys: only where all keys are seen.
  static let fewKeys = [
    Form(lengths: [(5, 2), (18, 1), (2, 3)], heads: 2, width: 7, reach: 3),
    Form(lengths: [(20, 3), (4, 4)], heads: 1, width: 16, reach: 9),
    Form(lengths: [(9, 2), (3, 5)], heads: 16, width: 16, reach: 4),
  ]

  private func requireReference(_ form: Form, _ mask: AttentionMask, isBiased: Bool) throws {
    let inputs = isBiased ? form.inputs : Array(form.inputs.dropLast())
    try check(.attention, inputs) { bench in
      bench.tape.attention(
        q: AttentionInput(bench.tensor(0)), k: AttentionInput(bench.tensor(1)),
        v: AttentionInput(bench.tensor(2)), queries: form.queries, keys: form.keys,
        heads: form.heads, headWidth: form.width, mask: mask,
        bias: isBiased ? DistanceBias(bench.parameter(3)) : nil, rate: 0)
    } reference: {
      referenceAttention(
        q: $0[0], k: $0[1], v: $0[2], queryOffsets: form.queries.offsets,
        keyOffsets: form.keys.offsets, heads: form.heads, causal: mask == .causal,
        bias: isBiased ? $0[3] : nil)
    }
  }

  @Test(arguments: forms, [true, false])
  func `queries at the last positions see the keys up to their own`(
    form: Form, isBiased: Bool
  )
    throws
  {
    try requireReference(form, .causal, isBiased: isBiased)
  }

  @Test(arguments: forms + fewKeys, [true, false])
  func `queries see all keys of their sequence, be they more or fewer`(
    form: Form, isBiased: Bool
  )
    throws
  {
    try requireReference(form, .bidirectional, isBiased: isBiased)
  }

  @Test(arguments: [(1, 7), (2, 16), (16, 16)])
  func `a sequence without keys leaves zeros and no gradient`(heads: Int, width: Int) throws {
    let form = Form(lengths: [(2, 0), (3, 4)], heads: heads, width: width, reach: 2)
    try requireReference(form, .bidirectional, isBiased: true)
  }

  /// Masked scores, rows beyond a sequence and unseen distances must not reach the result, whatever the memory holds.
  @Test(arguments: forms, [AttentionMask.causal, .bidirectional])
  func `what the memory held before does not matter`(form: Form, mask: AttentionMask) {
    let grids = form.inputs.map(\.grid)
    let block = AlignedBuffer(count: grids[3].values.count)
    block.set(grids[3].floats, at: 0)
    let tape = Tape(parameters: block, precision: .float32)
    let results = [Float(0), .nan].map { before in
      tape.begin(recording: true, randomness: nil)
      _ = tape.tensor(rows: 1, columns: 500_000, values: Array(repeating: before, count: 500_000))
      tape.begin(recording: true, randomness: nil)
      let inputs = grids.prefix(3).map {
        tape.tensor(rows: $0.rows, columns: $0.columns, values: $0.floats)
      }
      let output = tape.attention(
        q: AttentionInput(inputs[0]), k: AttentionInput(inputs[1]), v: AttentionInput(inputs[2]),
        queries: form.queries, keys: form.keys, heads: form.heads, headWidth: form.width,
        mask: mask,
        bias: DistanceBias(Parameter(offset: 0, rows: grids[3].rows, columns: form.heads)), rate: 0)
      output.addGradient(Grid.noise(output.rows, output.columns, seed: 7).floats)
      tape.backward()
      return [output.array, tape.gradient.array] + inputs.map(\.gradientArray)
    }
    #expect(results[0] == results[1])
  }
}
