import ArgumentParser
import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Preprocess

/// A log with many equal times, as lines without a header.
private func lines(_ count: Int) -> [String] {
  (0..<count).map { index in
    "user-\(index * 7919 % 211),i\(index * index % 97),\(1_600_000_000 + index * 31 % 503)"
  }
}

struct `Memory of a run` {
  /// Everything that a run would write, and whether it took a temporary file.
  private func output(
    _ log: FilePath, _ options: [String], _ storage: EventStorage
  ) throws -> [String: [[UInt8]]] {
    let command = try RunCommand.parse(
      ["--interactions", log.string, "--dry-run", "--user-core", "3", "--item-core", "3"] + options)
    let run = PreprocessRun(
      input: command.input, filters: command.filters, derivation: command.derivation, seed: 1,
      threads: 2, storage: storage)
    let result = try run.compute(isQuiet: true)
    var files = ["counters": [try JSONValue.object(result.counters).json()]]
    for table in result.tables {
      files[table.kind] = try (0..<table.shardCount).map { try table.shard($0) }
    }
    return files
  }

  @Test(arguments: [
    ["--dedup", "first"], ["--maximum-history", "7", "--pair-window", "9"],
    ["--split", "time", "--valid-from", "0.7", "--test-from", "0.9"],
    ["--timestamp-format", "none", "--dedup", "last"],
    ["--one-pass-core", "--dedup", "consecutive"],
  ])
  func `does not change the output`(options: [String]) throws {
    try withTemporaryDirectory { directory in
      let log = directory.appending("log.csv")
      let text = (["user_id,item_id,timestamp"] + lines(60_000)).joined(separator: "\n") + "\n"
      try write(Array(text.utf8), to: log)
      let expected = try output(log, options, .unlimited)
      let narrow = EventStorage(limit: 250_000, directory: directory, reserve: 0)
      #expect(try output(log, options, narrow) == expected)
      // Blocks, runs and histories have all been in the file.
      #expect(narrow.fileByteCount > 60_000 * (16 + 16))
    }
  }

  @Test func `is freed on the disk, too, when the program is killed`() async throws {
    try await withTemporaryDirectory { directory in
      var text = Array("user_id,item_id,timestamp\n".utf8)
      let block = Array((lines(10_000).joined(separator: "\n") + "\n").utf8)
      for _ in 0..<80 { text += block }
      try write(text, to: directory.appending("log.csv"))
      try FileManager.default.createDirectory(
        atPath: directory.appending("scratch").string, withIntermediateDirectories: false)
      // The first moment at which the program has a temporary file, and some later ones.
      let script = """
        "$@" >/dev/null 2>&1 & program=$!
        until ls -l /proc/$program/fd 2>/dev/null | grep -q '/scratch/.*(deleted)'; do
          kill -0 $program 2>/dev/null || exit 1
        done
        sleep $DELAY; kill -KILL $program 2>/dev/null; wait $program; echo $?; ls -A scratch
        """
      let program = productsDirectory.appending("h2rec-preprocess").string
      var random = SeededGenerator(seed: 4)
      for round in 0..<4 {
        let delay = round == 0 ? 0 : Double.random(in: 0..<0.5, using: &random)
        let result = try await runProgram(
          .name("sh"),
          [
            "-c", script, "sh", program, "--interactions", "log.csv", "--memory", "64MiB",
            "--temporary-directory", "scratch", "--output", "out", "--user-core", "0",
          ], in: directory, environment: ["DELAY": "\(delay)"])
        // A fast machine may be done after a delay; nothing is left then, either.
        let isKilled = result.output == "137\n" || (round > 0 && result.output == "0\n")
        #expect(isKilled && result.status == .exited(0), "\(result)")
      }
    }
  }

  @Test func `that ids alone would fill is refused`() throws {
    try withTemporaryDirectory { directory in
      let log = directory.appending("log.csv")
      let text = (["user_id,item_id,timestamp"] + lines(100)).joined(separator: "\n") + "\n"
      try write(Array(text.utf8), to: log)
      let tiny = EventStorage(limit: 1000, directory: directory, reserve: 0)
      let error = #expect(throws: PipelineError.self) { try output(log, [], tiny) }
      #expect(error?.kind == .configuration)
    }
  }

  @Test(arguments: [
    ("64MiB", 64 << 20), ("4GiB", 4 << 30), ("70000KiB", 70_000 << 10),
  ])
  func `is a number with a unit`(text: String, byteCount: Int) {
    #expect(MemorySize(argument: text)?.byteCount == byteCount)
  }

  @Test(arguments: ["63MiB", "4", "4GB", "GiB", "-1GiB", "1.5GiB", "9999999999999GiB"])
  func `is nothing else`(text: String) {
    #expect(MemorySize(argument: text) == nil)
  }
}

struct `Files of a log` {
  /// The whole output for some files.
  private func output(_ files: [(String, [String])], threads: Int) async throws -> [String: [UInt8]]
  {
    try await withTemporaryDirectory { directory in
      try FileManager.default.createDirectory(
        atPath: directory.appending("log").string, withIntermediateDirectories: true)
      for (name, rows) in files {
        let text = (["user_id,item_id,timestamp"] + rows).joined(separator: "\n") + "\n"
        try write(Array(text.utf8), to: directory.appending("log").appending(name))
      }
      let result = try await runStage(
        "h2rec-preprocess",
        [
          "--interactions", "log", "--output", "out", "--dedup", "first", "--threads", "\(threads)",
        ],
        in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      return try contents(of: directory.appending("out"))
    }
  }

  @Test func `may be renamed, permuted, cut and shuffled`() async throws {
    let rows = lines(6000)
    let expected = try await output([("all.csv", rows)], threads: 1)
    let (first, second, third) = (
      Array(rows[..<1000]), Array(rows[1000..<1001]), Array(rows[1001...])
    )
    var random = SeededGenerator(seed: 3)
    let variants = [
      [("1.csv", first), ("2.csv", second), ("3.csv", third)],
      [("1.csv", third), ("2.csv", first), ("3.csv", second)],
      [("b.csv", rows.shuffled(using: &random))],
    ]
    for files in variants {
      #expect(try await output(files, threads: 2) == expected)
    }
  }
}
