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
      let lines = result.output.split(separator: "\n").dropFirst()
      #expect(lines.count == tables.reduce(0) { $0 + 1 + $1.columns.count })
      let expected = tables.flatMap(Self.dump)
      for (line, wanted) in zip(lines, expected) {
        var found = try JSONValue(parsing: Array(line.utf8), path: "python")
        if case .object(var members) = found, members["kind"] != nil {
          members["columns"] = nil
          found = .object(members)
        }
        try #require(found == wanted)
      }
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
      let found = try result.output.split(separator: "\n").dropFirst().map {
        try JSONValue(parsing: Array($0.utf8), path: "python")
      }
      #expect(found == Array(Self.dump(table).dropFirst()))
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

  /// What `--hex` must print for a table, line by line.
  private static func dump(_ table: Table) -> [JSONValue] {
    let head: JSONValue = ["kind": .string(table.kind), "rows": JSONValue(table.rowCount)]
    return [head]
      + table.columns.map { column in
        var buffers: [[UInt8]] = []
        if column.shape != .fixed { buffers.append(bytes(column.offsets)) }
        if column.shape == .stringLists { buffers.append(bytes(column.innerOffsets)) }
        buffers.append(column.values.withBytes { Array($0) })
        let shape = column.shape == .stringLists ? "string-lists" : "\(column.shape)"
        return [
          "name": .string(column.name), "type": .string("\(column.values.type)"),
          "shape": .string(shape), "width": JSONValue(column.width),
          "buffers": .array(buffers.map { .string(hexadecimal($0)) }),
        ]
      }
  }

  private static func bytes(_ offsets: [Int]) -> [UInt8] { offsets.withUnsafeBytes { Array($0) } }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
