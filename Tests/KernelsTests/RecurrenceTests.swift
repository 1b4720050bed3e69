import Tape
import TestSupport
import Testing

/// Gated recurrent units of the tape against their definition.
@Suite struct RecurrenceTests {
  /// A width of states, and the lengths of sequences.
  struct World: Sendable, CustomTestStringConvertible {
    let width: Int
    let lengths: [Int]

    var testDescription: String { "\(width) wide, \(lengths)" }
    var tokenCount: Int { lengths.reduce(0, +) }
    var sequences: PackedSequences { packed(lengths) }
  }

  static let worlds = [
    World(width: 1, lengths: [1]), World(width: 7, lengths: [1, 4, 2]),
    World(width: 16, lengths: [3]), World(width: 17, lengths: [2, 2, 9, 1, 5]),
  ]

  @Test(arguments: worlds)
  func `states are those of the definition`(world: World) throws {
    let d = world.width
    let inputs: [Input] = [
      .tensor(.noise(world.tokenCount, 3 * d, seed: 1)), .parameter(.noise(3 * d, d, seed: 2)),
      .parameter(.noise(1, 3 * d, seed: 3)),
    ]
    try check(.recurrence, inputs) {
      $0.tape.recurrence(
        $0.tensor(0), $0.parameter(1), bias: $0.parameter(2), sequences: world.sequences)
    } reference: {
      $0[0].recurrence($0[1], bias: $0[2], lengths: world.lengths)
    }
  }

  @Test func `a sequence does not see the ones beside it`() {
    let rows = Grid.noise(9, 12, seed: 1)
    let parameters: [Input] = [
      .parameter(.noise(12, 4, seed: 2)), .parameter(.noise(1, 12, seed: 3)),
    ]
    func states(_ lengths: [Int], _ tokens: [Int]) -> [Float] {
      let bench = OperationBench([.tensor(rows.rows(tokens))] + parameters)
      return bench.tape.recurrence(
        bench.tensor(0), bench.parameter(1), bias: bench.parameter(2),
        sequences: packed(lengths)
      ).array
    }
    let together = states([2, 4, 3], Array(0..<9))
    let alone = states([4], Array(2..<6))
    #expect(zip(together[8..<24], alone).allSatisfy { abs($0 - $1) < 1e-6 })
  }
}

/// Sequences of some lengths, one after another.
private func packed(_ lengths: [Int]) -> PackedSequences {
  PackedSequences(offsets: [0] + lengths.indices.map { UInt32(lengths[...$0].reduce(0, +)) })
}
