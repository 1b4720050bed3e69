import ArgumentParser
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Preprocess

/// No option is taken that would change nothing.
struct `Options without use` {
  private static let required = ["--interactions", "log.csv", "--output", "out"]

  /// Options and the message that refuses them.
  static let refused: [([String], String)] = [
    (["--held-out", "2"], "'--held-out' needs '--split last'."),
    (["--title-field", "name"], "'--title-field' needs '--items'."),
    (["--text", "{title}"], "'--text' needs '--items'."),
    (["--missing-items", "drop"], "'--missing-items' needs '--items'."),
    (["--text-vectors", "64"], "'--text-vectors' needs '--items'."),
    (["--items", "i", "--missing-vectors", "drop"], "'--missing-vectors' needs '--vectors'."),
    (
      ["--items", "i", "--vectors", "v", "--text-vectors", "64"],
      "'--text-vectors' with '--vectors' needs '--missing-vectors text'."
    ),
    (
      ["--timestamp-format", "none", "--time-column", "at"],
      "'--timestamp-format none' has no use for '--time-column'; leave it out."
    ),
    (
      ["--timestamp-format", "none", "--from", "2014-01-01"],
      "'--timestamp-format none' has no use for '--from'; leave it out."
    ),
    (
      [
        "--timestamp-format", "none", "--split", "time", "--valid-from", "0.8", "--test-from",
        "2014-01-01",
      ], "'--test-from' must be a quantile such as 0.8 with '--timestamp-format none'."
    ),
    (
      ["--format", "jsonl", "--delimiter", ";"],
      "'--format jsonl' has no use for '--delimiter'; leave it out."
    ),
    (
      ["--format", "movielens", "--no-header"],
      "'--format movielens' has no use for '--no-header'; leave it out."
    ),
    (["--rating-column", "stars"], "'--rating-column' needs '--minimum-rating'."),
    (["--event-column", "kind"], "'--event-column' needs '--events'."),
    (
      ["--pairs", "none", "--pair-count", "9"],
      "'--pairs none' has no use for '--pair-count'; leave it out."
    ),
    (
      ["--pairs", "decay", "--pair-minimum", "9"],
      "'--pairs decay' has no use for '--pair-minimum'; leave it out."
    ),
  ]

  @Test(arguments: refused)
  func `are refused`(options: [String], message: String) throws {
    let error = try #require(throws: (any Error).self) {
      try RunCommand.parse(Self.required + options)
    }
    #expect(RunCommand.message(for: error) == message)
    #expect(RunCommand.exitCode(for: error).rawValue == 64)
  }

  @Test(arguments: [
    ["--split", "last", "--held-out", "2"], ["--items", "i", "--text", "{title}"],
    ["--items", "i", "--text-vectors", "64"], ["--vectors", "v", "--text-vectors", "0"],
    ["--items", "i", "--vectors", "v", "--missing-vectors", "text", "--text-vectors", "64"],
    ["--timestamp-format", "none", "--split", "time", "--valid-from", "0.8", "--test-from", "0.9"],
    ["--format", "movielens", "--delimiter", ","],
    ["--minimum-rating", "4", "--rating-column", "stars"],
    ["--events", "buy", "--event-column", "kind"],
    ["--pairs", "ppmi", "--pair-minimum", "9"], ["--pairs", "decay", "--pair-window", "9"],
  ])
  func `are taken where they have one`(options: [String]) throws {
    _ = try RunCommand.parse(Self.required + options)
  }

  @Test(arguments: [
    (
      #"{"user_id":"u","item_id":"i","timestamp":1}"#, ["--delimiter", ";"],
      "error: this log is read as jsonl, which has no use for '--delimiter'"
    ),
    (
      #"{"user_id":"u","item_id":"i","timestamp":1}"#, ["--no-header"],
      "error: this log is read as jsonl, which has no use for '--no-header'"
    ),
    (
      "u::i::5::1", ["--no-header"],
      "error: this log is read as movielens, which has no use for '--no-header'"
    ),
    (
      "user_id,item_id,timestamp\nu,i,1", ["--vectors", "vectors", "--vector-field", "x"],
      "error: '--vector-field' has no use for vectors in CSV, which have no names"
    ),
  ])
  func `are refused when the log shows its format`(
    log: String, options: [String], message: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      try write(Array(log.utf8), to: directory.appending("log.csv"))
      try write(Array("i,1,2\n".utf8), to: directory.appending("vectors"))
      let result = try await runStage(
        "h2rec-preprocess", Self.required + options, in: directory)
      #expect(result.status == .exited(64))
      #expect(result.error.contains(message), "\(result.error)")
      #expect(try contents(of: directory).keys.sorted() == ["log.csv", "vectors"])
    }
  }
}
