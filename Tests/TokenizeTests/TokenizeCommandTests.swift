import ArgumentParser
import CommandSupport
import Dataset
import Numerics
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Tokenize

/// A finished stage 1 with a catalogue and, unless nil, vectors.
func writePreprocessed(
  _ directory: FilePath, itemCount: Int, vectors: ItemVectors?
) throws(PipelineError) {
  var stage = try StageOutput(directory: directory, stage: "preprocess")
  try stage.write(catalogue(itemCount).table)
  if let vectors { try stage.write(vectors.table) }
  try stage.commit(configuration: [:], inputs: [], counters: [:])
}

/// Items with the ids `i0`, `i1` and so on and the titles `Item 0` and so on.
func catalogue(_ itemCount: Int) -> Catalogue {
  let items = 0..<itemCount
  return Catalogue(
    itemIDs: items.map { "i\($0)" }, titles: items.map { "Item \($0)" },
    categories: items.map { [$0 % 2 == 0 ? "even" : "odd"] }, texts: items.map { "text \($0)" },
    trainCounts: items.map { UInt32($0) }, isHead: items.map { $0 > itemCount / 2 },
    isTail: items.map { $0 < 4 }, buckets: items.map { PopularityBucket(trainCount: $0) })
}

/// Vectors that look random; each pair of items 2i and 2i + 1 has the same.
func pairedVectors(_ count: Int, width: Int) -> ItemVectors {
  let random = CounterRandom(seed: 1, stream: 1)
  return ItemVectors(
    values: (0..<count * width).map { index in
      Float(random.uniform(UInt64(index / width / 2 * width + index % width)) - 0.5)
    }, width: width)
}

func run(_ arguments: [String]) throws {
  let command = try #require(try TokenizeCommand.parseAsRoot(arguments) as? any StageCommand)
  try command.runStage()
}

/// Learns codes with the options of a command line.
func learn<Recipe: QuantizerRecipe>(
  _ recipe: Recipe.Type, _ vectors: Matrix, _ options: String, _ learning: Learning = Learning()
) throws -> TokenizedItems {
  try Recipe.fit(
    vectors, Recipe.Options.parse(options.split(separator: " ").map(String.init)), learning)
}

extension Learning {
  /// A seed and a number of threads to learn with.
  init(seed: UInt64 = 42, threads: Int) {
    self.init()
    self.seed = seed
    self.threads = threads
  }
}

struct `The tokenize stage` {
  @Test func `writes codes, codebooks and a report`() throws {
    try withTemporaryDirectory { directory in
      let (data, output) = (directory.appending("1"), directory.appending("2"))
      try writePreprocessed(data, itemCount: 60, vectors: pairedVectors(60, width: 8))
      try run([
        "--data", data.string, "--output", output.string, "--codebooks", "8,4", "--pca", "5",
        "--quiet",
      ])
      let stage = try StageInput(directory: output, expecting: "tokenize")
      try stage.requireInput(try StageInput(directory: data, expecting: "preprocess"))
      let codes = try ItemCodes(stage)
      #expect(codes.levelSizes == [8, 4] && codes.count == 60 && codes.width == 8)
      #expect(codes.usage.prefix(8).reduce(0, +) == 60)
      for item in stride(from: 0, to: 60, by: 2) {
        #expect(Array(codes.tuple(of: item)) == Array(codes.tuple(of: item + 1)))
      }
      let report = try JSONValue(parsing: try stage.file("report.json"), path: "report.json")
      #expect(report["items"] == 60)
      #expect(report["collisions"]?["rate"] == 1)
      #expect(report["levels"]?.arrayValue?.count == 2)
      let markdown = String(decoding: try stage.file("report.md"), as: UTF8.self)
      #expect(markdown.hasPrefix("# Code report\n\n60 items, 2 levels."))
      #expect(markdown.contains("Item 0; Item 1"))
    }
  }

  @Test func `writes the same bytes for any number of threads, again and again`() throws {
    try withTemporaryDirectory { directory in
      let data = directory.appending("1")
      try writePreprocessed(data, itemCount: 500, vectors: pairedVectors(500, width: 16))
      var manifests: [[UInt8]] = []
      for (name, threads) in [("one", "1"), ("two", "2"), ("again", "2")] {
        let output = directory.appending(name)
        try run([
          "--data", data.string, "--output", output.string, "--codebooks", "32,16", "--pca", "10",
          "--threads", threads, "--quiet",
        ])
        manifests.append(try readWholeFile(output.appending("manifest.json")))
      }
      #expect(manifests[0] == manifests[1] && manifests[1] == manifests[2])
    }
  }

  @Test func `codes can be learned on items with training events alone`() throws {
    try withTemporaryDirectory { directory in
      let (data, output) = (directory.appending("1"), directory.appending("2"))
      // Only the first item has no training events; it is far away from all others.
      var vectors = pairedVectors(60, width: 8)
      vectors.values.replaceSubrange(0..<8, with: repeatElement(1000, count: 8))
      try writePreprocessed(data, itemCount: 60, vectors: vectors)
      for scope in ["train", "all"] {
        try run([
          "--data", data.string, "--output", output.string, "--codebooks", "4,4", "--fit-on", scope,
          "--quiet",
        ])
        let codes = try ItemCodes(try StageInput(directory: output, expecting: "tokenize"))
        let neighbours = (1..<60).count { codes.tuple(of: $0)[2 * $0] == codes.codes[0] }
        #expect(codes.count == 60 && (neighbours > 0) == (scope == "train"))
        #expect(abs(codes.center[0]) < 1 || scope == "all")
      }
    }
  }

  @Test func `refuses a run without vectors`() throws {
    try expectFailure(
      itemCount: 6, vectors: nil, ["--codebooks", "2"],
      .configuration, "the items have no vectors, and semantic ids are made from vectors")
  }

  @Test func `refuses more codes than items`() throws {
    try expectFailure(
      itemCount: 6, vectors: pairedVectors(6, width: 3), ["--codebooks", "6,7"],
      .configuration, "level 2 has 7 codes for 6 items")
  }

  @Test(arguments: [
    (9, [256, 4], [4, 4]), (40, [256, 32], [10, 32]), (200, [256, 256, 200], [50, 50, 200]),
    (256, [256], [256]), (3, [4], [3]), (1, [4], [1]),
  ])
  func `takes fewer codes where there are more than items`(
    itemCount: Int, given: [Int], taken: [Int]
  ) {
    #expect(LevelSizes(given).shortened(itemCount: itemCount).values == taken)
  }

  @Test func `says in the manifest which codes were taken`() throws {
    try withTemporaryDirectory { directory in
      let (data, output) = (directory.appending("1"), directory.appending("2"))
      var stage = try StageOutput(directory: data, stage: "preprocess")
      try stage.write(catalogue(40).table)
      try stage.write(pairedVectors(40, width: 3).table)
      try stage.commit(configuration: [:], inputs: [], counters: ["items": 40])
      try run([
        "--data", data.string, "--output", output.string, "--codebooks", "256,8", "--quiet",
      ])
      let input = try StageInput(directory: output, expecting: "tokenize")
      #expect(input.manifest.configuration["codebooks"] == [10, 8])
      #expect(try ItemCodes(input).levelSizes == [10, 8])
    }
  }

  @Test func `refuses vectors that are all equal`() throws {
    try expectFailure(
      itemCount: 6, vectors: ItemVectors(values: [Float](repeating: 0.5, count: 12), width: 2),
      ["--codebooks", "2"], .dataFormat,
      "the vectors of all 6 items are equal, so there is nothing to tell apart")
  }

  @Test(arguments: ["0", "65537", "256,,4"])
  func `refuses level sizes out of range as a usage error`(sizes: String) {
    let arguments = ["--data", "1", "--output", "2", "--codebooks", sizes]
    do {
      _ = try TokenizeCommand.parseAsRoot(arguments)
      Issue.record("accepted \(sizes)")
    } catch {
      #expect(TokenizeCommand.exitCode(for: error) == .validationFailure)
      #expect(
        TokenizeCommand.message(for: error).contains("lists one size a level from 1 to 65536"))
    }
  }

  private func expectFailure(
    itemCount: Int, vectors: ItemVectors?, _ options: [String], _ kind: PipelineError.Kind,
    _ message: String
  ) throws {
    try withTemporaryDirectory { directory in
      let (data, output) = (directory.appending("1"), directory.appending("2"))
      try writePreprocessed(data, itemCount: itemCount, vectors: vectors)
      let error = try #require(throws: PipelineError.self) {
        try run(["--data", data.string, "--output", output.string, "--quiet"] + options)
      }
      #expect(error.kind == kind && error.message == message)
      #expect(error.location?.path == data.string)
      #expect(throws: PipelineError.self) {
        try StageInput(directory: output, expecting: "tokenize")
      }
    }
  }
}
