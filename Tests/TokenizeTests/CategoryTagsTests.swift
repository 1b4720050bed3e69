import Dataset
import Numerics
import Quantizers
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Tokenize

struct `Categories as tags` {
  @Test func `begin at the first level that tells items apart, and name whole paths`() throws {
    let tags = try #require(
      AutoencoderTags(
        categories: [
          ["Shop", "Hair", "Care"], ["Shop", "Skin", "Care"], [], ["Shop", "Hair", "Dye"], ["Shop"],
        ], levelCount: 3))
    #expect(tags.counts == [2, 3])
    #expect(tags.classes == [[0, 1, -1, 0, -1], [0, 1, -1, 2, -1]])
    let first = AutoencoderTags(
      categories: [["a", "x"], ["b", "y"], ["b", "z"]], levelCount: 1)
    #expect(first?.counts == [2])
  }

  @Test(arguments: [[], [[]], [["a"], ["a"], []]] as [[[String]]])
  func `that tell nothing apart are none`(categories: [[String]]) {
    #expect(AutoencoderTags(categories: categories, levelCount: 4) == nil)
  }

  @Test func `supervise the codes of items, or the run is refused`() throws {
    try withTemporaryDirectory { directory in
      let random = CounterRandom(seed: 4, stream: 0)
      let vectors = ItemVectors(
        values: (0..<480).map { Float(random.uniform(UInt64($0)) - 0.5) }, width: 8)
      let data = directory.appending("1")
      let output = directory.appending("2")
      try writePreprocessed(data, itemCount: 60, vectors: vectors)
      let arguments = [
        "rq-vae", "--data", data.string, "--output", output.string, "--codebooks",
        "4,4", "--hidden", "16", "--latent", "6", "--epochs", "200", "--patience", "0",
        "--supervision", "2", "--uniqueness", "0.1", "--batch-size", "30", "--learning-rate",
        "0.005", "--quiet",
      ]
      try run(arguments)
      let report = try JSONValue(
        parsing: try StageInput(directory: output, expecting: "tokenize").file("report.json"),
        path: "report.json")
      // Even and odd items are categories that the vectors know nothing of.
      #expect(try #require(report["prefixPurities"]?.arrayValue?.first?.numberValue) > 0.8)
      var stage = try StageOutput(directory: data, stage: "preprocess")
      var plain = catalogue(60)
      plain.categories = plain.categories.map { _ in ["all"] }
      try stage.write(plain.table)
      try stage.write(vectors.table)
      try stage.commit(configuration: [:], inputs: [], counters: [:])
      let error = try #require(throws: PipelineError.self) { try run(arguments) }
      #expect(
        error.message
          == "the items have no categories that differ, so there is nothing to supervise with")
    }
  }
}
