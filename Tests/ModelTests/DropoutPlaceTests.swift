import Layers
import Models
import Numerics
import Tape
import TestSupport
import Testing

/// Each rate of dropout acts in its own place and nowhere else.
@Suite struct DropoutPlaceTests {
  /// The rates of the places of a network of one branch.
  struct Rates: Sendable {
    var embedding: Float = 0
    var attention: Float = 0
    var feedForward: Float = 0
  }

  /// A rate, and the parameters that, set to zero, leave nothing for it to drop.
  struct Place: Sendable, CustomTestStringConvertible {
    var name: String
    var rates: Rates
    var silencing: [String]
    var testDescription: String { name }
  }

  static let places = [
    Place(
      name: "embedding", rates: Rates(embedding: 0.5), silencing: ["positions", "hash"]),
    Place(
      name: "attention", rates: Rates(attention: 0.5), silencing: ["encoder.0.output.weight"]),
    Place(
      name: "feed-forward", rates: Rates(feedForward: 0.5),
      silencing: ["encoder.0.feed-outer.weight", "encoder.0.feed-outer.bias"]),
  ]

  @Test(arguments: places)
  func `a rate changes the states unless its place holds nothing but zeros`(place: Place) {
    let none = Rates()
    #expect(states(place.rates, silenced: []) != states(none, silenced: []))
    #expect(
      states(place.rates, silenced: place.silencing) == states(none, silenced: place.silencing))
    // The other places' zeros do not stop it.
    for other in Self.places where other.name != place.name && other.name != "embedding" {
      #expect(
        states(place.rates, silenced: other.silencing) != states(none, silenced: other.silencing))
    }
  }

  @Test func `one option is the rate of embeddings, attention and feed-forward layers`() {
    let all = loss { $0.dropout = 0.5 }
    #expect(
      all
        == loss {
          $0.dropout = 0.5
          $0.attentionDropout = 0.5
        })
    let attention = Self.places[1].silencing
    let feedForward = Self.places[2].silencing
    // Without attention and feed-forward layers the embeddings are left.
    #expect(
      loss(silenced: attention + feedForward) { $0.dropout = 0.5 }
        != loss(silenced: attention + feedForward) { _ in })
  }

  @Test func `the attention has a rate of its own`() {
    let silencing = Self.places[1].silencing
    #expect(loss { $0.attentionDropout = 0.5 } != loss { _ in })
    #expect(
      loss(silenced: silencing) { $0.attentionDropout = 0.5 } == loss(silenced: silencing) { _ in })
    #expect(
      loss { $0.dropout = 0.5 }
        != loss {
          $0.dropout = 0.5
          $0.attentionDropout = 0
        })
  }

  @Test func `the gate has a rate of its own`() {
    let without = loss { $0.cross = .residual }
    #expect(
      loss {
        $0.cross = .residual
        $0.gateDropout = 0.5
      } != without)
    #expect(
      loss {
        $0.cross = .residual
        $0.gate = .static
        $0.gateDropout = 0.5
      }
        == loss {
          $0.cross = .residual
          $0.gate = .static
        })
  }

  // MARK: - Networks

  private static let histories: [[UInt32]] = [[0, 1, 2, 1], [3, 6], [4, 4, 5, 0, 2]]

  /// The states of an item table and one block, some of whose parameters are zero.
  private func states(_ rates: Rates, silenced: [String]) -> [Float] {
    let store = ParameterStore()
    let positions = store.add("positions", 6, 8, .normal(0.5))
    var shape = AttentionShape()
    shape.dimension = 8
    shape.layerCount = 1
    shape.attentionDropout = rates.attention
    shape.feedForwardDropout = rates.feedForward
    let encoder = SASRecEncoder(shape, in: store)
    let items = ItemTable(store.addTable("hash", rows: 7, width: 8))
    store.seal()
    store.initialize(random: CounterRandom(seed: 1, stream: 1))
    items.table.values.set(Grid.noise(7, 8, seed: 2).floats)
    silence(silenced, store)
    let batch = SequenceBatch(Self.histories.map { $0[...] }, maxLength: 6)
    return TapePool(parameters: store.values).withTape { tape in
      tape.begin(recording: false, randomness: CounterRandom(seed: 3, stream: 3))
      let input = items.embed(
        batch.items, scale: 2, positions: PositionIDs(indices: batch.positionIDs, table: positions),
        dropout: rates.embedding, into: nil, on: tape)
      return encoder.encode(
        input, sequences: batch.sequences, wholeStreams: 1, on: tape, observe: nil
      ).array
    }
  }

  private func silence(_ names: [String], _ store: ParameterStore) {
    for name in names {
      store.table(name)?.values.fill(0)
      guard let parameter = store[name] else { continue }
      store.values.set(Array(repeating: 0, count: parameter.count), at: parameter.offset)
    }
  }

  /// The loss of a step of a network of one layer, some of whose parameters are zero: SASRec, or H2Rec where the change asks
  /// for a cross-attention.
  private func loss(
    silenced: [String] = [], _ change: (inout ModelShape) -> Void
  ) -> Double {
    var hyper = ModelShape()
    hyper.dimension = 8
    hyper.maxLength = 6
    hyper.layerCount = 1
    hyper.crossHeadCount = 2
    change(&hyper)
    hyper.architecture = hyper.cross == .none ? .sasrec : .h2rec
    hyper.levelSizes = hyper.hasCodes ? [3, 3] : []
    let codeRows = (0..<7).flatMap { (item: Int) -> [UInt32] in
      [UInt32(item % 3), UInt32(3 + item / 3)]
    }
    let network = TestNetwork(hyper, itemCount: 7, codeRows: hyper.hasCodes ? codeRows : [])
    network.initialize(seed: 1)
    silence(silenced, network.store)
    let step = TestStep(
      network: network, losses: LossShape(), pairs: nil, optimizer: Adam.Settings(), seed: 3,
      threads: 1)
    let batch = NextItemBatch(
      histories: Self.histories.map { $0[...] }, targets: [1, 2, 1, 6, 6, 5, 4, 5, 0, 2, 3])
    return step.gradients(of: batch, number: 0).recommendation
  }
}
