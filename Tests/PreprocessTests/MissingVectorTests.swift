import Dataset
import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Preprocess

struct `Missing vectors` {
  private static let things = ["desk lamp", "garden hose", "chess board", "running shoes"]

  /// Text and vector of 40 items: item i is thing i mod 4, its vector is near the axis of that thing, of length 3.
  private static let texts = (0..<40).map { "A \(things[$0 % 4]), \(["red", "blue"][$0 / 20])" }
  private static let vectors: [[Float]] = (0..<40).map { item in
    let tilt: Float = item < 20 ? 0.1 : -0.1
    let row = (0..<5).map { $0 == item % 4 ? Float(1) : $0 == 4 ? tilt : 0 }
    let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return row.map { 3 * $0 / length }
  }

  private func complete(
    _ given: ItemVectors, texts: [String], missing: [Int]
  ) -> VectorCompletion.Result? {
    TextEncoder(fitting: texts, width: 8, seed: 1, threads: 1).flatMap {
      VectorCompletion(encoder: $0, threads: 1).complete(given, texts: texts, missing: missing)
    }
  }

  @Test func `a vector made from a text lies near those of like texts`() throws {
    let missing = [0, 5, 39]
    var given = ItemVectors(values: Self.vectors.flatMap(\.self), width: 5)
    for item in missing {
      for place in 0..<5 { given.values[item * 5 + place] = .nan }
    }
    let result = try #require(
      complete(given, texts: Self.texts, missing: missing))
    for item in 0..<40 {
      let row = Array(result.vectors.values[item * 5..<(item + 1) * 5])
      if missing.contains(item) {
        for (found, expected) in zip(row, Self.vectors[item]) {
          #expect(abs(found - expected) < 0.2, "item \(item): \(row)")
        }
        #expect(abs(row.reduce(0) { $0 + $1 * $1 }.squareRoot() - 3) < 1e-4)
      } else {
        #expect(row == Self.vectors[item])
      }
    }
    #expect(result.explainedShare > 0.9)
  }

  @Test func `too few items with both, or texts without a word in common, teach nothing`() {
    let given = ItemVectors(values: Self.vectors.flatMap(\.self), width: 5)
    #expect(complete(given, texts: Self.texts, missing: Array(9..<40)) == nil)
    let apart = (0..<40).map { String(UnicodeScalar(UInt32(0x4E00 + $0 * 3)) ?? "?") }
    #expect(complete(given, texts: apart, missing: [3]) == nil)
  }

  /// Files of a log in which every user has every item; `known` items have vectors.
  private func files(known: Range<Int>, texts: [String]) -> [String: [UInt8]] {
    var log = "user_id,item_id,timestamp\n"
    for user in 0..<3 {
      for item in 0..<40 { log += "u\(user),i\(item),\(item)\n" }
    }
    let items = texts.enumerated().map { #"{"item_id":"i\#($0)","title":"\#($1)"}"# }
    let vectors = known.map { item in
      #"{"item_id":"i\#(item)","vector":\#(Self.vectors[item])}"#
    }
    return [
      "log.csv": Array(log.utf8), "items.jsonl": Array(items.joined(separator: "\n").utf8),
      "vectors.jsonl": Array(vectors.joined(separator: "\n").utf8),
    ]
  }

  private static let arguments = [
    "--interactions", "log.csv", "--items", "items.jsonl", "--vectors", "vectors.jsonl",
    "--user-core", "0", "--item-core", "0", "--missing-vectors",
  ]

  private static let fromText = ["text", "--text-vectors", "8"]

  private func run(
    _ files: [String: [UInt8]], _ arguments: [String], in directory: FilePath
  ) async throws -> StageResult {
    for (name, bytes) in files { try write(bytes, to: directory.appending(name)) }
    return try await runStage("h2rec-preprocess", arguments, in: directory)
  }

  @Test func `the program fills vectors in, the same for any number of threads`() async throws {
    try await withTemporaryDirectory { directory in
      let files = files(known: 0..<36, texts: Self.texts)
      for threads in ["1", "2"] {
        let result = try await run(
          files, Self.arguments + Self.fromText + ["--threads", threads, "--output", threads],
          in: directory)
        try #require(result.status == .exited(0), "\(result.error)")
      }
      let input = try StageInput(directory: directory.appending("1"), expecting: "preprocess")
      #expect(input.manifest.counters["vectorsFromText"] == 4)
      let vectors = try #require(try PreprocessedData(input).vectors)
      #expect(vectors.count == 40 && vectors.width == 5)
      for item in 36..<40 {
        #expect(abs(vectors.values[item * 5 + item % 4] - Self.vectors[item][item % 4]) < 0.2)
      }
      let one = try contents(of: directory.appending("1")).filter { $0.key != "run.log" }
      let two = try contents(of: directory.appending("2")).filter { $0.key != "run.log" }
      #expect(one == two)
      let report = try String(
        contentsOfFile: directory.appending("1").appending("report.md").string, encoding: .utf8)
      #expect(report.contains("| vectors made from texts | 4 |"))
    }
  }

  @Test(
    arguments: [
      (
        0..<38, texts.dropLast() + [""], "text", 65 as Int32,
        """
        h2rec-preprocess: items.jsonl: error: item 'i39' has neither a vector nor a text
        note: add a text or a vector, or leave their events out with --missing-vectors drop

        """
      ),
      (
        0..<9, texts, "text", 78,
        """
        h2rec-preprocess: vectors.jsonl: error: 31 items have no vector, and 9 have a vector and a text, too few (or with \
        nothing in common) to learn from
        note: use --missing-vectors drop, or leave out --vectors to make all vectors from texts

        """
      ),
      (
        0..<38, texts, "error", 65,
        """
        h2rec-preprocess: vectors.jsonl: error: item 'i38' of the log and 1 more are not in the list of vectors
        note: add them, leave their events out with --missing-vectors drop, or make them from texts with --missing-vectors text

        """
      ),
    ] as [(Range<Int>, [String], String, Int32, String)])
  func `what cannot be filled in is told`(
    known: Range<Int>, texts: [String], rule: String, status: Int32, message: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      let result = try await run(
        files(known: known, texts: texts),
        Self.arguments + (rule == "text" ? Self.fromText : [rule]) + ["--output", "out"],
        in: directory)
      #expect(result.status == .exited(status))
      #expect(result.error == message)
    }
  }

  @Test func `texts are needed for vectors from texts`() async throws {
    try await withTemporaryDirectory { directory in
      let result = try await runStage(
        "h2rec-preprocess",
        ["--interactions", "log", "--output", "out", "--missing-vectors", "text"], in: directory)
      #expect(result.status == .exited(64))
      #expect(
        result.error.contains(
          "'--missing-vectors text' needs '--items', '--vectors' and '--text-vectors' above 0."))
    }
  }
}
