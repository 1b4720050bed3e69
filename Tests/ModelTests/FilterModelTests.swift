import ArgumentParser
import Dataset
import Layers
import Models
import Numerics
import Retrieval
import ShardIO
import Tape
import Testing

/// BSARec and FMLP-Rec where filters along time are what wins.
@Suite struct FilterModelTests {
  private static let small = [
    "--dimension", "32", "--layers", "1", "--max-length", "54", "--loss", "ce",
  ]

  @Test(arguments: [UInt64(1), 2])
  func `a learned filter finds what is a period back, at positions that it has not seen`(
    seed: UInt64
  ) throws {
    let shop = PlantedShop.rounds(of: 9, itemCount: 30, length: 27)
    let found = try shop.accuracy(FMLPRec.self, Self.small, epochs: 30, seed: seed)
    // The same block with attention in place of the filter, and SASRec, which learn positions.
    let others = [
      try shop.accuracy(
        BSARec.self, Self.small + ["--filter-share", "0"], epochs: 30, seed: seed),
      try shop.accuracy(SASRec.self, Self.small, epochs: 30, seed: seed),
    ]
    #expect(found > 0.7, "\(found)")
    #expect(others.allSatisfy { $0 < 0.3 }, "\(others)")
  }

  @Test func `a low pass beside attention tells a recent taste from an older one`() throws {
    let shop = PlantedShop.tastes(
      topics: 8, recent: 5, lengths: 12..<40, users: 400, noiseInTen: 4)
    let words = Self.small + ["--max-length", "40", "--targets", "last", "--windows", "last"]
    func mean(_ accuracy: (UInt64) throws -> Double) rethrows -> Double {
      try [1, 2, 3].map(accuracy).reduce(0, +) / 3
    }
    let found = try mean { try shop.accuracy(BSARec.self, words, epochs: 60, seed: $0) }
    let alone = try mean {
      try shop.accuracy(BSARec.self, words + ["--filter-share", "0"], epochs: 60, seed: $0)
    }
    let sasrec = try mean { try shop.accuracy(SASRec.self, words, epochs: 60, seed: $0) }
    #expect(found > alone + 0.07 && found > sasrec + 0.05, "\(found), \(alone), \(sasrec)")
  }

  @Test func `what follows the last token is alike with either reach, in the first block`() throws {
    let words = ["--dimension", "8", "--layers", "1", "--max-length", "9", "--targets", "last"]
    let histories = RaggedArray([[1, 2, 3], [4], [5, 6, 7, 1, 2, 3, 4, 5, 6]] as [[UInt32]])
    func states<Recipe: ModelRecipe>(_ recipe: Recipe.Type, _ reach: String) throws -> [Float]
    where Recipe.Model == SequentialModel {
      let data = ModelData(itemCount: 8)
      var options = try Recipe.Options.parse(words + ["--filter", reach])
      options.resolve(data)
      let model = try Recipe.build(options, data)
      model.initialize(data)
      return model.read(histories, threads: 1).states.values
    }
    #expect(try states(FMLPRec.self, "causal") == states(FMLPRec.self, "window"))
    #expect(try states(BSARec.self, "causal") == states(BSARec.self, "window"))
  }

  @Test(arguments: [
    (["--filter", "window"], "--targets last"), (["--windows", "prefixes"], "--targets last"),
    (["--filter-share", "0", "--low-frequencies", "2"], "no use for '--low-frequencies'"),
    (["--filter-share", "0", "--filter", "window", "--targets", "last"], "no use for '--filter'"),
    (["--max-length", "8", "--low-frequencies", "6"], "has 5 frequencies"),
    (["--filter-share", "1"], "must be from 0.0 to 0.99"),
  ])
  func `what a filter cannot be is refused`(words: [String], message: String) {
    let error = #expect(throws: (any Error).self) { try BSARec.Options.parse(words) }
    #expect(error.map { BSARec.Options.message(for: $0).contains(message) } == true)
  }
}
