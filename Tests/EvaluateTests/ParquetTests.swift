import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Evaluate

/// Lists as Parquet files, which duckdb writes.
@Suite(.serialized) struct `Lists in Parquet` {
  private func evaluate(
    _ arguments: [String], in directory: FilePath, path: String? = nil
  ) async throws -> StageResult {
    let path = path ?? ProcessInfo.processInfo.environment["PATH"] ?? ""
    return try await runStage(
      "h2rec-evaluate", arguments + ["--quiet"], in: directory, environment: ["PATH": path])
  }

  private let lists = SmallShop.inputs + ["--recommend", "3", "--recommend-titles", "--output"]
  private let parquet = ["--recommend-format", "parquet"]

  @Test func `are made of the rows of CSV, and part of the output as any file`() async throws {
    try await withTemporaryDirectory { directory in
      try await SmallShop.prepare(directory)
      let programs = directory.appending("bin")
      try FileManager.default.createDirectory(
        atPath: programs.string, withIntermediateDirectories: true)
      let none = try await evaluate(lists + ["4p"] + parquet, in: directory, path: programs.string)
      #expect(none.status == .exited(78) && none.error.contains("pip install duckdb-cli"))
      let script = "#!/bin/sh\ncat > \(directory)/rows\nprintf '%s' \"$5\" > \(directory)/words\n"
      let standIn = programs.appending("duckdb")
      try write(Array((script + "seq 100000\n").utf8), to: standIn)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: standIn.string)
      let path = "\(programs):/usr/bin:/bin"
      let made = try await evaluate(lists + ["4p"] + parquet, in: directory, path: path)
      try #require(made.status == .exited(0), "\(made.error)")
      try #require(try await evaluate(lists + ["4"], in: directory).status == .exited(0))
      let text = try StageInput(directory: directory.appending("4"), expecting: "evaluate")
      let table = try StageInput(directory: directory.appending("4p"), expecting: "evaluate")
      #expect(try readWholeFile(directory.appending("rows")) == text.file("recommendations.csv"))
      let numbers = (1...100_000).map { "\($0)\n" }.joined()
      #expect(try table.file("recommendations.parquet") == Array(numbers.utf8))
      let words = String(
        decoding: try readWholeFile(directory.appending("words")), as: UTF8.self)
      #expect(
        words.contains(
          "columns = {'user_id': 'varchar', 'rank': 'integer', 'item_id': 'varchar', 'score': 'float', 'title': 'varchar'}"
        ))
      for useless in [["--recommend-compression", "gzip"], ["--csv-guard"]] {
        let refused = try await evaluate(lists + ["4q"] + parquet + useless, in: directory)
        #expect(refused.status == .exited(64))
      }
    }
  }

  @Test(.enabled(if: hasProgram("duckdb"), "duckdb is not installed: pip install duckdb-cli"))
  func `hold the rows that CSV has`() async throws {
    try await withTemporaryDirectory { directory in
      try await SmallShop.prepare(directory)
      for (output, more) in [("4", []), ("4p", parquet)] {
        let result = try await evaluate(lists + [output] + more, in: directory)
        try #require(result.status == .exited(0), "\(result.error)")
      }
      let types = "types = {'user_id': 'varchar', 'item_id': 'varchar', 'score': 'float'}"
      let result = try await runProgram(
        .name("duckdb"),
        [
          "-no-init", "-csv", "-noheader", ":memory:", "-c",
          """
          create view a as from read_csv('4/recommendations.csv', \(types));
          create view b as from read_parquet('4p/recommendations.parquet');
          select count(*), (select count(*) from b), (select count(*) from (from a except all from b)) from a
          """,
        ], in: directory)
      let counts = result.output.split { ",\n\r".contains($0) }.map { Int($0) ?? -1 }
      #expect(counts.count == 3 && counts[0] > 100 && counts[0] == counts[1] && counts[2] == 0)
    }
  }
}
