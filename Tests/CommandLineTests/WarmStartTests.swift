internal import Foundation
internal import ShardIO
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// A training that starts from the parameters of an earlier one, over a catalogue that has changed since.
@Suite(.serialized, .timeLimit(.minutes(30))) struct WarmStartTests {
  /// A finished run in outputs 1 to 3, and new data in `1n` with its frozen codes in `2n`: an item is gone, and two have
  /// other ids, so that they are new ones.
  private func withRuns(
    _ body: (_ directory: FilePath, _ gone: String, _ new: [String]) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { directory in
      let run = try await TinyRun(in: directory)
      let items = try itemIDs(directory.appending("1-preprocess"))
      let (gone, renamed, new) = (items[3], items[5...6], ["new-a", "new-b"])
      for file in ["interactions.csv", "item_ids.txt", "items.jsonl"] {
        let path = directory.appending("shop").appending(file)
        var text = String(decoding: try readWholeFile(path), as: UTF8.self)
        for (old, id) in zip(renamed, new) { text = text.replacing(old, with: id) }
        if file == "interactions.csv" {
          text =
            text.split(separator: "\n").filter { !$0.contains(",\(gone),") }
            .joined(separator: "\n") + "\n"
        }
        try write(Array(text.utf8), to: path)
      }
      try await run.succeed("h2rec-preprocess", TinyRun.arguments(0, "1n"))
      try await run.succeed(
        "h2rec-tokenize",
        ["encode", "--codes", "2-tokenize", "--data", "1n", "--output", "2n", "--quiet"])
      try await body(directory, gone, new)
    }
  }

  private func itemIDs(_ output: FilePath) throws -> [String] {
    try StageInput(directory: output, expecting: "preprocess").table("items").strings("item_id")
  }

  private func rows(_ output: FilePath, _ table: String) throws -> [[Float]] {
    let table = try StageInput(directory: output, expecting: "train").table(table)
    let width = try table.width(of: "vector")
    let values = try table.fixed("vector", as: Float.self)
    return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
  }

  private static let training = [
    "--data", "1n", "--codes", "2n", "--dimension", "8", "--max-length", "5", "--quiet",
  ]
  private static let warm = ["--start-from", "3-train", "--start-data", "1-preprocess"]

  @Test func `carries rows by item, and gives new items the mean of their neighbours`() async throws
  {
    try await withRuns { directory, gone, new in
      let result = try await runStage(
        "h2rec-train", Self.training + Self.warm + ["--epochs", "0", "--output", "3n"],
        in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      let (before, after) = (
        try itemIDs(directory.appending("1-preprocess")), try itemIDs(directory.appending("1n"))
      )
      #expect(before.contains(gone) && !after.contains(gone) && new.allSatisfy(after.contains))
      let old = Dictionary(
        uniqueKeysWithValues: zip(before, try rows(directory.appending("3-train"), "hash-vectors")))
      let carried = try rows(directory.appending("3n"), "hash-vectors")
      var known = 0
      for (item, row) in zip(after, carried) {
        guard let expected = old[item] else {
          #expect(new.contains(item) && row.contains { $0 != 0 } && !old.values.contains(row))
          continue
        }
        known += 1
        #expect(row == expected, "\(item)")
      }
      #expect(
        try rows(directory.appending("3n"), "code-vectors")
          == rows(directory.appending("3-train"), "code-vectors"))
      let counts = try StageInput(directory: directory.appending("3n"), expecting: "train")
        .manifest.counters["warmStart"]
      #expect(counts?["knownItems"]?.integerValue == Int64(known) && known > 10)
      #expect(
        counts?["borrowedItems"] == 2 && counts?["freshItems"] == 0 && counts?["codes"] == true)
      #expect(counts?["droppedItems"]?.integerValue == Int64(before.count - known))

      // It goes on from there, and evaluates as any model.
      let more = try await runStage(
        "h2rec-train", Self.training + Self.warm + ["--epochs", "2", "--output", "3m"],
        in: directory)
      try #require(more.status == .exited(0), "\(more.error)")
      #expect(try rows(directory.appending("3m"), "hash-vectors") != carried)
      for model in ["3n", "3m"] {
        let measured = try await runStage(
          "h2rec-evaluate",
          ["--data", "1n", "--codes", "2n", "--model", model, "--output", "4\(model)", "--quiet"]
            + ["--resamples", "0"], in: directory)
        #expect(measured.status == .exited(0), "\(measured.error)")
      }
    }
  }

  @Test func `is refused for another model or another network, and says where codes start anew`()
    async throws
  {
    try await withRuns { directory, _, _ in
      let own = Self.training + ["--epochs", "1", "--output", "3n"]
      let refusals: [([String], String)] = [
        (own.map { $0 == "8" ? "16" : $0 } + Self.warm, "its parameter '"),
        (own + Self.warm.map { $0 == "1-preprocess" ? "1n" : $0 }, "manifest.json: error: "),
      ]
      for (words, message) in refusals {
        let result = try await runStage("h2rec-train", words, in: directory)
        #expect(result.status == .exited(78), "\(words): \(result.error)")
        #expect(result.error.contains(message), "\(result.error)")
      }
      let other = try await runStage(
        "h2rec-train",
        ["sasrec"] + own.filter { !["--codes", "2n"].contains($0) } + Self.warm, in: directory)
      #expect(
        other.status == .exited(78) && other.error.contains("it is a 'h2rec', this is a 'sasrec'"))

      let fitted = try await runStage(
        "h2rec-tokenize",
        [
          "--codebooks", "4,4", "--pca", "8", "--data", "1n", "--output", "2f", "--quiet",
          "--whiten",
        ],
        in: directory)
      try #require(fitted.status == .exited(0), "\(fitted.error)")
      let words = (own + Self.warm).map { $0 == "2n" ? "2f" : $0 }.filter { $0 != "--quiet" }
      let result = try await runStage("h2rec-train", words, in: directory)
      #expect(result.status == .exited(0), "\(result.error)")
      #expect(result.error.contains("warning: the codes are not named as this model's were"))
    }
  }
}
