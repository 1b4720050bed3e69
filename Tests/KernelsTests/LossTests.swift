import TestSupport
import Testing

@testable import Clustering
@testable import Layers
@testable import Losses
@testable import Numerics
@testable import Tape

/// Every loss against its definition: value, and the gradient of states, item rows and code rows.
@Suite struct LossTests {
  /// Where two branches find the items of a test: rows of their own, and means of M code rows.
  private struct Items {
    let hash: EmbeddingTable
    let codes: EmbeddingTable
    let codeRows: [UInt32]
    let levels: Int

    init(_ hash: Grid, _ codes: Grid, codeRows: [UInt32], levels: Int) {
      self.hash = EmbeddingTable(count: hash.rows, width: hash.columns)
      self.codes = EmbeddingTable(count: codes.rows, width: codes.columns)
      self.hash.values.set(hash.floats)
      self.codes.values.set(codes.floats)
      self.codeRows = codeRows
      self.levels = levels
    }

    var encoders: [any ItemEncoder] {
      [ItemTable(hash), CodeBag(codes, rows: codeRows, levelCount: levels)]
    }
    var gradients: [[Float]] { [hash.gradient.array, codes.gradient.array] }

    /// The mean of the code rows of each item.
    static func means(_ codes: Grid, _ codeRows: [UInt32], levels: Int) -> Grid {
      let none = Grid(1, codes.columns) { _, _ in 0 }
      let items = codeRows.count / levels
      return codes.embed(
        codeRows, perToken: levels, scale: 1, positions: none,
        places: Array(repeating: 0, count: items))
    }
  }

  private func numbers(_ count: Int, below bound: Int, seed: Int) -> [UInt32] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in UInt32.random(in: 0..<UInt32(bound), using: &generator) }
  }

  /// States on a tape that go through ``BatchStates`` in two parts, and their gradient.
  private func throughBatch(
    _ grid: Grid, loss: (BatchStates) -> Double
  ) -> (loss: Double, gradient: [Float]) {
    let bench = OperationBench([.tensor(grid)])
    let batch = BatchStates(width: grid.columns)
    batch.resize(grid.rows)
    let half = grid.rows / 2
    let parts = [0..<half, half..<grid.rows].map { bench.tensor(0).slice($0) }
    for (part, first) in zip(parts, [0, half]) { batch.receive(part, at: first) }
    let value = loss(batch)
    for (part, first) in zip(parts, [0, half]) { batch.passGradient(to: part, from: first) }
    return (value, bench.tensor(0).gradientArray)
  }

  private func require(
    _ operation: Operation, found: Double, gradients: [[Float]], inputs: [Grid],
    factor: Double = 1, _ reference: ([Grid]) -> Double
  ) throws {
    try ValueMismatch.require(
      [Float(found)], equal: [reference(inputs)], tolerance: operation.tolerance.values)
    try requireGradients(
      of: inputs, equal: gradients, coordinates: 4, tolerance: operation.tolerance.gradients
    ) { factor * reference($0) }
  }

  // MARK: - Recommendation

  /// Sizes of a softmax: states, items, width of a branch, floats of scores at a time.
  struct Softmax: CustomTestStringConvertible, Sendable {
    let states: Int
    let items: Int
    let width: Int
    let limit: Int

    var testDescription: String { "\(states) states, \(items) items, \(width) wide, \(limit)" }
  }

  /// Noise of these sizes: the code rows of the items and the targets, the inputs of the reference, and the items with
  /// their encoders, ready to be scored.
  private func problem(
    _ size: Softmax, threads: Int
  ) -> (
    rows: [UInt32], targets: [UInt32], inputs: [Grid], items: Items, encoders: [any ItemEncoder]
  ) {
    let rows = numbers(size.items * 3, below: 9, seed: 4)
    let targets = numbers(size.states, below: size.items, seed: 5)
    let inputs = [
      Grid.noise(size.states, 2 * size.width, seed: 1), .noise(size.items, size.width, seed: 2),
      .noise(9, size.width, seed: 3),
    ]
    let items = Items(inputs[1], inputs[2], codeRows: rows, levels: 3)
    let encoders = items.encoders
    for encoder in encoders { encoder.refresh(threads: threads) }
    return (rows, targets, inputs, items, encoders)
  }

  static let softmaxes = [
    Softmax(states: 1, items: 1, width: 1, limit: 1 << 23),
    Softmax(states: 5, items: 7, width: 7, limit: 1 << 23),
    // Chunks of 16, 64 and 128 states; blocks of 1,024 items.
    Softmax(states: 70, items: 33, width: 16, limit: 1),
    Softmax(states: 150, items: 17, width: 7, limit: 64 * 17),
    Softmax(states: 150, items: 15, width: 17, limit: 128 * 15),
    Softmax(states: 20, items: 1025, width: 1, limit: 1),
    Softmax(states: 3, items: 2100, width: 3, limit: 1 << 23),
  ]

  @Test(arguments: softmaxes, [1, 2])
  func `cross entropy over the catalogue`(size: Softmax, threads: Int) throws {
    let (rows, targets, inputs, items, encoders) = problem(size, threads: threads)
    let result = throughBatch(inputs[0]) {
      CrossEntropy(scoreLimit: size.limit).add(
        states: $0, targets: targets, encoders: encoders, weight: 2, threads: threads)
    }
    try require(
      .crossEntropy, found: result.loss, gradients: [result.gradient] + items.gradients,
      inputs: inputs, factor: 2
    ) {
      referenceCrossEntropy(
        states: $0[0], items: .concatenated([$0[1], Items.means($0[2], rows, levels: 3)]),
        targets: targets)
    }
    #expect(items.hash.isWhollyTouched)
  }

  @Test func `cross entropy of huge scores is exact and finite`() throws {
    let hash = EmbeddingTable(count: 3, width: 1)
    hash.values.set([0, 300, -300])
    let result = throughBatch(Grid(2, 1, [1, 1])) {
      CrossEntropy().add(
        states: $0, targets: [1, 0], encoders: [ItemTable(hash)], weight: 1, threads: 1)
    }
    #expect(result.loss == 150)
    #expect(result.gradient[1] == 150 && abs(result.gradient[0]) < 1e-30)
  }

  @Test(arguments: [(1, 1, 1), (5, 7, 3), (133, 16, 1), (77, 17, 4), (9, 40, 2)], [1, 2])
  func `binary cross entropy with n negatives`(
    size: (states: Int, width: Int, n: Int), threads: Int
  ) throws {
    let rows = numbers(11 * 2, below: 6, seed: 4)
    let targets = numbers(size.states, below: 11, seed: 5)
    let negatives = numbers(size.states * size.n, below: 11, seed: 6)
    let inputs = [
      Grid.noise(size.states, 2 * size.width, seed: 1, scale: 3), .noise(11, size.width, seed: 2),
      .noise(6, size.width, seed: 3),
    ]
    let items = Items(inputs[1], inputs[2], codeRows: rows, levels: 2)
    let result = throughBatch(inputs[0]) {
      addBinaryCrossEntropy(
        states: $0, targets: targets, negatives: negatives, encoders: items.encoders, weight: 2,
        threads: threads)
    }
    try require(
      .binaryCrossEntropy, found: result.loss, gradients: [result.gradient] + items.gradients,
      inputs: inputs, factor: 2
    ) {
      referenceBinaryCrossEntropy(
        states: $0[0], items: .concatenated([$0[1], Items.means($0[2], rows, levels: 2)]),
        targets: targets, negatives: negatives)
    }
    #expect(Set(items.hash.touchedRows) == Set(targets + negatives))
  }

  @Test func `binary cross entropy of huge scores does not overflow`() {
    let hash = EmbeddingTable(count: 2, width: 1)
    hash.values.set([500, -500])
    let result = throughBatch(Grid(1, 1, [2])) {
      addBinaryCrossEntropy(
        states: $0, targets: [1], negatives: [0], encoders: [ItemTable(hash)], weight: 1,
        threads: 1)
    }
    #expect(result.loss == 2000)
    #expect(result.gradient == [1000])
  }

  // MARK: - Auxiliary

  /// Items, width, temperature.
  static let alignments: [(Int, Int, Double)] = [
    (1, 7, 0.5), (2, 1, 0.5), (17, 16, 0.5), (33, 7, 0.07), (130, 3, 2), (9, 40, 0.5),
  ]

  @Test(arguments: alignments, [1, 2])
  func `alignment of codes and rows`(size: (Int, Int, Double), threads: Int) throws {
    let (count, width, temperature) = size
    let rows = numbers(2 * (count + 2) * 2, below: 8, seed: 4)
    let inputs = [Grid.noise(2 * (count + 2), width, seed: 1), .noise(8, width, seed: 2)]
    let items = Items(inputs[0], inputs[1], codeRows: rows, levels: 2)
    // Every other item of the catalogue, last first.
    let chosen = (0..<count).map { UInt32(2 * (count - $0)) }
    var weights = Grid(count, count) { $0 == $1 ? 1 : 0 }
    let others = (0..<count).map { ($0 * 5 + 1) % count }
    for row in 0..<count where others[row] != row {
      weights.values[row * count + others[row]] = 0.25 + 0.5 * Double(row % 2)
    }
    let encoders = items.encoders
    let found = AlignmentLoss().add(
      items: chosen, semantic: encoders[1], hash: encoders[0], temperature: Float(temperature),
      weight: 2, threads: threads
    ) { rows in
      var positives = PositiveLists()
      for row in rows {
        let other = others[row]
        let weight = 0.25 + 0.5 * Float(row % 2)
        positives.append([(row, 1)] + (other == row ? [] : [(other, weight)]))
      }
      return positives
    }
    try require(
      .alignment, found: found, gradients: items.gradients, inputs: inputs, factor: 2
    ) {
      referenceAlignment(
        semantic: Items.means($0[1], rows, levels: 2).rows(chosen.map(Int.init)),
        hash: $0[0].rows(chosen.map(Int.init)), weights: weights, temperature: temperature)
    }
  }

  @Test(
    arguments: [(1, 7, 1.0), (2, 1, 0.5), (17, 16, 0.3), (33, 7, 1), (270, 5, 3), (9, 3, 0.01)],
    [1, 2])
  func `masked granularity of two views, targets held constant`(
    size: (Int, Int, Double), threads: Int
  ) throws {
    let (count, width, temperature) = size
    let inputs = (1...2).map { Grid.noise(count, width, seed: $0).normalizedRows }
      .map { Grid($0.rows, $0.columns, floats: $0.floats) }
    let targets = referenceMaskedGranularityTargets(
      masked: inputs[0], full: inputs[1], temperature: temperature)
    let bench = OperationBench(inputs.map { .tensor($0) })
    let views = [0..<count / 2, count / 2..<count].map { part in
      (masked: bench.tensor(0).slice(part), full: bench.tensor(1).slice(part))
    }
    let loss = MaskedGranularityLoss().add(
      views: views, temperature: Float(temperature), weight: 2, threads: threads)
    try require(
      .maskedGranularity, found: loss, gradients: (0..<2).map { bench.tensor($0).gradientArray },
      inputs: inputs, factor: 2
    ) {
      referenceMaskedGranularity(
        masked: $0[0], full: $0[1], targets: targets, temperature: temperature)
    }
  }
}
