import Dataset
import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Preprocess

/// Every format has a small file in Tests/Fixtures/formats; all of a kind say the same.
struct `Fixtures of formats` {
  private static let folder = fixtureDirectory.appending("formats")

  private static func path(_ name: String) -> String { folder.appending(name).string }

  private func preprocessed(_ arguments: [String]) async throws -> PreprocessedData {
    try await withTemporaryDirectory { directory in
      let result = try await runStage(
        "h2rec-preprocess",
        arguments + ["--user-core", "0", "--item-core", "0", "--output", "out"], in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      return try PreprocessedData(
        StageInput(directory: directory.appending("out"), expecting: "preprocess"))
    }
  }

  @Test(
    arguments: [
      ("comma.csv", []), ("quotes-crlf-bom.csv", []),
      (
        "semicolon-other-names.csv",
        [
          "--delimiter", ";", "--user-column", "who", "--item-column", "what", "--time-column", "1",
        ]
      ),
      ("no-header.csv", ["--no-header"]), ("tab.tsv", []), ("recbole.inter", []),
      ("movielens-ratings.dat", []), ("amazon-2014.json", []), ("amazon-2018.json", []),
      ("amazon-2023.jsonl", []), ("yelp-review.json", []),
      (
        "nested.jsonl",
        ["--user-column", "who.name", "--item-column", "what.sku.id", "--time-column", "at"]
      ),
      ("milliseconds.csv", []), ("microseconds.csv", []), ("nanoseconds.csv", []),
      ("iso8601.csv", []), ("two-members.csv.gz", []), ("two-members.csv.zst", []), ("parts", []),
      ("parts/part-?.csv", []),
      ("event-kinds.csv", ["--events", "view,cart=2", "buy=5", "--dedup", "first"]),
    ] as [(String, [String])])
  func `every format of a log gives the same events`(name: String, options: [String]) async throws {
    let data = try await preprocessed(["--interactions", Self.path(name)] + options)
    #expect(data.userIDs == ["anna", "bob", "čé"])
    #expect(data.catalogue.itemIDs == ["lamp", "chair", "sofa"])
    #expect((0..<3).map { Array(data.items[$0]) } == [[0, 1, 2], [0, 2], [0]])
    let days = (0..<3).map { data.times[$0].map { ($0 - 1_546_300_800) / 86400 } }
    #expect(days == [[0, 1, 3], [1, 2], [4]])
    #expect(data.times[0].first == 1_546_300_800)
  }

  @Test func `a log without times keeps its order`() async throws {
    let data = try await preprocessed([
      "--interactions", Self.path("no-times.csv"), "--timestamp-format", "none",
    ])
    #expect(data.catalogue.itemIDs == ["lamp", "chair", "sofa"])
    #expect((0..<3).map { Array(data.items[$0]) } == [[0, 1, 2], [0, 2], [0]])
  }

  @Test(arguments: ["items.jsonl", "items.csv", "items.item", "amazon-2023-meta.jsonl"])
  func `every format of items gives the same texts`(name: String) async throws {
    let data = try await preprocessed(
      ["--interactions", Self.path("comma.csv"), "--items", Self.path(name)])
    #expect(data.catalogue.titles == ["Desk lamp", "Chair", "Sofa \"Oslo\""])
    #expect(data.catalogue.categories == [["Home", "Lamps"], ["Home"], ["Home", "Seats"]])
    #expect(
      data.catalogue.texts == [
        "Desk lamp. Home, Lamps. Bright, and warm", "Chair. Home",
        "Sofa \"Oslo\". Home, Seats. Two seats",
      ])
  }

  @Test(
    arguments: [
      ("vectors-f2.npy", true, nil), ("vectors-f4.npy", true, nil), ("vectors-f8.npy", true, nil),
      ("vectors-deflated.npz", false, nil), ("vectors-two-arrays.npz", false, "vectors"),
      ("vectors-two-arrays.npz", true, "other"), ("vectors.safetensors", true, "half"),
      ("vectors.safetensors", true, "brain"), ("vectors.safetensors", true, "single"),
      ("vectors.safetensors", true, "double"), ("vectors.jsonl", false, nil),
      ("vectors.csv", false, nil), ("vectors.tsv", false, nil),
    ] as [(String, Bool, String?)])
  func `every format of vectors gives the same numbers`(
    name: String, needsIDs: Bool, field: String?
  ) async throws {
    let data = try await preprocessed(
      ["--interactions", Self.path("comma.csv"), "--vectors", Self.path(name)]
        + (needsIDs ? ["--vector-ids", Self.path("vector-ids.txt")] : [])
        + (field.map { ["--vector-field", $0] } ?? []))
    #expect(data.vectors == ItemVectors(values: [0, 1, 2, 3, 4, 5], width: 2))
  }

  /// The cells of the rows of the tables in Documentation/YourData.md that name a fixture.
  private static func tableRows() throws -> [[Substring]] {
    let page = fixtureDirectory.removingLastComponent().removingLastComponent()
      .appending("Documentation").appending("YourData.md")
    let text = try String(contentsOfFile: page.string, encoding: .utf8)
    return text.split(separator: "\n").filter { $0.hasPrefix("|") }
      .map { $0.split(separator: " | ") }.filter { $0.count == 4 && $0[3].contains("`") }
  }

  private static func quoted(_ cell: Substring) -> [String] {
    cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }

  @Test func `the tables of formats name every fixture and tests that exist`() throws {
    let rows = try Self.tableRows()
    let named = Set(rows.flatMap { Self.quoted($0[2]) })
    let found = try contents(of: Self.folder).keys
    #expect(named == Set(found.map { $0.hasPrefix("parts/") ? "parts" : $0 }))
    let directory = FilePath(#filePath).removingLastComponent().string
    let tests = try FileManager.default.contentsOfDirectory(atPath: directory)
      .map { try String(contentsOfFile: "\(directory)/\($0)", encoding: .utf8) }.joined()
    for name in Set(rows.flatMap { Self.quoted($0[3]) }) {
      #expect(tests.contains("func `\(name)`"), "no test named '\(name)'")
    }
    #expect(rows.count > 20)
  }
}
