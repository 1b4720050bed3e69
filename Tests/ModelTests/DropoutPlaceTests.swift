import Models
import Numerics
import Tape
import TestSupport
import Testing

/// Each rate of dropout acts in its own place and nowhere else.
@Suite struct DropoutPlaceTests {
  /// A rate, and the parameters that, set to zero, leave nothing for it to drop.
  struct Place: Sendable, CustomTestStringConvertible {
    var name: String
    var rates: DropoutRates
    var silencing: [String]
    var testDescription: String { name }
  }

  static let places = [
    Place(
      name: "embedding",
      rates: DropoutRates(embedding: 0.5, attention: 0, feedForward: 0, gate: 0),
      silencing: ["positions", "hash"]),
    Place(
      name: "attention",
      rates: DropoutRates(embedding: 0, attention: 0.5, feedForward: 0, gate: 0),
      silencing: ["encoder.0.output.weight"]),
    Place(
      name: "feed-forward",
      rates: DropoutRates(embedding: 0, attention: 0, feedForward: 0.5, gate: 0),
      silencing: ["encoder.0.feed-outer.weight", "encoder.0.feed-outer.bias"]),
  ]

  @Test(arguments: places)
  func `a rate changes a step unless its place holds nothing but zeros`(place: Place) {
    let none = DropoutRates.uniform(0, gate: 0)
    #expect(loss(place.rates, silenced: []) != loss(none, silenced: []))
    #expect(loss(place.rates, silenced: place.silencing) == loss(none, silenced: place.silencing))
    // The other places' zeros do not stop it.
    for other in Self.places where other.name != place.name && other.name != "embedding" {
      #expect(loss(place.rates, silenced: other.silencing) != loss(none, silenced: other.silencing))
    }
  }

  @Test func `the gate has a rate of its own`() {
    var rates = DropoutRates.uniform(0, gate: 0)
    let without = loss(rates, silenced: [], cross: .residual)
    rates.gate = 0.5
    #expect(loss(rates, silenced: [], cross: .residual) != without)
    #expect(loss(rates, silenced: []) == loss(.uniform(0, gate: 0), silenced: []))
  }

  /// The loss of a step of a network of one layer, some of whose parameters are zero.
  private func loss(
    _ rates: DropoutRates, silenced: [String], cross: Hyperparameters.Cross = .none
  ) -> Double {
    var hyper = Hyperparameters()
    hyper.architecture = cross == .none ? .sasrec : .h2rec
    hyper.dimension = 8
    hyper.maxLength = 6
    hyper.layerCount = 1
    hyper.crossHeadCount = 2
    hyper.dropout = rates
    hyper.cross = cross
    hyper.levelSizes = cross == .none ? [] : [3, 3]
    let codeRows = (0..<7).flatMap { (item: Int) -> [UInt32] in
      [UInt32(item % 3), UInt32(3 + item / 3)]
    }
    let network = Network(hyper, itemCount: 7, codeRows: cross == .none ? [] : codeRows)
    network.initialize(hashStart: .random, vectors: nil, codes: nil, seed: 1, threads: 1)
    for name in silenced {
      if name == "hash" { network.hash?.values.fill(0) }
      guard let parameter = network.layout[name] else { continue }
      network.parameters.set(
        Array(repeating: 0, count: parameter.count), at: parameter.offset)
    }
    let step = TrainingStep(
      network: network, losses: LossSettings(), pairs: nil, optimizer: Adam.Settings(), seed: 3,
      threads: 1)
    let batch = TrainingBatch(
      histories: [[0, 1, 2, 1], [3, 6], [4, 4, 5, 0, 2]],
      targets: [1, 2, 1, 6, 6, 5, 4, 5, 0, 2, 3])
    return step.gradients(of: batch, number: 0).recommendation
  }
}
