import Kernels
import Testing

@Suite struct BFloat16Tests {
  /// Loss, state gradients and item gradients of one random softmax.
  private func result(
    _ precision: CrossEntropy.Precision, states count: Int, items: Int
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
      branches: [ItemBranch(.rows(table))], weight: 1, threads: 2)
    states.passGradient(to: inputs, from: 0)
    return (loss, table.gradient.array, inputs.gradientArray)
  }

  @Test(.enabled(if: CrossEntropy.isAvailable(.bfloat16)), arguments: [1, 63, 64, 130])
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
}
