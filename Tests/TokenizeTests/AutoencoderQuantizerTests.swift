import ArgumentParser
import Dataset
import Foundation
import Numerics
import ShardIO
import SystemPackage
import TestSupport
import Testing
import Training

@testable import Quantizers
@testable import Tokenize

/// 6 far centres and around each the same 3 offsets: item i has centre i mod 6 and offset (i / 6) mod 3.
func nestedVectors(_ count: Int, width: Int) -> ItemVectors {
  let random = CounterRandom(seed: 9, stream: 2)
  let values = (0..<count * width).map { index -> Float in
    let (item, column) = (index / width, index % width)
    let centre = random.normal(UInt64(item % 6 * width + column))
    let offset = random.normal(UInt64(10_000 + item / 6 % 3 * width + column))
    let noise = random.normal(UInt64(20_000 + index))
    return Float(1 + 8 * centre + 2 * offset + 0.02 * noise)
  }
  return ItemVectors(values: values, width: width)
}

private let learning = [
  "--codebooks", "6,3", "--hidden", "24", "--latent", "8",
  "--epochs", "60", "--batch-size", "64", "--learning-rate", "0.004", "--quiet",
]

/// A finished stage 1 with 360 items around 6 centres with 3 offsets each, and where stage 2 may go.
func withNestedItems(_ body: (_ data: String, _ output: FilePath) throws -> Void) throws {
  try withTemporaryDirectory { directory in
    let data = directory.appending("1")
    try writePreprocessed(data, itemCount: 360, vectors: nestedVectors(360, width: 10))
    try body(data.string, directory.appending("2"))
  }
}

func storedCodes(_ directory: FilePath) throws -> ItemCodes {
  try ItemCodes(try StageInput(directory: directory, expecting: "tokenize"))
}

struct `Codes of an autoencoder` {
  @Test(
    arguments: [
      ["--pca", "0"], ["--pca", "6"], ["--pca", "0", "--distance", "cosine,l2"],
      ["--pca", "0", "--gradient", "rotation", "--codebook-decay", "0.9"],
    ])
  func `find the structure planted for them`(extra: [String]) throws {
    try withNestedItems { data, output in
      try run(["rq-vae", "--data", data, "--output", output.string] + learning + extra)
      let found = try storedCodes(output)
      #expect(found.levelSizes == [6, 3] && found.width == 10)
      let tuples = (0..<360).map { Array(found.tuple(of: $0)) }
      #expect((0..<360).allSatisfy { tuples[$0][0] == tuples[$0 % 6][0] })
      #expect(Set(tuples.prefix(6).map { $0[0] }).count == 6)
      let report = try JSONValue(
        parsing: try StageInput(directory: output, expecting: "tokenize").file("report.json"),
        path: "report.json")
      let error = try #require(report["quantization"]?["relativeError"]?.numberValue)
      #expect(error < 0.1)
      #expect(try #require(report["autoencoder"]?["decoderError"]?.numberValue) < 0.2)
    }
  }

  @Test func `are the same bytes for any number of threads`() throws {
    try withNestedItems { data, output in
      var manifests: [[UInt8]] = []
      for threads in ["1", "2"] {
        try run(
          ["rq-vae", "--data", data, "--output", output.string, "--threads", threads]
            + learning)
        manifests.append(try readWholeFile(output.appending("manifest.json")))
      }
      #expect(manifests[0] == manifests[1])
    }
  }

  @Test func `come back from the stored network, for items of every kind`() throws {
    try withNestedItems { data, output in
      try run(
        ["rq-vae", "--data", data, "--output", output.string, "--collisions", "append"]
          + learning)
      let again = FilePath(output.string + "b")
      try run([
        "encode", "--data", data, "--output", again.string, "--codes", output.string, "--quiet",
      ])
      #expect(try storedCodes(again).codes == storedCodes(output).codes)
      let stored = try PreviousRun(again.string)
      let first = try PreviousRun(output.string)
      #expect(
        stored.encoder.network != nil && stored.encoder == first.encoder)
      let vectors = nestedVectors(360, width: 10)
      let encoded = stored.encoder.encode(
        Matrix(rows: 360, columns: 10, values: vectors.values), threads: 2
      ).codes
      let expected = try storedCodes(output).codes
      #expect(encoded.indices.allSatisfy { $0 % 3 == 2 || encoded[$0] == expected[$0] })
      let report = try JSONValue(
        parsing: try StageInput(directory: again, expecting: "tokenize").file("report.json"),
        path: "report.json")
      #expect(report["drift"]?["movedItems"] == 0)
    }
  }

  @Test func `keep their names when the same items are learned again`() throws {
    try withNestedItems { data, output in
      try run(["rq-vae", "--data", data, "--output", output.string] + learning)
      let again = FilePath(output.string + "b")
      try run(
        ["rq-vae", "--data", data, "--output", again.string, "--align-to", output.string]
          + learning)
      let (before, after) = (try storedCodes(output), try storedCodes(again))
      let same = before.codes.indices.count { before.codes[$0] == after.codes[$0] }
      #expect(same == before.codes.count)
      // The names of the latent code vectors are those of the codes.
      let vectors = Matrix(rows: 360, columns: 10, values: nestedVectors(360, width: 10).values)
      #expect(
        try PreviousRun(again.string).encoder.encode(vectors, threads: 1).codes == after.codes)
    }
  }

  @Test func `refuse a network that does not fit its codes`() throws {
    try withNestedItems { data, output in
      try run(["rq-vae", "--data", data, "--output", output.string] + learning)
      let previous = try PreviousRun(output.string)
      var network = try #require(previous.encoder.network)
      network.codebooks.swapAt(0, 1)
      var stage = try StageOutput(directory: output, stage: "tokenize")
      for table in previous.codes.tables { try stage.write(table) }
      try stage.write(PreviousRun.table(previous.itemIDs, nil))
      try stage.write(network.table)
      try stage.commit(configuration: [:], inputs: [], counters: [:])
      let error = try #require(throws: PipelineError.self) { try PreviousRun(output.string) }
      #expect(error.kind == .dataFormat)
      #expect(
        error.message == "the network of the tokenizer: its codebooks are not those of the codes")
    }
  }

  @Test func `are not made where learning left the numbers`() throws {
    let vectors = Matrix(rows: 360, columns: 10, values: nestedVectors(360, width: 10).values)
    var options = try RQVAE.Options.parse(["--codebooks", "6,3", "--pca", "0", "--epochs", "1"])
    #expect(try RQVAE.fit(vectors, options, Learning()).isFinite)
    // One step: the loss is still that of the start.
    options.network.learningRate = .infinity
    let error = #expect(throws: PipelineError.self) {
      try RQVAE.fit(vectors, options, Learning())
    }
    #expect(error?.kind == .internalError)
    #expect(error?.message == "the parameter 'encoder.0.weight' is not finite after step 1")
    #expect(error?.note == "lower --learning-rate; nothing was written")
  }

  @Test func `are the same bytes with checkpoints, which are gone at the end`() throws {
    try withNestedItems { data, output in
      try run(["rq-vae", "--data", data, "--output", output.string] + learning)
      let again = FilePath(output.string + "b")
      try run(
        ["rq-vae", "--data", data, "--output", again.string, "--checkpoint-steps", "50"]
          + learning)
      #expect(
        try readWholeFile(again.appending("manifest.json"))
          == readWholeFile(output.appending("manifest.json")))
      let checkpoints = CheckpointStore(
        output: again, configuration: [:], inputs: [], threads: 1)
      #expect(!FileManager.default.fileExists(atPath: checkpoints.directory.string))
    }
  }

  @Test func `need as many items as codes, and different ones`() throws {
    try withTemporaryDirectory { directory in
      let data = directory.appending("1")
      try writePreprocessed(data, itemCount: 5, vectors: nestedVectors(5, width: 4))
      let error = try #require(throws: PipelineError.self) {
        try run(
          ["rq-vae", "--data", data.string, "--output", directory.appending("2").string] + learning)
      }
      #expect(error.message == "level 1 has 6 codes for 5 items")
    }
  }

  @Test(
    arguments: [
      ["rq-kmeans", "--epochs", "10"], ["rq-kmeans", "--gradient", "rotation"],
      ["rq-vae", "--epochs", "0"], ["rq-vae", "--hidden", "12,x"],
      ["rq-vae", "--gradient", "sideways"], ["rq-vae", "--learning-rate", "nan"],
      ["rq-vae", "--codebook-decay", "1"], ["rq-vae", "--balanced"], ["rq-vae", "--restarts", "2"],
      ["pq", "--distance", "cosine"], ["rq-vae", "--distance", "l2,l2"],
      ["rq-kmeans", "--checkpoint-steps", "5"], ["pq", "--checkpoint-minutes", "1"],
      ["rq-vae", "--checkpoint-steps", "-1"],
    ])
  func `do not take options that have no use or cannot work`(arguments: [String]) {
    do {
      _ = try TokenizeCommand.parseAsRoot(arguments + ["--data", "1", "--output", "2"])
      Issue.record("accepted")
    } catch {
      #expect(TokenizeCommand.exitCode(for: error) == .validationFailure)
    }
  }
}
