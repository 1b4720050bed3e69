import TestSupport
import Testing

@testable import Clustering
@testable import Layers
@testable import Losses
@testable import Numerics
@testable import Tape

@Suite(.enabled(if: ProductPrecision.bfloat16.isAvailable)) struct BFloat16Tests {
  /// Layers of T rows, `in` and `out` columns, by name.
  private static let layers: [(name: String, run: @Sendable (OperationBench) -> Tensor)] = [
    ("linear", { $0.tape.linear($0.tensor(0), $0.parameter(1), bias: $0.parameter(2)) }),
    (
      "rectified",
      {
        $0.tape.linearReLUDropout(
          $0.tensor(0), $0.parameter(1), bias: $0.parameter(2), rate: 0.5)
      }
    ),
    (
      "added",
      {
        $0.tape.linearDropoutAdd(
          $0.tensor(0), $0.parameter(1), bias: $0.parameter(2), rate: 0.5, to: $0.tensor(3))
      }
    ),
    ("views", { $0.tape.linearOfViews($0.tensor(4), $0.parameter(5), viewCount: 3) }),
    (
      "some rows of a weight",
      { $0.tape.linear($0.tensor(0), $0.parameter(1).slice(1..<$0.parameter(1).rows)) }
    ),
  ]

  /// Output and all gradients of a layer whose inputs and output gradient come from `grid`.
  private func outcome(
    _ layer: Int, _ precision: ProductPrecision, isRecording: Bool = true,
    _ grid: (Int, Int, Int) -> Grid
  ) -> [[Float]] {
    let (rows, width, outputs) = (33, 17, 18)
    let bench = OperationBench(
      [
        .tensor(grid(rows, width, 1)), .parameter(grid(outputs, width, 2)),
        .parameter(grid(1, outputs, 3)), .tensor(grid(rows, outputs, 4)),
        .tensor(grid(3 * rows, width, 5)), .parameter(grid(3 * width, width, 6)),
      ], isRecording: isRecording, precision: precision)
    let output = Self.layers[layer].run(bench)
    guard isRecording else { return [output.array] }
    let gradient = grid(output.rows, output.columns, 7)
    return [output.array] + bench.differentiate(output, towards: gradient.floats)
  }

  @Test(arguments: layers.indices)
  func `integers, which need no rounding, go through a layer as in float32`(layer: Int) {
    let integers = { (rows: Int, columns: Int, seed: Int) in
      Grid(rows, columns) { Double((($0 * 31 + $1 * 17 + seed * 7) % 13) - 6) }
    }
    let rounded = outcome(layer, .bfloat16, integers)
    #expect(rounded == outcome(layer, .float32, integers))
    #expect(rounded[0].contains { abs($0) > 50 })
  }

  @Test(arguments: layers.indices)
  func `a layer that learns is rounded, by its last bits only; one that does not is not`(
    layer: Int
  ) {
    let noise = { (rows: Int, columns: Int, seed: Int) in Grid.noise(rows, columns, seed: seed) }
    let exact = outcome(layer, .float32, noise)
    let rounded = outcome(layer, .bfloat16, noise)
    #expect(rounded[0] != exact[0])
    // A sum near zero may be rectified the other way.
    let tolerance: Float = Self.layers[layer].name == "rectified" ? 0.15 : 0.01
    for (found, expected) in zip(rounded, exact) {
      let squares = { (values: [Float]) in values.reduce(0) { $0 + $1 * $1 } }
      let differences = zip(found, expected).map { $0 - $1 }
      #expect(squares(differences) <= tolerance * tolerance * squares(expected))
    }
    #expect(outcome(layer, .bfloat16, isRecording: false, noise) == [exact[0]])
  }

  /// Loss, state gradients and item gradients of one random softmax.
  private func result(
    _ precision: ProductPrecision, states count: Int, items: Int
  ) -> (loss: Double, table: [Float], states: [Float]) {
    let width = 24
    let random = CounterRandom(seed: 5, stream: 1)
    let table = EmbeddingTable(count: items, width: width)
    table.values.set((0..<items * width).map { Float(random.normal(UInt64($0))) })
    let tape = Tape(parameters: AlignedBuffer(count: 1))
    tape.begin(recording: true, randomness: nil)
    let inputs = tape.tensor(
      rows: count, columns: width,
      values: (0..<count * width).map { Float(random.normal(UInt64(1_000_000 + $0))) })
    let states = BatchStates(width: width)
    states.resize(count)
    states.receive(inputs, at: 0)
    let loss = CrossEntropy(precision: precision, scoreLimit: 64 * items).add(
      states: states, targets: (0..<count).map { UInt32($0 * 7 % items) },
      encoders: [ItemTable(table)], weight: 1, threads: 2)
    states.passGradient(to: inputs, from: 0)
    return (loss, table.gradient.array, inputs.gradientArray)
  }

  @Test(arguments: [1, 63, 64, 130])
  func `rounded inputs change loss and gradients by their last bits only`(count: Int) {
    let exact = result(.float32, states: count, items: 1100)
    let rounded = result(.bfloat16, states: count, items: 1100)
    #expect(abs(exact.loss - rounded.loss) < 0.01 * exact.loss)
    #expect(exact.loss != rounded.loss)
    for (a, b) in [(exact.table, rounded.table), (exact.states, rounded.states)] {
      let scale = a.reduce(0) { max($0, abs($1)) }
      #expect(scale > 0)
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 0.02 * scale })
    }
  }

  // MARK: - Products

  /// Whole numbers below 9, which bfloat16 holds, as do floats their sums; then their bfloat16 bits.
  private func integers(_ count: Int, _ generator: inout SeededGenerator) -> ([Float], [UInt16]) {
    let values = (0..<count).map { _ in Float(Int.random(in: -8...8, using: &generator)) }
    return (values, values.map { UInt16($0.bitPattern >> 16) })
  }

  @Test func `products of integers are exact for any shape, either transpose, and sums added`()
    throws
  {
    let multiply = try #require(BFloat16Multiply.shared)
    try withEvery("seed", in: 0..<300) { seed in
      var generator = SeededGenerator(seed: seed)
      let (m, n, k) = (
        Int.random(in: 1...40, using: &generator), Int.random(in: 1...150, using: &generator),
        Int.random(in: 1...70, using: &generator)
      )
      let (across, down, adds) = (seed % 2 == 0, seed % 3 == 0, seed % 5 < 2)
      let aStride = (across ? m : k) + Int.random(in: 0...3, using: &generator)
      let bStride = (down ? k : n) + Int.random(in: 0...3, using: &generator)
      let cStride = n + Int.random(in: 0...3, using: &generator)
      let (a, aHalves) = integers((across ? k : m) * aStride, &generator)
      let (b, bHalves) = integers((down ? n : k) * bStride, &generator)
      var (c, _) = integers(m * cStride, &generator)
      var expected = c
      for row in 0..<m {
        for column in 0..<n {
          expected[row * cStride + column] = (0..<k).reduce(
            adds ? c[row * cStride + column] : 0
          ) {
            $0 + (across ? a[$1 * aStride + row] : a[row * aStride + $1])
              * (down ? b[column * bStride + $1] : b[$1 * bStride + column])
          }
        }
      }
      unsafe multiply.multiply(
        m, n, k, aHalves, aStride, transposeA: across, bHalves, bStride, transposeB: down,
        adds: adds, &c, cStride)
      try #require(c == expected, "\(m) x \(n) x \(k)")
    }
  }

  /// More than a block of rows of the left factor, and parts of packed columns.
  @Test func `an element depends on its row and column alone`() throws {
    let multiply = try #require(BFloat16Multiply.shared)
    var generator = SeededGenerator(seed: 3)
    let (m, n, k) = (300, 200, 1000)
    func noise(_ count: Int) -> [UInt16] {
      (0..<count).map { _ in
        UInt16(Float.random(in: -1...1, using: &generator).bitPattern >> 16)
      }
    }
    let (a, b) = (noise(m * k), noise(n * k))
    var whole = [Float](repeating: 0, count: m * n)
    unsafe multiply.multiply(m, n, k, a, k, b, k, transposeB: true, &whole, n)
    var panels = [UInt32](repeating: 0, count: BFloat16Multiply.panelCount(k, n))
    unsafe multiply.pack(k, n, b, k, transposeB: true, into: &panels)
    var part = [Float](repeating: 0, count: 7 * 72)
    unsafe panels.withUnsafeBufferPointer { panels in
      unsafe a.withUnsafeBufferPointer { a in
        guard let panels = panels.baseAddress, let a = a.baseAddress else { return }
        unsafe multiply.multiply(
          7, 72, k, a + 290 * k, k, panels: panels + BFloat16Multiply.panelCount(k, 128), &part, 72)
      }
    }
    for row in 0..<7 {
      #expect(
        part[row * 72..<(row + 1) * 72] == whole[(290 + row) * n + 128..<(290 + row) * n + 200])
    }
    #expect(Set(whole).count > 50_000)
  }

  /// Loss and table gradients of the alignment of some items, whose rows and codes come from `grid`.
  private func alignment(
    _ precision: ProductPrecision, count: Int, _ grid: (Int, Int, Int) -> Grid
  ) -> (loss: Double, gradients: [[Float]]) {
    let width = 24
    let tables = [(count, 1), (9, 2)].map { rows, seed in
      let table = EmbeddingTable(count: rows, width: width)
      table.values.set(grid(rows, width, seed).floats)
      return table
    }
    let codes = (0..<2 * count).map { UInt32($0 * 5 % 9) }
    let loss = AlignmentLoss(precision: precision).add(
      items: (0..<UInt32(count)).reversed(),
      semantic: CodeBag(tables[1], rows: codes, levelCount: 2),
      hash: ItemTable(tables[0]), temperature: 0.5, weight: 1, threads: 2
    ) { PositiveLists(identity: $0) }
    return (loss, tables.map(\.gradient.array))
  }

  @Test(arguments: [2, 33, 300])
  func `rounded products change the alignment by its last bits only`(count: Int) {
    requireLastBits(
      of: { alignment($0, count: count) { .noise($0, $1, seed: $2) } }, loss: 0.002, gradients: 0.01
    )
  }

  @Test(arguments: [9, 33, 300])
  func `rounded products change the masked granularity of two views by its last bits only`(
    count: Int
  ) {
    let views = (1...2).map { Grid.noise(count, 24, seed: $0).normalizedRows }
    requireLastBits(
      of: { precision in
        let bench = OperationBench(views.map { .tensor($0) })
        let loss = MaskedGranularityLoss(precision: precision).add(
          views: [(bench.tensor(0), bench.tensor(1))], temperature: 0.5, weight: 1, threads: 2)
        return (loss, (0..<2).map { bench.tensor($0).gradientArray })
      }, loss: 0.002, gradients: 0.01)
  }

  /// Requires that rounding changes a loss and its gradients, and by no more than these parts of them.
  private func requireLastBits(
    of result: (ProductPrecision) -> (loss: Double, gradients: [[Float]]), loss: Double,
    gradients: Float
  ) {
    let exact = result(.float32)
    let rounded = result(.bfloat16)
    #expect(rounded.loss != exact.loss && abs(rounded.loss - exact.loss) < loss * exact.loss)
    for (found, expected) in zip(rounded.gradients, exact.gradients) {
      let squares = { (values: [Float]) in values.reduce(0) { $0 + $1 * $1 } }
      let differences = zip(found, expected).map { $0 - $1 }
      #expect(
        found != expected && squares(differences) <= gradients * gradients * squares(expected))
    }
  }
}
