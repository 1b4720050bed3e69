import TestSupport
import Testing

@testable import Numerics
@testable import Tape

/// Dropout inside the operations: its rate, its scale, and that backward uses the mask of forward.
@Suite struct DropoutTests {
  private let random = CounterRandom(seed: 3, stream: 5)
  private let rate: Float = 0.25

  // MARK: - What an operation's mask is

  /// The mask of a first embedding of `rows` tokens: positions of ones and rows of zeros.
  private func embeddingMask(
    _ rows: Int, _ columns: Int, _ random: CounterRandom?, operation: Int = 1
  ) -> [Float] {
    let bench = OperationBench(
      [.table(Grid(1, columns) { _, _ in 0 }), .parameter(Grid(1, columns) { _, _ in 1 })],
      randomness: random, isRecording: false)
    let none = [UInt32](repeating: 0, count: rows)
    let results = (0..<operation).map { _ in
      bench.tape.embed(
        bench.table(0), none, scale: 1,
        positions: PositionIDs(indices: none, table: bench.parameter(1)),
        rate: rate)
    }
    return results[operation - 1].array
  }

  /// The mask of a first linear operation: a bias of ones, everything else zero.
  private func linearMask(
    _ rows: Int, _ columns: Int, _ run: (OperationBench) -> Tensor
  ) -> Grid {
    let bench = OperationBench(
      [
        .tensor(Grid(rows, 2) { _, _ in 0 }), .parameter(Grid(columns, 2) { _, _ in 0 }),
        .parameter(Grid(1, columns) { _, _ in 1 }), .tensor(Grid(rows, columns) { _, _ in 0 }),
      ], randomness: random, isRecording: false)
    return Grid(rows, columns, floats: run(bench).array)
  }

  /// The mask of a first attention: equal scores, and values that are the unit vectors.
  private func attentionMask(_ offsets: [UInt32], heads: Int, isCausal: Bool) -> [Float] {
    let sequences = PackedSequences(offsets: offsets)
    let (tokens, width) = (sequences.tokenCount, sequences.longest)
    let starts = zip(offsets, offsets.dropFirst()).flatMap { first, end in
      Array(repeating: Int(first), count: Int(end - first))
    }
    let bench = OperationBench(
      [
        .tensor(Grid(tokens, heads * width) { _, _ in 0 }),
        .tensor(Grid(tokens, heads * width) { $0 - starts[$0] == $1 % width ? 1 : 0 }),
      ], randomness: random, isRecording: false)
    let zeros = AttentionInput(bench.tensor(0))
    let shares = bench.tape.attention(
      q: zeros, k: zeros, v: AttentionInput(bench.tensor(1)), sequences: sequences, heads: heads,
      headWidth: width, causal: isCausal, rate: rate
    ).array
    let lengths = zip(offsets, offsets.dropFirst()).flatMap { first, end in
      Array(repeating: Int(end - first), count: Int(end - first))
    }
    return shares.indices.map { index in
      let token = index / (heads * width)
      return shares[index] * Float(isCausal ? token - starts[token] + 1 : lengths[token])
    }
  }

  // MARK: - Rate and independence

  @Test func `a mask has the right rate and keeps the mean`() {
    let mask = embeddingMask(500, 40, random)
    #expect(mask.allSatisfy { $0 == 0 || $0 == 1 / (1 - rate) })
    let dropped = Double(mask.count { $0 == 0 })
    // 20,000 draws: five standard deviations.
    #expect(abs(dropped - 5000) < 5 * (20_000 * 0.25 * 0.75).squareRoot())
    for column in 0..<40 {
      let zeros = stride(from: column, to: mask.count, by: 40).count { mask[$0] == 0 }
      #expect(abs(Double(zeros) - 125) < 5 * (500 * 0.25 * 0.75).squareRoot())
    }
  }

  @Test func `masks differ between operations, micro-batches and steps, and repeat`() {
    let mask = embeddingMask(20, 40, random)
    #expect(embeddingMask(20, 40, random) == mask)
    let others = [
      embeddingMask(20, 40, random, operation: 2), embeddingMask(20, 40, random.substream(0)),
      embeddingMask(20, 40, random.substream(1)),
      embeddingMask(20, 40, CounterRandom(seed: 4, stream: 5)),
    ]
    for (number, other) in others.enumerated() {
      let equal = zip(mask, other).count { $0 == $1 }
      // Independent masks agree at 0.25² + 0.75² = 62.5 % of 800 places.
      #expect(abs(Double(equal) - 500) < 5 * (800 * 0.625 * 0.375).squareRoot(), "\(number)")
    }
  }

  @Test func `there is no dropout in evaluation`() {
    #expect(embeddingMask(20, 40, nil).allSatisfy { $0 == 1 })
  }

  @Test func `an attention mask has the right rate in every head`() {
    let mask = attentionMask([0, 3, 53], heads: 2, isCausal: false)
    for head in 0..<2 {
      let values = (3..<53).flatMap { token in
        (0..<50).map { mask[token * 100 + head * 50 + $0] }
      }
      #expect(values.allSatisfy { $0 == 0 || abs($0 - 1 / (1 - rate)) < 1e-5 })
      let dropped = Double(values.count { $0 == 0 })
      #expect(abs(dropped - 625) < 5 * (2500 * 0.25 * 0.75).squareRoot())
    }
    let heads = (0..<50).map { mask[300 + $0] != mask[350 + $0] }
    #expect(heads.contains(true))
  }

  // MARK: - Values and gradients with the observed mask

  @Test(arguments: [Shape(rows: 5, width: 7), Shape(rows: 17, width: 16)], [1, 3])
  func `embedding with its mask`(shape: Shape, perRow: Int) throws {
    let mask = Grid(
      shape.rows, shape.width, floats: embeddingMask(shape.rows, shape.width, random))
    let chosen = (0..<shape.rows * perRow).map { UInt32($0 * 7 % 4) }
    let places = (0..<shape.rows).map { UInt32($0 % 3) }
    try check(
      .embed,
      [.table(.noise(4, shape.width, seed: 1)), .parameter(.noise(3, shape.width, seed: 2))],
      randomness: random
    ) {
      $0.tape.embed(
        $0.table(0), chosen, indicesPerRow: perRow, scale: 2,
        positions: PositionIDs(indices: places, table: $0.parameter(1)), rate: rate)
    } reference: {
      mask * $0[0].embed(chosen, perToken: perRow, scale: 2, positions: $0[1], places: places)
    }
  }

  @Test(arguments: [Shape(rows: 5, width: 7), Shape(rows: 17, width: 16)])
  func `linear operations with their masks`(shape: Shape) throws {
    let inputs = [
      Input.tensor(.noise(shape.rows, 9, seed: 1)), .parameter(.noise(shape.width, 9, seed: 2)),
      .parameter(.noise(1, shape.width, seed: 3)),
      .tensor(.noise(shape.rows, shape.width, seed: 4)),
    ]
    let rectified = { [rate] (bench: OperationBench) in
      bench.tape.linearReLUDropout(
        bench.tensor(0), bench.parameter(1), bias: bench.parameter(2), rate: rate)
    }
    let mask = linearMask(shape.rows, shape.width, rectified)
    try check(
      .linearReLUDropout, Array(inputs.prefix(3)), randomness: random, engine: rectified
    ) {
      mask * $0[0].linear($0[1], bias: $0[2]).rectified
    }
    let added = { [rate] (bench: OperationBench) in
      bench.tape.linearDropoutAdd(
        bench.tensor(0), bench.parameter(1), bias: bench.parameter(2), rate: rate,
        to: bench.tensor(3))
    }
    let addedMask = linearMask(shape.rows, shape.width, added)
    try check(.linearDropoutAdd, inputs, randomness: random, engine: added) {
      $0[3] + addedMask * $0[0].linear($0[1], bias: $0[2])
    }
  }

  /// Heads of 16 columns take another path for short sequences, and 16 of them a third; the mask is the same.
  @Test(arguments: [true, false], [(2, 5), (2, 16), (32, 16)])
  func `attention with its mask`(isCausal: Bool, form: (heads: Int, width: Int)) throws {
    let (heads, headWidth) = form
    let offsets: [UInt32] = [0, 1, 4, 21]
    let mask = attentionMask(offsets, heads: heads, isCausal: isCausal)
    let inputs = (1...3).map { Input.tensor(.noise(21, heads * headWidth, seed: $0)) }
    try check(.attention, inputs, randomness: random) { bench in
      bench.tape.attention(
        q: AttentionInput(bench.tensor(0)), k: AttentionInput(bench.tensor(1)),
        v: AttentionInput(bench.tensor(2)), sequences: PackedSequences(offsets: offsets),
        heads: heads, headWidth: headWidth, causal: isCausal, rate: rate)
    } reference: {
      referenceAttention(
        q: $0[0], k: $0[1], v: $0[2], offsets: offsets, heads: heads, causal: isCausal
      ) { token, head, key in
        // The observed numbers are rounded; the mask itself is 0 or 4/3.
        mask[(token * heads + head) * 17 + key] == 0 ? 0 : 1 / 0.75
      }
    }
  }
}
