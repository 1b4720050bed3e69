import Dataset
import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Preprocess

/// Runs of the program on a shop whose items have texts and no vectors.
struct `A stored text encoder` {
  private static let things = ["desk lamp", "garden hose", "chess board", "running shoes"]

  /// Files of a log in which three users have every item.
  private func write(items: Range<Int>, _ log: String, in directory: FilePath) throws {
    var rows = "user_id,item_id,timestamp\n"
    for user in 0..<3 { for item in items { rows += "u\(user),i\(item),\(item)\n" } }
    let texts = items.map { item in
      let thing = Self.things[item % 4]
      return
        #"{"item_id":"i\#(item)","title":"A \#(thing) of kind \#(item % 7), edition \#(item / 5)"}"#
    }
    try TestSupport.write(Array(rows.utf8), to: directory.appending("\(log).csv"))
    try TestSupport.write(
      Array(texts.joined(separator: "\n").utf8), to: directory.appending("\(log).jsonl"))
  }

  private func run(
    _ log: String, _ output: String, _ more: [String] = [], in directory: FilePath
  ) async throws -> StageResult {
    try await runStage(
      "h2rec-preprocess",
      ["--interactions", "\(log).csv", "--items", "\(log).jsonl", "--user-core", "0"]
        + ["--item-core", "0", "--output", output, "--quiet"] + more, in: directory)
  }

  /// The vectors of an output by the ids of the items.
  private func vectors(_ output: FilePath) throws -> [String: [UInt32]] {
    let data = try PreprocessedData(try StageInput(directory: output, expecting: "preprocess"))
    let vectors = try #require(data.vectors)
    return Dictionary(
      uniqueKeysWithValues: data.catalogue.itemIDs.enumerated().map { row, id in
        let place = row * vectors.width..<(row + 1) * vectors.width
        return (id, vectors.values[place].map(\.bitPattern))
      })
  }

  @Test func `gives known texts their vectors, and new ones some in the same space`() async throws {
    try await withTemporaryDirectory { directory in
      try write(items: 0..<40, "old", in: directory)
      try write(items: 3..<50, "new", in: directory)
      let first = try await run("old", "1", ["--text-vectors", "8"], in: directory)
      try #require(first.status == .exited(0), "\(first.error)")
      let stored = ["--text-encoder", "1"]
      try #require(try await run("new", "2", stored, in: directory).status == .exited(0))
      try #require(
        try await run("new", "3", ["--text-vectors", "8"], in: directory).status == .exited(0))
      let old = try vectors(directory.appending("1"))
      let new = try vectors(directory.appending("2"))
      let fitted = try vectors(directory.appending("3"))
      #expect(new.count == 47 && new["i45"]?.count == 8)
      for item in 3..<40 { #expect(new["i\(item)"] == old["i\(item)"]) }
      #expect(fitted["i20"] != old["i20"])
      // The encoder goes on to the next output, and asking for it again changes nothing.
      let identities = try ["1", "2"].map {
        try TextEncoder.identity(in: directory.appending($0).string)
      }
      #expect(identities[0] == identities[1])
      let again = try await run(
        "new", "2", ["--text-encoder", "2", "--if-needed"], in: directory)
      #expect(again.output.contains("\"upToDate\":true"), "\(again.output)\(again.error)")
    }
  }

  @Test func `is refused where there is none, or where it is damaged`() async throws {
    try await withTemporaryDirectory { directory in
      try write(items: 0..<40, "old", in: directory)
      _ = try await run("old", "1", ["--text-vectors", "0"], in: directory)
      let none = try await run("old", "2", ["--text-encoder", "1"], in: directory)
      #expect(none.status == .exited(78))
      #expect(none.error.contains("1: error: this output has no text encoder"), "\(none.error)")
      let both = try await run(
        "old", "2", ["--text-encoder", "1", "--text-vectors", "8"], in: directory)
      #expect(both.status == .exited(64))
      #expect(!FileManager.default.fileExists(atPath: directory.appending("2").string))

      // Tables that fit their checksums, of another encoder than the manifest says.
      let encoder = try #require(
        TextEncoder(fitting: Self.things + Self.things, width: 2, seed: 1, threads: 1))
      for (name, identity) in [("3", encoder.identity), ("4", "0123456789abcdef")] {
        var stage = try StageOutput(directory: directory.appending(name), stage: "preprocess")
        for table in encoder.tables { try stage.write(table) }
        try stage.commit(
          configuration: [:], inputs: [], counters: ["textEncoder": .string(identity)])
      }
      #expect(try TextEncoder(directory.appending("3").string) == encoder)
      let error = try #require(throws: PipelineError.self) {
        try TextEncoder(directory.appending("4").string)
      }
      #expect(error.kind == .dataFormat && error.message.contains("expected 0123456789abcdef"))
    }
  }
}
