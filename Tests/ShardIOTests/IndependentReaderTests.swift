import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import ShardIO

/// `Scripts/read_shard.py`, which knows the format from its document alone, reads what we write.
@Suite(
  .enabled(if: hasProgram("python3") && hasProgram("zstd"), "needs python3 and zstd on the path"))
struct IndependentReaderTests {
  private static let script = packageDirectory.appending("Scripts/read_shard.py").string

  @Test(arguments: [[], ["-S"]])
  func `every buffer of every schema is read alike, with NumPy and without`(
    options: [String]
  )
    async throws
  {
    try await withTemporaryDirectory { directory in
      let tables = (0..<60).map { RandomTable.make(seed: $0, maximumRowCount: 3000) }
      var output = try StageOutput(directory: directory, stage: "random")
      for table in tables { try output.write(table) }
      try output.commit(configuration: [:], inputs: [], counters: [:])

      let result = try await python([directory.string, "--hex"], options, in: directory)
      #expect(result.status == .exited(0), "\(result.error)")
      let found = try parsedDump(result.output).dropFirst()
      let expected = tables.flatMap(hexadecimalDump)
      #expect(found.count == expected.count)
      for (line, wanted) in zip(found, expected) { try #require(line == wanted) }
    }
  }

  @Test func `the shards of a table are joined alike`() async throws {
    try await withTemporaryDirectory { directory in
      let first = StageDirectoryTests.table
      var output = try StageOutput(directory: directory, stage: "random")
      for _ in 0..<3 { try output.write(first) }
      try output.commit(configuration: [:], inputs: [], counters: [:])

      let result = try await python([directory.string, "items", "--hex"], in: directory)
      #expect(result.status == .exited(0), "\(result.error)")
      let table = try StageInput(directory: directory, expecting: "random").table("items")
      #expect(try parsedDump(result.output) == hexadecimalDump(of: table))
    }
  }

  @Test func `rows are what a person expects`() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory.appending("items.h2s")
      try write(StageDirectoryTests.table.shard(), to: path)
      let result = try await python([path.string, "--rows"], in: directory)
      #expect(
        result.output.split(separator: "\n").dropFirst() == [
          #"{"item-id": "a", "vector": [1.0, 2.0], "neighbours": [1, 2], "categories": ["x", "y"]}"#,
          #"{"item-id": "ß", "vector": [3.0, 4.0], "neighbours": [], "categories": []}"#,
          #"{"item-id": "", "vector": [5.0, 6.0], "neighbours": [3], "categories": ["z"]}"#,
        ])
    }
  }

  @Test func `a damaged shard is refused with its offset`() async throws {
    try await withTemporaryDirectory { directory in
      var contents = StageDirectoryTests.table.shardContents()
      contents[8] = 9
      let path = directory.appending("items.h2s")
      try write(Zstandard.compressed(contents, level: 3), to: path)
      let result = try await python([path.string], in: directory)
      #expect(result.status == .exited(65))
      #expect(
        result.error
          == "read_shard.py: \(path): byte 8, decompressed: format version 9, this program reads 1\n"
      )
    }
  }

  /// Runs the reader; the option `-S` hides installed packages from Python.
  private func python(
    _ arguments: [String], _ options: [String] = [], in directory: FilePath
  ) async throws -> StageResult {
    try await runProgram(
      .name("python3"), options + [Self.script] + arguments, in: directory)
  }
}
