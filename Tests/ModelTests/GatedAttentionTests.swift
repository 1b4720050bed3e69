import ArgumentParser
import Dataset
import Layers
import Models
import Numerics
import Retrieval
import ShardIO
import Tape
import Testing

/// HSTU and eSASRec where their blocks are what wins.
@Suite struct GatedAttentionTests {
  private static let small = ["--dimension", "32", "--layers", "1", "--loss", "ce"]

  @Test(arguments: [UInt64(1), 2])
  func `a bias by distance finds what is a period back, at positions that it has not seen`(
    seed: UInt64
  ) throws {
    let shop = PlantedShop.rounds(of: 9, itemCount: 30, length: 27)
    let words = Self.small + ["--max-length", "54"]
    let found = try shop.accuracy(HSTU.self, words, epochs: 60, seed: seed)
    let others = [
      try shop.accuracy(HSTU.self, words + ["--position-reach", "0"], epochs: 60, seed: seed),
      try shop.accuracy(SASRec.self, words, epochs: 60, seed: seed),
    ]
    #expect(found > 0.8, "\(found)")
    #expect(others.allSatisfy { $0 < 0.3 }, "\(others)")
  }

  @Test(arguments: [UInt64(1), 2])
  func `gated pre-normalised blocks learn sums of distant items in few steps`(seed: UInt64) throws {
    let shop = PlantedShop.sums([2, 0, 1], itemCount: 7, length: 12)
    let words = Self.small + ["--max-length", "12"]
    let found = try shop.accuracy(ESASRec.self, words, epochs: 15, seed: seed)
    let others = [
      try shop.accuracy(SASRec.self, words, epochs: 15, seed: seed),
      try shop.accuracy(
        BSARec.self, words + ["--filter-share", "0"], epochs: 15, seed: seed),
    ]
    #expect(found > 0.8, "\(found)")
    #expect(others.allSatisfy { $0 < 0.5 }, "\(others)")
  }

  private let histories = RaggedArray([[1, 2, 3], [4], [5, 6, 7, 1, 2, 3, 4]] as [[UInt32]])

  private func model(_ words: [String]) throws -> SequentialModel {
    let data = ModelData(itemCount: 8)
    var options = try ESASRec.Options.parse(["--dimension", "8", "--max-length", "7"] + words)
    options.resolve(data)
    let model = try ESASRec.build(options, data)
    model.initialize(data)
    return model
  }

  /// Sets all gates of a model to the same number, whatever they read.
  private func set(_ gates: Float, of model: SequentialModel) {
    for entry in model.store.entries where entry.name.contains("-gate.") {
      let value = entry.name.hasSuffix(".bias") ? gates : 0
      model.store.values.set(
        Array(repeating: value, count: entry.parameter.count), at: entry.parameter.offset)
    }
  }

  @Test func `open gates are no gates, and closed ones let nothing through`() throws {
    let (gated, plain) = (try model([]), try model(["--gates", "none"]))
    for entry in plain.store.entries {
      let other = try #require(gated.store[entry.name])
      gated.store.values.set(plain.store.array(of: entry.parameter), at: other.offset)
    }
    gated.itemEncoders[0].vectors.set(plain.itemEncoders[0].vectors.array)
    set(60, of: gated)
    let expected = plain.read(histories, threads: 1).states
    #expect(gated.read(histories, threads: 1).states == expected)
    set(-60, of: gated)
    // What is left is the last item at its position.
    let positions = try #require(gated.store["positions"])
    let table = gated.store.array(of: positions)
    let items = gated.itemVectors(threads: 1)
    let closed = gated.read(histories, threads: 1).states
    for user in 0..<histories.count {
      let (item, place) = (Int(histories[user].last ?? 0), histories[user].count - 1)
      let input = zip(items[row: item], table[place * 8..<(place + 1) * 8]).map { $0 + $1 }
      #expect(zip(closed[row: user], input).allSatisfy { abs($0 - $1) < 1e-6 })
    }
    #expect(closed != expected)
  }

  @Test func `a bias reaches no farther than two positions can be apart`() throws {
    #expect(throws: (any Error).self) {
      try HSTU.Options.parse(["--max-length", "8", "--position-reach", "8"])
    }
    _ = try HSTU.Options.parse(["--max-length", "8", "--position-reach", "7"])
    #expect(throws: (any Error).self) { try HSTU.Options.parse(["--heads", "3"]) }
  }
}
