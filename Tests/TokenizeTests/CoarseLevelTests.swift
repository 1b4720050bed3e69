import ArgumentParser
import Dataset
import Numerics
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Tokenize

private let learning = [
  "--codebooks", "6,3", "--hidden", "24", "--latent", "8",
  "--epochs", "60", "--batch-size", "64", "--learning-rate", "0.004", "--quiet",
]

private func report(_ directory: FilePath) throws -> JSONValue {
  try JSONValue(
    parsing: try StageInput(directory: directory, expecting: "tokenize").file("report.json"),
    path: "report.json")
}

struct `A coarse first level` {
  @Test(
    arguments: [
      ["--pca", "0"], ["--pca", "7"], ["--pca", "0", "--distance", "cosine,l2"],
      ["--pca", "0", "--fit-on", "train"],
    ])
  func `tells the clusters apart, and the autoencoder what is left in them`(extra: [String]) throws
  {
    try withNestedItems { data, output in
      var manifests: [[UInt8]] = []
      for threads in ["1", "2"] {
        try run(
          ["coarse-rq-vae", "--data", data, "--output", output.string, "--threads", threads]
            + learning + extra)
        manifests.append(try readWholeFile(output.appending("manifest.json")))
      }
      #expect(manifests[0] == manifests[1])
      let found = try storedCodes(output)
      let tuples = (0..<360).map { Array(found.tuple(of: $0)) }
      // Item i has centre i mod 6 and offset (i / 6) mod 3.
      #expect(
        (0..<360).allSatisfy { tuples[$0] == [tuples[$0 % 6][0], tuples[$0 / 6 % 3 * 6][1]] })
      #expect(Set(tuples).count == 18)
      let report = try report(output)
      let error = try #require(report["quantization"]?["relativeError"]?.numberValue)
      #expect(error < 0.05)
      #expect(try #require(report["autoencoder"]?["decoderError"]?.numberValue) < 0.1)
      // What the page says of the last epoch is a share of the whole variance too.
      let last = report["autoencoder"]?["epochs"]?.arrayValue?.last?["reconstruction"]?.numberValue
      let left = report["levels"]?.arrayValue?.first?["residual"]?.numberValue
      let missed = percent(try #require(last) * (try #require(left)))
      let page = try StageInput(directory: output, expecting: "tokenize").file("report.md")
      #expect(String(decoding: page, as: UTF8.self).contains("its codes missed \(missed) of"))
      #expect(report["quantization"]?["visibleShare"]?.numberValue ?? 2 <= 1.000_01)
    }
  }

  @Test(arguments: [[], ["--pca", "7", "--whiten"]])
  func `comes back from what is stored, with a number for items of equal codes`(
    extra: [String]
  ) throws {
    try withNestedItems { data, output in
      try run(
        ["coarse-rq-vae", "--data", data, "--output", output.string, "--collisions", "append"]
          + learning + extra)
      let first = try PreviousRun(output.string)
      #expect(first.codes.levelSizes.count == 3)
      #expect(try report(output)["collisions"]?["rate"]?.numberValue == 0)
      #expect(first.encoder.network?.firstLevel == 1)
      let vectors = Matrix(rows: 360, columns: 10, values: nestedVectors(360, width: 10).values)
      let encoded = first.encoder.encode(vectors, threads: 2).codes
      #expect(encoded.indices.allSatisfy { $0 % 3 == 2 || encoded[$0] == first.codes.codes[$0] })
      let again = FilePath(output.string + "b")
      try run([
        "encode", "--data", data, "--output", again.string, "--codes", output.string, "--quiet",
        "--export", "npy",
      ])
      let second = try PreviousRun(again.string)
      #expect(second.codes.codes == first.codes.codes && second.encoder == first.encoder)
      let stage = try StageInput(directory: again, expecting: "tokenize")
      #expect(try stage.file("network.codebook.2.npy").count == 128 + 4 * 3 * 8)
      #expect(throws: PipelineError.self) { try stage.file("network.codebook.1.npy") }
    }
  }

  @Test func `keeps its names when the same items are learned again`() throws {
    try withNestedItems { data, output in
      let numbered = learning + ["--collisions", "append"]
      try run(["coarse-rq-vae", "--data", data, "--output", output.string] + numbered)
      let again = FilePath(output.string + "b")
      try run(
        ["coarse-rq-vae", "--data", data, "--output", again.string, "--align-to", output.string]
          + numbered + ["--seed", "7"])
      #expect(try storedCodes(again).codes == storedCodes(output).codes)
      // A warm start has little to learn in its first epoch, also after a level was added to the codebooks.
      let losses = try [output, again].map { directory in
        try #require(
          try report(directory)["autoencoder"]?["epochs"]?.arrayValue?.first?["total"]?.numberValue)
      }
      #expect(losses[1] < losses[0] / 3)
    }
  }

  @Test(
    arguments: [
      ["coarse-rq-vae", "--codebooks", "8"], ["coarse-rq-vae", "--supervision", "1"],
      ["coarse-rq-vae", "--sample-size", "255"],
    ])
  func `is refused what it has no use for`(arguments: [String]) {
    do {
      _ = try TokenizeCommand.parseAsRoot(arguments + ["--data", "1", "--output", "2"])
      Issue.record("accepted")
    } catch {
      #expect(TokenizeCommand.exitCode(for: error) == .validationFailure)
    }
  }
}
