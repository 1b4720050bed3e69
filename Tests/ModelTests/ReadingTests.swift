import Dataset
import Layers
import Retrieval
import TestSupport
import Testing

@testable import Models
@testable import Numerics
@testable import Tape

/// What a trained network says of itself: gate weights, attention, vectors of items that it never saw.
@Suite struct ReadingTests {
  /// 31 items at two levels, two heads, at most five items read.
  private func network(_ change: (inout ModelShape) -> Void = { _ in }) -> TestNetwork {
    var hyper = ModelShape()
    hyper.dimension = 8
    hyper.maxLength = 5
    hyper.headCount = 2
    hyper.crossHeadCount = 2
    hyper.cross = .residual
    hyper.levelSizes = [4, 8]
    change(&hyper)
    let rows = hyper.hasCodes ? Self.codes(Array(0..<31), hyper.levelSizes[0]).rows : []
    let network = TestNetwork(hyper, itemCount: 31, codeRows: rows)
    network.initialize(seed: 9)
    return network
  }

  /// The codes of some items: item mod 4, then item / 4; at most `first` codes at the first level.
  private static func codes(_ items: [Int], _ first: Int = 4) -> ItemCodes {
    ItemCodes(
      levelSizes: [first, 8], codes: items.flatMap { [UInt16($0 % 4), UInt16($0 / 4)] },
      codebooks: [Float](repeating: 0, count: first + 8), width: 1,
      usage: [UInt32](repeating: 1, count: first + 8), center: [0])
  }

  static let histories: [[UInt32]] = [[3, 1, 4], [30], [1, 5, 9, 2, 6, 5, 3, 5]]

  private func gateWeights(_ network: TestNetwork, _ histories: [ArraySlice<UInt32>]) -> Matrix? {
    network.model.read(histories, threads: 1).diagnostics[UserReading.gateWeights]
  }

  @Test func `gate weights are those of the last position and add up to 1`() throws {
    let network = network()
    let slices = Self.histories.map { $0[...] }
    let together = network.model.read(slices, threads: 2)
    let gates = try #require(together.diagnostics[UserReading.gateWeights])
    #expect(gates.rows == 3 && gates.columns == 2)
    #expect(together.states.values == network.states(after: slices, threads: 1).values)
    for row in 0..<3 {
      #expect(abs(gates[row: row].reduce(0, +) - 1) < 1e-6)
      let alone = try #require(gateWeights(network, [slices[row]]))
      #expect(zip(alone[row: 0], gates[row: row]).allSatisfy { abs($0 - $1) < 1e-6 })
    }
    #expect(Array(gates[row: 0]) != Array(gates[row: 1]))
    #expect(gateWeights(self.network { $0.cross = .none }, slices) == nil)
    let mean = gateWeights(self.network { $0.gate = .mean }, slices)
    #expect(mean?.values == [Float](repeating: 0.5, count: 6))
  }

  @Test(arguments: [H2RecOptions.Cross.none, .plain, .residual], [1, 2, 3])
  func `states after the last positions are those rows of all states`(
    cross: H2RecOptions.Cross, layers: Int
  ) {
    let network = network {
      $0.cross = cross
      $0.layerCount = layers
    }
    let batch = SequenceBatch(Self.histories.map { $0[...] }, maxLength: 5)
    func states(_ places: Readout) -> [Float] {
      TapePool(parameters: network.parameters).withTape { tape in
        tape.begin(recording: false, randomness: nil)
        let states = network.model.states(
          batch, at: places, on: tape, random: nil, observe: nil
        ).states
        return (places == .last ? states : tape.rows(states, batch.sequences.lastTokens)).array
      }
    }
    let (found, expected) = (states(.last), states(.all))
    #expect(found.count == 3 * 16 && expected.count == found.count)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(arguments: [H2RecOptions.Cross.none, .residual])
  func `attention is what the kernel mixes the values with`(cross: H2RecOptions.Cross) {
    let network = network { $0.cross = cross }
    let history: ArraySlice<UInt32> = [7, 3, 11, 2]
    let batch = SequenceBatch([history], maxLength: 5)
    var expected: [[Float]] = []
    TapePool(parameters: network.parameters).withTape { tape in
      tape.begin(recording: false, randomness: nil)
      _ = network.model.states(batch, at: .all, on: tape, random: nil) { queries, keys in
        // Values that are the unit vectors of the places: the output of a head is its probabilities.
        let values = (0..<8).flatMap { row in (0..<8).map { $0 % 4 == row % 4 ? Float(1) : 0 } }
        let mixed = tape.attention(
          q: AttentionInput(queries), k: AttentionInput(keys),
          v: AttentionInput(tape.tensor(rows: 8, columns: 8, values: values)),
          sequences: batch.sequences.repeated(2), heads: 2, headWidth: 4, causal: true, rate: 0
        ).array
        expected = [3, 7].map { last in
          (0..<4).map { (mixed[last * 8 + $0] + mixed[last * 8 + 4 + $0]) / 2 }
        }
      }
    }
    let found = network.model.attention(over: history)
    #expect(found.map(\.branch) == ["hash", "semantic"])
    for (weights, wanted) in zip(found.map(\.weights), expected) {
      #expect(abs(weights.reduce(0, +) - 1) < 1e-5)
      #expect(zip(weights, wanted).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  @Test func `only the items that are read get attention`() {
    let network = network {
      $0.architecture = .sasrec
      $0.levelSizes = []
    }
    let found = network.model.attention(over: Self.histories[2][...])
    #expect(found.map(\.branch) == ["hash"] && found[0].weights.count == 5)
  }

  @Test func `a new item has the vectors of its codes and the hash rows of its peers`() throws {
    let network = network { $0.cross = .none }
    let known = network.model.itemVectors(threads: 1)
    // Item 17 is the only one with its codes; a 32nd item would share the first code 3 with items 3, 7, … 27.
    let vectors = try #require(network.model.diagnostics.newItemVectors)
    let new = vectors(Self.codes([17, 31]), 1)
    #expect(new.rows == 2 && new.columns == 16)
    #expect(Array(new[row: 0]) == Array(known[row: 17]))
    for column in 0..<8 {
      let peers = stride(from: 3, to: 31, by: 4).map { Double(known.values[$0 * 16 + column]) }
      #expect(
        abs(Double(new.values[16 + column]) - peers.reduce(0, +) / Double(peers.count)) < 1e-7)
    }
    let semantic = self.network { $0.architecture = .sid }
    let alone = try #require(semantic.model.diagnostics.newItemVectors)
    #expect(
      alone(Self.codes(Array(4..<31)), 1).values
        == Array(semantic.model.itemVectors(threads: 1).values.dropFirst(4 * 8)))
    let hash = self.network {
      $0.architecture = .sasrec
      $0.levelSizes = []
    }
    #expect(hash.model.diagnostics.newItemVectors == nil)
  }

  @Test func `a new item whose first code nobody has gets the mean of all hash rows`() throws {
    let network = network {
      $0.cross = .none
      $0.levelSizes = [5, 8]
    }
    let known = network.model.itemVectors(threads: 1)
    let codes = ItemCodes(
      levelSizes: [5, 8], codes: [4, 0], codebooks: [Float](repeating: 0, count: 13), width: 1,
      usage: [UInt32](repeating: 1, count: 13), center: [0])
    let vectors = try #require(network.model.diagnostics.newItemVectors)
    let new = vectors(codes, 1)
    for column in 0..<8 {
      let mean = (0..<31).reduce(0.0) { $0 + Double(known.values[$1 * 16 + column]) } / 31
      #expect(abs(Double(new.values[column]) - mean) < 1e-7)
    }
  }
}
