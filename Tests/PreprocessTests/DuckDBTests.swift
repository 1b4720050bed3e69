import Dataset
import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// The program with a script in place of duckdb, which shows what it is asked and answers what it is told to.
struct `A stand-in for duckdb` {
  private static let log =
    "user_id,item_id,timestamp\n"
    + (0..<6).map { "u\($0 % 2),i\($0 / 2),\($0)\n" }.joined()

  /// Runs preprocess on a file `log` with this script as duckdb; nil for none.
  private func run(
    _ script: String?, _ arguments: [String] = ["--interactions", "log.parquet"],
    in directory: FilePath
  ) async throws -> StageResult {
    try write(Array("PAR1 and more".utf8), to: directory.appending("log.parquet"))
    try write(Array(Self.log.utf8), to: directory.appending("answer"))
    let programs = directory.appending("bin")
    try FileManager.default.createDirectory(
      atPath: programs.string, withIntermediateDirectories: true)
    if let script {
      let path = programs.appending("duckdb")
      try write(Array("#!/bin/sh\n\(script)\n".utf8), to: path)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: path.string)
    }
    return try await runStage(
      "h2rec-preprocess",
      arguments + ["--user-core", "0", "--item-core", "0", "--output", "out", "--quiet"],
      in: directory, environment: ["PATH": "\(programs)" + (script == nil ? "" : ":/usr/bin:/bin")])
  }

  @Test func `is given one query and gives the rows`() async throws {
    try await withTemporaryDirectory { directory in
      let script = #"printf '%s\n' "$@" > words; cat answer"#
      let result = try await run(script, in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      let words = String(
        decoding: try readWholeFile(directory.appending("words")), as: UTF8.self)
      #expect(words.hasPrefix("-no-init\n-bail\n:memory:\n-c\nset enable_progress_bar = false;\n"))
      #expect(words.contains("copy (select * from read_parquet('log.parquet')\n) to '/dev/stdout'"))
      let data = try PreprocessedData(
        StageInput(directory: directory.appending("out"), expecting: "preprocess"))
      #expect(data.userIDs == ["u0", "u1"] && data.catalogue.itemIDs == ["i0", "i1", "i2"])
    }
  }

  @Test(
    arguments: [
      (
        "echo 'Binder Error: no such column' >&2; echo 'LINE 1: x' >&2; exit 1", 65,
        "error: duckdb: Binder Error: no such column\nnote: LINE 1: x\n"
      ),
      // It fails after all rows are there, and not because of them.
      (
        "cat answer; echo 'IO Error: connection lost' >&2; exit 1", 65,
        "error: duckdb: IO Error: connection lost\n"
      ),
      ("kill -9 $$", 65, "error: duckdb: ended with the status 9\n"),
      // More than a pipe holds.
      ("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1", 65, "error: duckdb: xxx"),
      (nil, 78, "error: Parquet and SQL need the program 'duckdb', which is not on the PATH\n"),
    ] as [(String?, Int32, String)])
  func `that fails leaves nothing behind`(
    script: String?, status: Int32, message: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      for (arguments, place) in [
        (["--interactions", "log.parquet"], "log.parquet"), (["--sql", "from x"], "<sql>"),
      ] {
        let result = try await run(script, arguments, in: directory)
        #expect(result.status == .exited(status), "\(result.error)")
        #expect(
          result.error.hasPrefix("h2rec-preprocess: \(place): \(message)"),
          "\(result.error.prefix(300))")
        let manifest = directory.appending("out").appending("manifest.json")
        #expect(!FileManager.default.fileExists(atPath: manifest.string))
      }
    }
  }

  @Test func `is stopped when its rows are not wanted`() async throws {
    try await withTemporaryDirectory { directory in
      let script = "echo $$ > pid; echo some,columns; while echo u,x; do :; done"
      let result = try await run(script, in: directory)
      #expect(result.status == .exited(65), "\(result.error)")
      #expect(result.error.contains("log.parquet:1: error: "), "\(result.error)")
      let text = String(decoding: try readWholeFile(directory.appending("pid")), as: UTF8.self)
      let process = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
      #expect(kill(process, 0) == -1)
    }
  }

  @Test func `is asked anew each time, and not for what other options give`() async throws {
    try await withTemporaryDirectory { directory in
      let words = ["--sql", "from events", "--if-needed"]
      for _ in 0..<2 {
        let result = try await run("cat answer", words, in: directory)
        #expect(result.status == .exited(0) && !result.output.contains("upToDate"))
      }
      let manifest = try readWholeFile(directory.appending("out").appending("manifest.json"))
      #expect(!String(decoding: manifest, as: UTF8.self).contains("from events"))
      for more in [
        ["--interactions", "log.parquet"], ["--data-folder", "."], ["--format", "csv"],
      ] {
        let result = try await run("cat answer", words + more, in: directory)
        #expect(result.status == .exited(64), "\(more)")
      }
    }
  }
}

@Suite(.enabled(if: hasProgram("duckdb"), "duckdb is not installed: pip install duckdb-cli"))
struct `The real duckdb` {
  private func duckdb(_ statements: String, in directory: FilePath) async throws -> String {
    let result = try await runProgram(
      .name("duckdb"), ["-no-init", "-bail", "-csv", ":memory:", "-c", statements], in: directory)
    try #require(result.status == .exited(0), "\(result.error)")
    return result.output
  }

  private func tables(_ output: FilePath) throws -> [String: [UInt8]] {
    try contents(of: output).filter { $0.key.hasSuffix(".h2s") }
  }

  @Test func `gives the output that CSV gives, from files, a folder and a database`() async throws {
    try await withTemporaryDirectory { directory in
      let shop = ["sample", "--output", "shop", "--users", "80", "--items", "50"]
      _ = try await runStage(
        "h2rec-preprocess", shop + ["--interactions", "900", "--quiet"], in: directory)
      _ = try await duckdb(
        """
        copy (select * from 'shop/interactions.csv') to 'log.parquet';
        copy (select * from 'shop/items.jsonl') to 'items.parquet';
        """, in: directory)
      try FileManager.default.createDirectory(
        atPath: directory.appending("parts").string, withIntermediateDirectories: true)
      for (part, rule) in [(1, "% 2 = 0"), (2, "% 2 = 1")] {
        _ = try await duckdb(
          "copy (select * from 'log.parquet' where timestamp \(rule)) to 'parts/\(part).parquet'",
          in: directory)
      }
      _ = try await duckdb(
        "attach 'shop.duckdb' as s; create table s.events as from 'log.parquet'", in: directory)
      let items = ["--items", "shop/items.jsonl"]
      let ways: [[String]] = [
        ["--interactions", "shop/interactions.csv"] + items,
        ["--interactions", "log.parquet"] + items, ["--interactions", "parts"] + items,
        ["--sql", "attach 'shop.duckdb' as s (read_only); select * from s.events"] + items,
        ["--interactions", "log.parquet", "--items", "items.parquet"],
      ]
      for (number, way) in ways.enumerated() {
        let result = try await runStage(
          "h2rec-preprocess", way + ["--output", "\(number)", "--quiet"], in: directory)
        try #require(result.status == .exited(0), "\(way): \(result.error)")
        let found = try tables(directory.appending("\(number)"))
        #expect(try !found.isEmpty && found == tables(directory.appending("0")), "\(way)")
      }
    }
  }

  @Test func `reads vectors, times and ids of Parquet as they are meant`() async throws {
    try await withTemporaryDirectory { directory in
      _ = try await duckdb(
        """
        copy (select '00' || (i % 3) as user_id, i // 3 as item_id,
          timestamptz '2024-02-03 04:05:06+00' + interval (i) second as timestamp
          from range(12) r(i)) to 'log.parquet';
        copy (select i as item_id, [i, i * i, 0.5]::float[] as vector from range(4) r(i))
          to 'vectors.parquet';
        """, in: directory)
      let result = try await runStage(
        "h2rec-preprocess",
        ["--interactions", "log.parquet", "--vectors", "vectors.parquet", "--user-core", "0"]
          + ["--item-core", "0", "--output", "1", "--quiet"], in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      let data = try PreprocessedData(
        StageInput(directory: directory.appending("1"), expecting: "preprocess"))
      #expect(data.userIDs == ["000", "001", "002"])
      #expect(Array(data.times[1]) == [1, 4, 7, 10].map { 1_706_933_106 + $0 })
      #expect(data.vectors?.values == [0, 0, 0.5, 1, 1, 0.5, 2, 4, 0.5, 3, 9, 0.5])
    }
  }
}
