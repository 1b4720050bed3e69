import ArgumentParser
import Dataset
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Tokenize

/// A finished stage 1 of 60 items, and a finished stage 2 with 8 and 4 codes.
private func withFinishedRun(
  _ body: (_ data: String, _ codes: String, _ directory: FilePath) throws -> Void
) throws {
  try withTemporaryDirectory { directory in
    let (data, codes) = (directory.appending("1"), directory.appending("2"))
    try writePreprocessed(data, itemCount: 60, vectors: pairedVectors(60, width: 8))
    try run([
      "--data", data.string, "--output", codes.string, "--codebooks", "8,4", "--pca", "5",
      "--quiet",
    ])
    try body(data.string, codes.string, directory)
  }
}

private func codes(_ directory: String) throws -> ItemCodes {
  try ItemCodes(try StageInput(directory: FilePath(directory), expecting: "tokenize"))
}

struct `Codes of earlier runs` {
  @Test func `codes.csv has the original ids`() throws {
    try withFinishedRun { _, codesDirectory, _ in
      let bytes = try readWholeFile(FilePath(codesDirectory).appending("codes.csv"))
      let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      let stored = try codes(codesDirectory)
      #expect(lines.count == 61 && lines[0] == "item_id,code_1,code_2")
      #expect(lines[8] == "i7,\(stored.tuple(of: 7)[14]),\(stored.tuple(of: 7)[15])")
    }
  }

  @Test func `encoding alone keeps codes and codebooks, and names the run it took them from`()
    throws
  {
    try withFinishedRun { data, codesDirectory, directory in
      let more = directory.appending("1b")
      try writePreprocessed(more, itemCount: 64, vectors: pairedVectors(64, width: 8))
      let output = directory.appending("2b").string
      try run([
        "--data", more.string, "--output", output, "--encode-only", codesDirectory, "--quiet",
      ])
      let (before, after) = (try codes(codesDirectory), try codes(output))
      #expect(after.count == 64 && after.codebooks == before.codebooks)
      #expect(after.center == before.center && Array(after.codes.prefix(120)) == before.codes)
      let stage = try StageInput(directory: FilePath(output), expecting: "tokenize")
      try stage.requireInput(
        try StageInput(directory: FilePath(codesDirectory), expecting: "tokenize"))
      let report = try JSONValue(parsing: try stage.file("report.json"), path: "report.json")
      #expect(report["drift"]?["newItems"] == 4 && report["drift"]?["movedItems"] == 0)
      #expect(report["churn"]?["addedItems"] == 4)
    }
  }

  @Test func `encoding refuses vectors of another width`() throws {
    try withFinishedRun { _, codesDirectory, directory in
      let other = directory.appending("1b")
      try writePreprocessed(other, itemCount: 60, vectors: pairedVectors(60, width: 7))
      let error = try #require(throws: PipelineError.self) {
        try run([
          "--data", other.string, "--output", directory.appending("x").string, "--encode-only",
          codesDirectory, "--quiet",
        ])
      }
      #expect(error.kind == .configuration)
      #expect(
        error.message == "the vectors of the previous run have 8 numbers, those of this run 7")
    }
  }

  @Test(arguments: [[], ["--no-warm-start"]])
  func `aligning the same fit changes nothing`(flags: [String]) throws {
    try withFinishedRun { data, codesDirectory, directory in
      let output = directory.appending("2b").string
      try run(
        [
          "--data", data, "--output", output, "--codebooks", "8,4", "--pca", "5", "--align-to",
          codesDirectory, "--quiet",
        ] + flags)
      #expect(try codes(output).codes == codes(codesDirectory).codes)
    }
  }

  @Test func `an export comes back as it was`() throws {
    try withFinishedRun { data, codesDirectory, directory in
      let output = directory.appending("2b").string
      try run([
        "--data", data, "--output", output, "--import", codesDirectory + "/codes.csv", "--quiet",
      ])
      #expect(try codes(output).codes == codes(codesDirectory).codes)
    }
  }

  @Test func `an import refuses items that are unknown or missing`() throws {
    try withFinishedRun { data, _, directory in
      for (text, message) in [
        ("i0,1\nnobody,2\n", "item 'nobody' is not in the catalogue"),
        ("i0,1\ni1,2\n", "58 items of the catalogue have no codes, for example 'i2'"),
      ] {
        let path = directory.appending("codes.csv")
        try write(Array(text.utf8), to: path)
        let error = try #require(throws: PipelineError.self) {
          try run([
            "--data", data, "--output", directory.appending("x").string, "--import", path.string,
            "--quiet",
          ])
        }
        #expect(error.kind == .dataFormat && error.message == message)
      }
    }
  }

  @Test func `codes that miss a limit are not written`() throws {
    try withFinishedRun { data, codesDirectory, _ in
      let before = try readWholeFile(FilePath(codesDirectory).appending("manifest.json"))
      let error = try #require(throws: PipelineError.self) {
        try run([
          "--data", data, "--output", codesDirectory, "--codebooks", "4,4", "--max-collision-rate",
          "0.5", "--quiet",
        ])
      }
      #expect(error.kind == .dataFormat)
      #expect(
        error.message == "the share of items with another item's codes is 1.0, expected at most 0.5"
      )
      #expect(try readWholeFile(FilePath(codesDirectory).appending("manifest.json")) == before)
    }
  }

  @Test func `lint alone reads files and directories`() throws {
    try withFinishedRun { data, codesDirectory, _ in
      for path in [codesDirectory, codesDirectory + "/codes.csv"] {
        try run(["--lint-only", path, "--min-utilization", "0.5"])
        #expect(throws: PipelineError.self) {
          try run(["--lint-only", path, "--max-group-size", "1"])
        }
        #expect(throws: PipelineError.self) {
          try run(["--lint-only", path, "--data", data, "--max-duplicate-share", "0.9"])
        }
      }
    }
  }

  @Test(
    arguments: [
      ["--output", "2"], ["--data", "1"],
      ["--data", "1", "--output", "2", "--encode-only", "a", "--collisions", "append"],
      ["--data", "1", "--output", "2", "--encode-only", "a", "--align-to", "b"],
      ["--lint-only", "a", "--min-purity", "0.5"], ["--lint-only", "a", "--min-entropy", "2"],
    ])
  func `options that do not go together are usage errors`(arguments: [String]) {
    do {
      _ = try TokenizeCommand.parseAsRoot(arguments)
      Issue.record("accepted")
    } catch {
      #expect(TokenizeCommand.exitCode(for: error) == .validationFailure)
    }
  }
}
