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
        "encode", "--data", more.string, "--output", output, "--codes", codesDirectory, "--quiet",
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
          "encode", "--data", other.string, "--output", directory.appending("x").string, "--codes",
          codesDirectory, "--quiet",
        ])
      }
      #expect(error.kind == .configuration)
      #expect(
        error.message == "the vectors of the previous run have 8 numbers, those of this run 7")
    }
  }

  @Test func `vectors of another space are refused, and a little noise is not`() throws {
    try withFinishedRun { _, codesDirectory, directory in
      var vectors = pairedVectors(60, width: 8)
      for place in vectors.values.indices { vectors.values[place] += Float(place % 3 - 1) * 1e-4 }
      let noisy = directory.appending("1b")
      try writePreprocessed(noisy, itemCount: 60, vectors: vectors)
      // The same numbers along other axes: equally long, equally far from one another.
      for item in 0..<60 { vectors.values[item * 8..<item * 8 + 8].swapAt(item * 8, item * 8 + 1) }
      for place in vectors.values.indices where place % 8 >= 4 { vectors.values[place] *= -1 }
      let turned = directory.appending("1c")
      try writePreprocessed(turned, itemCount: 60, vectors: vectors)
      let output = directory.appending("x").string
      for words in [["encode", "--codes"], ["--codebooks", "8,4", "--pca", "5", "--align-to"]] {
        let words = words + [codesDirectory, "--output", output, "--quiet", "--data"]
        try run(words + [noisy.string])
        let error = try #require(throws: PipelineError.self) { try run(words + [turned.string]) }
        #expect(error.kind == .configuration)
        #expect(error.message.hasPrefix("the vectors of this run lie in another space than those"))
      }
    }
  }

  @Test func `aligning the same fit changes nothing`() throws {
    try withFinishedRun { data, codesDirectory, directory in
      let output = directory.appending("2b").string
      try run([
        "--data", data, "--output", output, "--codebooks", "8,4", "--pca", "5", "--align-to",
        codesDirectory, "--quiet",
      ])
      #expect(try codes(output).codes == codes(codesDirectory).codes)
    }
  }

  @Test func `an export comes back as it was`() throws {
    try withFinishedRun { data, codesDirectory, directory in
      let output = directory.appending("2b").string
      try run([
        "import", codesDirectory + "/codes.csv", "--data", data, "--output", output, "--quiet",
      ])
      #expect(try codes(output).codes == codes(codesDirectory).codes)
    }
  }

  @Test func `an import needs no vectors, and says what is then not to be had`() throws {
    try withTemporaryDirectory { directory in
      let (data, output) = (directory.appending("1").string, directory.appending("2").string)
      try writePreprocessed(FilePath(data), itemCount: 6, vectors: nil)
      let file = directory.appending("codes.json")
      let items = (0..<6).map { #""i\#($0)": ["<a_\#($0 / 2)>", "<b_\#($0 / 4)>"]"# }
      try write(Array("{\(items.joined(separator: ","))}".utf8), to: file)
      let words = ["import", file.string, "--data", data, "--quiet", "--output"]
      try run(words + [output])
      let found = try codes(output)
      #expect(found.codes == [0, 0, 0, 0, 1, 0, 1, 0, 2, 1, 2, 1] && found.width == 0)
      let report = String(
        decoding: try readWholeFile(FilePath(output).appending("report.md")), as: UTF8.self)
      #expect(report.contains("The items have no vectors, so it cannot be shown"))
      #expect(!report.contains("variance") && !report.contains("nan"))

      try run(words + [output + "b", "--collisions", "append"])
      #expect(try codes(output + "b").levelSizes == [3, 2, 2])
      let refused = try #require(throws: PipelineError.self) {
        try run(words + [output + "c", "--collisions", "reassign"])
      }
      #expect(refused.message == "'--collisions reassign' needs item vectors, and there are none")
      try writePreprocessed(
        FilePath(data + "b"), itemCount: 6, vectors: pairedVectors(6, width: 2))
      let frozen = try #require(throws: PipelineError.self) {
        try run(["encode", "--data", data + "b", "--codes", output, "--output", output + "d"])
      }
      #expect(frozen.message.contains("were imported without item vectors"))
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
            "import", path.string, "--data", data, "--output", directory.appending("x").string,
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
        error.message == "the share of items with another item's codes is 1, expected at most 0.5"
      )
      #expect(try readWholeFile(FilePath(codesDirectory).appending("manifest.json")) == before)
    }
  }

  @Test func `lint alone reads files and directories`() throws {
    try withFinishedRun { data, codesDirectory, _ in
      for path in [codesDirectory, codesDirectory + "/codes.csv"] {
        try run(["lint", path, "--min-utilization", "0.5"])
        #expect(throws: PipelineError.self) {
          try run(["lint", path, "--max-group-size", "1"])
        }
        #expect(throws: PipelineError.self) {
          try run(["lint", path, "--data", data, "--max-duplicate-share", "0.9"])
        }
      }
    }
  }

  @Test func `lint tells which items are in codes or data alone`() throws {
    try withFinishedRun { _, codesDirectory, directory in
      let other = directory.appending("other")
      try writePreprocessed(other, itemCount: 50, vectors: pairedVectors(50, width: 8))
      let printed = try LintRun(
        path: codesDirectory, data: other.string, limits: LintLimits()
      ).result()
      #expect(printed["unknownItems"] == 10 && printed["itemsWithoutCodes"] == 0)
    }
  }

  @Test func `lint refuses a file of another kind`() throws {
    try withFinishedRun { _, codesDirectory, directory in
      let path = directory.appending("codes.tsv")
      try write(Array("a\t1\n".utf8), to: path)
      let error = try #require(throws: PipelineError.self) {
        try run(["lint", path.string])
      }
      #expect(error.message == "this is a file, not a directory that stage 'tokenize' wrote")
      #expect(error.kind == .missingInput && error.location?.path == path.string)
    }
  }

  @Test func `limits that nothing can be compared with are refused`() throws {
    try withTemporaryDirectory { directory in
      let (data, output) = (directory.appending("1"), directory.appending("2"))
      var stage = try StageOutput(directory: data, stage: "preprocess")
      var plain = catalogue(20)
      plain.categories = plain.categories.map { _ in [] }
      try stage.write(plain.table)
      try stage.write(pairedVectors(20, width: 4).table)
      try stage.commit(configuration: [:], inputs: [], counters: [:])
      let learning = ["--data", data.string, "--output", output.string, "--codebooks", "4,2"]
      let error = try #require(throws: PipelineError.self) {
        try run(learning + ["--min-purity", "0.5", "--quiet"])
      }
      #expect(error.kind == .configuration)
      #expect(error.message == "'--min-purity' cannot be checked: the items have no categories")
      try run(learning + ["--quiet"])
      try writePreprocessed(data, itemCount: 20, vectors: nil)
      let other = try #require(throws: PipelineError.self) {
        try run(["lint", output.string, "--data", data.string, "--max-duplicate-share", "1"])
      }
      #expect(
        other.message == "'--max-duplicate-share' cannot be checked: the items have no vectors")
    }
  }

  @Test func `new items get numbers after those of the items with their codes`() throws {
    try withTemporaryDirectory { directory in
      // Items 2i and 2i + 1 have one vector; the catalogue grows from 30 to 60 and begins anew at i0.
      let vectors = { (count: Int) in
        ItemVectors(
          values: (0..<count).flatMap { item in
            Array(pairedVectors(10, width: 4).values[item % 10 * 4..<(item % 10 + 1) * 4])
          }, width: 4)
      }
      let paths = (0..<4).map { directory.appending("\($0)").string }
      try writePreprocessed(FilePath(paths[0]), itemCount: 30, vectors: vectors(30))
      try run([
        "--data", paths[0], "--output", paths[1], "--codebooks", "5", "--collisions", "append",
        "--quiet",
      ])
      #expect(try codes(paths[1]).levelSizes == [5, 6])
      try writePreprocessed(FilePath(paths[0]), itemCount: 60, vectors: vectors(60))
      for (previous, next) in [(1, 2), (2, 3)] {
        try run([
          "encode", "--data", paths[0], "--output", paths[next], "--codes", paths[previous],
          "--quiet",
        ])
      }
      let (first, second) = (try codes(paths[1]), try codes(paths[2]))
      #expect(Array(second.codes.prefix(60)) == first.codes)
      #expect(second.levelSizes == [5, 12])
      #expect(Set((0..<60).map { Array(second.tuple(of: $0)) }).count == 60)
      #expect(second.tuple(of: 30).last == 6 && second.tuple(of: 40).last == 8)
      #expect(try codes(paths[3]).codes == second.codes)
      let report = try JSONValue(
        parsing: try StageInput(directory: FilePath(paths[3]), expecting: "tokenize")
          .file("report.json"), path: "report.json")
      #expect(report["drift"]?["movedItems"] == 0)
    }
  }

  @Test(
    arguments: [
      ["--output", "2"], ["--data", "1"], ["lint", "a", "--output", "2"],
      ["encode", "--data", "1", "--output", "2"],
      ["encode", "--data", "1", "--output", "2", "--codes", "a", "--collisions", "append"],
      ["encode", "--data", "1", "--output", "2", "--codes", "a", "--align-to", "b"],
      ["encode", "--data", "1", "--output", "2", "--codes", "a", "--codebooks", "4"],
      ["encode", "--data", "1", "--output", "2", "--codes", "a", "--seed", "1"],
      ["import", "--data", "1", "--output", "2"],
      ["import", "a.csv", "--data", "1", "--output", "2", "--drift-limit", "2"],
      ["lint"], ["lint", "a", "--min-purity", "0.5"], ["lint", "a", "--min-entropy", "2"],
      ["lint", "a", "--export", "npy"], ["lint", "a", "--collisions", "append"],
      ["lint", "a", "--if-needed"],
      ["--data", "1", "--output", "2", "--drift-limit", "2"],
      ["pq", "--data", "1", "--output", "2", "--distance", "l2"],
      ["nonesuch", "--data", "1", "--output", "2"],
    ])
  func `options that a way to codes does not have are usage errors`(arguments: [String]) {
    do {
      _ = try TokenizeCommand.parseAsRoot(arguments)
      Issue.record("accepted")
    } catch {
      #expect(TokenizeCommand.exitCode(for: error) == .validationFailure)
    }
  }
}
