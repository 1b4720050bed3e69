import ArgumentParser
import CommandSupport
import Dataset
import Numerics
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Tokenize

/// What every quantiser of ``quantizerRecipes`` must do; a new one is tested by being in the list.
@Suite struct QuantizerContractTests {
  static let names = quantizerRecipes.map { $0.name }

  /// Command lines of a quantiser beside small sizes, tried where it has these options.
  private static let variants = [
    "", "--pca 0", "--whiten", "--distance cosine,l2", "--balanced --iterations 7",
    "--gradient rotation --codebook-decay 0.9", "--supervision 0.5 --tag-alignment 0.2",
  ]

  /// 360 items around 6 centres with 3 offsets each, row = item.
  private let vectors = Matrix(
    rows: 360, columns: 10, values: nestedVectors(360, width: 10).values)

  /// Runs a test on the recipe of a name.
  private func withRecipe(
    _ name: String, _ body: (any QuantizerRecipe.Type) throws -> Void
  ) throws {
    try body(#require(quantizerRecipes.first { $0.name == name }))
  }

  /// The command lines that a quantiser has the options for, as short as they may be.
  private func words<Recipe: QuantizerRecipe>(of recipe: Recipe.Type) -> [[String]] {
    let small = [["--codebooks", "6,3"], ["--pca", "7"], ["--epochs", "4"], ["--hidden", "24"]]
    let base = small.filter { (try? Recipe.Options.parse($0)) != nil }.flatMap { $0 }
    return Self.variants.map { base + $0.split(separator: " ").map(String.init) }
      .filter { (try? Recipe.Options.parse($0)) != nil }
  }

  private func learning(threads: Int) -> Learning {
    var learning = Learning(threads: threads)
    learning.categories = (0..<360).map { ["\($0 % 6)", "\($0 / 6 % 3)"] }
    return learning
  }

  @Test(arguments: names)
  func
    `codes say more than the centre, the same on one thread and two, and are those of the encoder`(
      name: String
    ) throws
  {
    try withRecipe(name) { try requireSameCodes($0) }
  }

  private func requireSameCodes<Recipe: QuantizerRecipe>(_ recipe: Recipe.Type) throws {
    for words in words(of: recipe) {
      let options = try Recipe.Options.parse(words)
      let one = try Recipe.fit(vectors, options, learning(threads: 1))
      #expect(try one == Recipe.fit(vectors, options, learning(threads: 2)), "\(words)")
      #expect(one.encoder.encode(vectors, threads: 2).codes == one.codes, "\(words)")
      #expect(one.levelSizes == options.codes.sizes && one.isFinite)
      #expect(one.relativeError < 0.5, "\(words): \(one.relativeError)")
      #expect(CodeStatistics(one.codes, levelSizes: one.levelSizes).distinctCount > 3)
    }
  }

  @Test(arguments: names)
  func `another seed gives other codes`(name: String) throws {
    try withRecipe(name) { try requireSeed($0) }
  }

  private func requireSeed<Recipe: QuantizerRecipe>(_ recipe: Recipe.Type) throws {
    let words = try #require(words(of: recipe).first)
    let codes = try [UInt64(1), 2].map { seed in
      try Recipe.fit(vectors, Recipe.Options.parse(words), Learning(seed: seed, threads: 1)).codes
    }
    #expect(codes[0] != codes[1])
  }

  @Test(arguments: names)
  func `options come back from the manifest, in camel case`(name: String) throws {
    try withRecipe(name) { try requireOptions($0) }
  }

  private func requireOptions<Recipe: QuantizerRecipe>(_ recipe: Recipe.Type) throws {
    for words in words(of: recipe) {
      let options = try Recipe.Options.parse(words)
      let read = try Recipe.Options(options.configuration, path: "manifest.json")
      #expect(read.configuration == options.configuration, "\(words)")
      #expect(options.configuration.count == Recipe.Options.fields.count)
    }
    let help = QuantizerCommand<Recipe>.helpMessage()
    for field in Recipe.Options.fields {
      #expect(help.contains("--\(field.optionName)"), "\(field.key) is no option")
      #expect(field.key.allSatisfy { $0.isLetter && $0.isASCII }, "\(field.key)")
    }
    // A default is in range, and a value of another kind is none.
    for field in Recipe.Options.fields {
      var entries = try Recipe.Options.parse([]).configuration
      entries[field.key] = .object([:])
      #expect(throws: PipelineError.self) { try Recipe.Options(entries, path: "manifest.json") }
    }
  }

  @Test(arguments: names)
  func `stored codes are read again, and encode known items as they were and new ones near them`(
    name: String
  ) throws {
    try withNestedItems { data, output in
      try withRecipe(name) { recipe in
        let words = try #require(words(of: recipe).first)
        try run([name] + words + ["--data", data, "--output", output.string, "--quiet"])
      }
      let first = try PreviousRun(output.string)
      let configuration = try StageInput(directory: output, expecting: "tokenize").manifest
        .configuration
      #expect(configuration["quantizer"] == .string(name) && configuration["mode"] == "fit")
      #expect(first.encoder.encode(vectors, threads: 1).codes == first.codes.codes)
      // 72 items more, which repeat the pattern.
      try writePreprocessed(
        FilePath(data), itemCount: 432, vectors: nestedVectors(432, width: 10))
      let again = FilePath(output.string + "b")
      try run([
        "encode", "--codes", output.string, "--data", data, "--output", again.string, "--quiet",
      ])
      let second = try PreviousRun(again.string)
      #expect(second.encoder == first.encoder)
      #expect(Array(second.codes.codes.prefix(720)) == first.codes.codes)
      let report = try JSONValue(
        parsing: try StageInput(directory: again, expecting: "tokenize").file("report.json"),
        path: "report.json")
      #expect(report["drift"]?["movedItems"] == 0 && report["drift"]?["newItems"] == 72)
      #expect(try #require(report["drift"]?["ratio"]?.numberValue) < 1.5)
    }
  }

  @Test(arguments: names)
  func `learning the same items again from earlier codes keeps nearly all of them`(
    name: String
  ) throws {
    try withNestedItems { data, output in
      let again = FilePath(output.string + "b")
      try withRecipe(name) { recipe in
        let words = try [name] + #require(words(of: recipe).first) + ["--data", data, "--quiet"]
        try run(words + ["--output", output.string])
        try run(words + ["--output", again.string, "--align-to", output.string])
      }
      let (before, after) = (try storedCodes(output).codes, try storedCodes(again).codes)
      #expect(zip(before, after).count { $0 == $1 } >= 700)
    }
  }
}
