import TestSupport
import Testing

@testable import Numerics
@testable import Tape

/// Packed attention against the definition, for sequence lengths around the lanes of a vector.
@Suite struct AttentionTests {
  /// Lengths of the packed sequences, heads, columns of a head.
  struct Form: CustomTestStringConvertible, Sendable {
    let lengths: [Int]
    let heads: Int
    let width: Int

    var testDescription: String { "\(lengths), \(heads) heads of \(width)" }
    var offsets: [UInt32] { lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + UInt32($1)) } }
    var tokens: Int { lengths.reduce(0, +) }
  }

  static let forms = [
    Form(lengths: [1], heads: 1, width: 1), Form(lengths: [1, 2, 15], heads: 2, width: 7),
    Form(lengths: [16, 1, 17], heads: 3, width: 4), Form(lengths: [33], heads: 1, width: 17),
    Form(lengths: [2, 50, 3], heads: 1, width: 16), Form(lengths: [17, 5], heads: 1, width: 64),
    Form(lengths: [4, 3], heads: 8, width: 2), Form(lengths: [15, 16], heads: 2, width: 33),
    Form(lengths: [1, 6, 16, 2], heads: 4, width: 16),
    Form(lengths: [15, 17, 16], heads: 2, width: 48),
    Form(lengths: [3, 10, 11], heads: 3, width: 16), Form(lengths: [28, 12], heads: 1, width: 64),
    Form(lengths: [4, 5, 7, 8, 9], heads: 2, width: 32),
    Form(lengths: [13, 14], heads: 1, width: 128),
    // So many heads that each takes a lane of its own.
    Form(lengths: [1, 2, 3, 4, 5, 9], heads: 16, width: 16),
    Form(lengths: [18], heads: 16, width: 32), Form(lengths: [2, 7], heads: 32, width: 16),
    Form(lengths: [3, 17], heads: 17, width: 16),
  ]

  @Test(arguments: forms, [true, false])
  func `attention within each sequence`(form: Form, isCausal: Bool) throws {
    let width = form.heads * form.width
    let inputs = (1...3).map { Input.tensor(.noise(form.tokens, width, seed: $0, scale: 2)) }
    try check(.attention, inputs) { bench in
      bench.tape.attention(
        q: AttentionInput(bench.tensor(0)), k: AttentionInput(bench.tensor(1)),
        v: AttentionInput(bench.tensor(2)), sequences: PackedSequences(offsets: form.offsets),
        heads: form.heads, headWidth: form.width, causal: isCausal, rate: 0.5)
    } reference: {
      referenceAttention(
        q: $0[0], k: $0[1], v: $0[2], offsets: form.offsets, heads: form.heads, causal: isCausal)
    }
  }

  @Test(arguments: [true, false])
  func `queries, keys and values are columns of one matrix`(isCausal: Bool) throws {
    let form = Form(lengths: [3, 18, 1], heads: 3, width: 5)
    // 2 unused columns, keys, values, queries, 1 unused column.
    try check(.attention, [.tensor(.noise(form.tokens, 48, seed: 1))]) { bench in
      bench.tape.attention(
        q: AttentionInput(bench.tensor(0), column: 32),
        k: AttentionInput(bench.tensor(0), column: 2),
        v: AttentionInput(bench.tensor(0), column: 17),
        sequences: PackedSequences(offsets: form.offsets), heads: 3, headWidth: 5,
        causal: isCausal, rate: 0)
    } reference: {
      referenceAttention(
        q: $0[0].columns(32..<47), k: $0[0].columns(2..<17), v: $0[0].columns(17..<32),
        offsets: form.offsets, heads: 3, causal: isCausal)
    }
  }

  @Test(arguments: forms, [true, false])
  func `attention of the last tokens alone`(form: Form, isDropped: Bool) throws {
    let width = form.heads * form.width
    let sequences = PackedSequences(offsets: form.offsets)
    let last = sequences.lastTokens.map(Int.init)
    let random = isDropped ? CounterRandom(seed: 4, stream: 8) : nil
    let mask = random.map { lastMask(form, $0) }
    let inputs = [
      Input.tensor(.noise(sequences.count, width, seed: 1, scale: 2)),
      .tensor(.noise(form.tokens, 2 * width, seed: 2, scale: 2)),
    ]
    try check(.attention, inputs, randomness: random) { bench in
      let out = bench.tape.tensor(rows: sequences.count, columns: width)
      bench.tape.attention(
        q: AttentionInput(bench.tensor(0)), k: AttentionInput(bench.tensor(1)),
        v: AttentionInput(bench.tensor(1), column: width), queries: sequences.lastQueries,
        keys: sequences, heads: form.heads, headWidth: form.width, mask: .causal, rate: 0.25,
        into: out)
      return out
    } reference: { inputs in
      let queries = Grid(form.tokens, width) { token, column in
        inputs[0][last.firstIndex { $0 >= token } ?? 0, column]
      }
      return referenceAttention(
        q: queries, k: inputs[1].columns(0..<width), v: inputs[1].columns(width..<2 * width),
        offsets: form.offsets, heads: form.heads, causal: true
      ) { token, head, key in
        guard let mask, let sequence = last.firstIndex(of: token) else { return 1 }
        return mask[(sequence * form.heads + head) * sequences.longest + key] == 0 ? 0 : 1 / 0.75
      }.rows(last)
    }
  }

  /// The mask of a first attention of last tokens, `[sequences, heads, longest]`: equal scores, and values that are the unit vectors.
  private func lastMask(_ form: Form, _ random: CounterRandom) -> [Float] {
    let sequences = PackedSequences(offsets: form.offsets)
    let width = sequences.longest
    let places = sequences.offsets.indices.dropLast().flatMap {
      Array(0..<Int(sequences.offsets[$0 + 1] - sequences.offsets[$0]))
    }
    let bench = OperationBench(
      [
        .tensor(Grid(sequences.count, form.heads * width) { _, _ in 0 }),
        .tensor(Grid(form.tokens, form.heads * width) { places[$0] == $1 % width ? 1 : 0 }),
      ], randomness: random, isRecording: false)
    let out = bench.tape.tensor(rows: sequences.count, columns: form.heads * width)
    let values = AttentionInput(bench.tensor(1))
    bench.tape.attention(
      q: AttentionInput(bench.tensor(0)), k: values, v: values, queries: sequences.lastQueries,
      keys: sequences, heads: form.heads, headWidth: width, mask: .causal, rate: 0.25, into: out)
    return out.array
  }

  @Test
  func
    `a quarter of the probabilities of last tokens is dropped, others for each head and sequence`()
  {
    let form = Form(lengths: Array(repeating: 50, count: 40), heads: 4, width: 1)
    let mask = lastMask(form, CounterRandom(seed: 2, stream: 1))
    let dropped = Double(mask.count { $0 == 0 })
    // 8,000 draws: five standard deviations.
    #expect(abs(dropped - 2000) < 5 * (8000 * 0.25 * 0.75).squareRoot())
    let rows = Set((0..<160).map { Array(mask[$0 * 50..<($0 + 1) * 50]) })
    #expect(rows.count == 160)
  }

  @Test func `large scores do not overflow`() throws {
    // Whole numbers, so that scores of thousands are exact in a Float.
    let inputs = (1...3).map { seed in
      let noise = Grid.noise(20, 16, seed: seed, scale: 40)
      return Input.tensor(Grid(20, 16, noise.values.map { $0.rounded() }))
    }
    try check(.attention, inputs) { bench in
      bench.tape.attention(
        q: AttentionInput(bench.tensor(0)), k: AttentionInput(bench.tensor(1)),
        v: AttentionInput(bench.tensor(2)), sequences: PackedSequences(offsets: [0, 20]), heads: 1,
        headWidth: 16, causal: true, rate: 0)
    } reference: {
      referenceAttention(q: $0[0], k: $0[1], v: $0[2], offsets: [0, 20], heads: 1, causal: true)
    }
  }

  @Test(arguments: [(16, 16), (2, 16), (2, 7)], [true, false])
  func `gradients are added to those of others`(_ form: (Int, Int), isCausal: Bool) throws {
    let (heads, width) = form
    let inputs = (1...3).map { Input.tensor(.noise(25, heads * width, seed: $0, scale: 2)) }
    try check(.attention, inputs) { bench in
      let outputs = (1...2).map { _ in
        bench.tape.attention(
          q: AttentionInput(bench.tensor(0)), k: AttentionInput(bench.tensor(1)),
          v: AttentionInput(bench.tensor(2)), sequences: PackedSequences(offsets: [0, 3, 20, 25]),
          heads: heads, headWidth: width, causal: isCausal, rate: 0)
      }
      return bench.tape.add(outputs[0], outputs[1])
    } reference: {
      let output = referenceAttention(
        q: $0[0], k: $0[1], v: $0[2], offsets: [0, 3, 20, 25], heads: heads, causal: isCausal)
      return output + output
    }
  }

  /// Rows beyond a sequence are multiplied by zeros at most, and that must not be a NaN.
  @Test(
    arguments: [(16, 16), (2, 16), (2, 7)].map {
      Form(lengths: [3, 17, 5], heads: $0.0, width: $0.1)
    }, [true, false])
  func `what the memory held before does not matter`(form: Form, isCausal: Bool) {
    let (heads, width) = (form.heads, form.width)
    let tape = Tape(parameters: AlignedBuffer(count: 1), precision: .float32)
    let results = [Float(0), .nan].map { before in
      tape.begin(recording: true, randomness: nil)
      _ = tape.tensor(rows: 1, columns: 500_000, values: Array(repeating: before, count: 500_000))
      tape.begin(recording: true, randomness: nil)
      let inputs = (1...3).map { seed in
        let noise = Grid.noise(form.tokens, heads * width, seed: seed)
        return tape.tensor(rows: form.tokens, columns: heads * width, values: noise.floats)
      }
      let output = tape.attention(
        q: AttentionInput(inputs[0]), k: AttentionInput(inputs[1]), v: AttentionInput(inputs[2]),
        sequences: PackedSequences(offsets: form.offsets), heads: heads, headWidth: width,
        causal: isCausal, rate: 0)
      output.addGradient(Grid.noise(form.tokens, heads * width, seed: 7).floats)
      tape.backward()
      return [output.array] + inputs.map(\.gradientArray)
    }
    #expect(results[0] == results[1])
  }

  @Test func `copies of sequences follow one another`() {
    let sequences = PackedSequences(offsets: [0, 2, 5]).repeated(3)
    #expect(sequences.offsets == [0, 2, 5, 7, 10, 12, 15])
    #expect(sequences.lastTokens == [1, 4, 6, 9, 11, 14])
    #expect(sequences.longest == 3 && sequences.count == 6 && sequences.tokenCount == 15)
  }
}
