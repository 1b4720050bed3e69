import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import ShardIO

/// Files made by hand after the format's document (Tests/Golden/make_golden.py): the good are read, the bad refused.
@Suite struct GoldenTests {
  private static let directory = packageDirectory.appending("Tests/Golden")
  private static let good = shards("good")
  private static let bad = shards("bad")

  private static func shards(_ folder: FilePath.Component) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: directory.appending(folder).string)
    return (names ?? []).filter { $0.hasSuffix(".h2s") }.sorted()
  }

  @Test func `there are golden files`() {
    #expect(Self.good.count >= 7 && Self.bad.count >= 60)
  }

  @Test(arguments: good) func `a good shard has the rows beside it`(name: String) throws {
    let path = Self.directory.appending("good").appending(name)
    let table = try Table(shard: readWholeFile(path), path: name)
    let rows = try readWholeFile(FilePath(path.string.dropLast(4) + ".jsonl"))
    let expected = try String(decoding: rows, as: UTF8.self).split(separator: "\n").map {
      try JSONValue(parsing: Array($0.utf8), path: name)
    }
    #expect(table.rowCount == expected.count)
    #expect(try Self.rows(table) == expected)
    #expect(try Table(shardContents: table.shardContents(), path: name) == table)
  }

  @Test(arguments: bad) func `a bad shard is refused with the message beside it`(
    name: String
  )
    throws
  {
    let path = Self.directory.appending("bad").appending(name)
    let message = FilePath(path.string.dropLast(4) + ".message")
    let bytes = try readWholeFile(path)
    let error = try #require(throws: PipelineError.self) { try Table(shard: bytes, path: name) }
    #expect(error.kind == .dataFormat)
    #expect(error.location?.byteOffset != nil)
    if ProcessInfo.processInfo.environment["H2REC_RECORD"] != nil {
      try write(Array("\(error)\n".utf8), to: message)
    }
    #expect(try "\(error)\n" == String(decoding: readWholeFile(message), as: UTF8.self))
  }

  @Test(.enabled(if: hasProgram("python3") && hasProgram("zstd"), "needs python3 and zstd"))
  func `the independent reader refuses the bad shards too`() async throws {
    let script = packageDirectory.appending("Scripts/read_shard.py").string
    let paths = Self.bad.map { Self.directory.appending("bad").appending($0).string }
    let result = try await runProgram(
      .name("python3"), ["-S", script, "--check"] + paths, in: Self.directory)
    #expect(result.status == .exited(65))
    let lines = result.output.split(separator: "\n")
    for path in paths {
      let line = lines.first { $0.hasPrefix("\(path): ") }
      #expect(line != nil && line?.contains(" rows of ") == false, "\(path)")
    }
  }

  /// The rows of a table as JSON.
  private static func rows(_ table: Table) throws -> [JSONValue] {
    let columns = try table.columns.map { column in (column.name, try values(table, column)) }
    return (0..<table.rowCount).map { row in
      .object(Dictionary(uniqueKeysWithValues: columns.map { ($0.0, $0.1[row]) }))
    }
  }

  private static func values(_ table: Table, _ column: Column) throws -> [JSONValue] {
    switch column.shape {
    case .strings: return try table.strings(column.name).map { .string($0) }
    case .stringLists:
      return try table.stringLists(column.name).map { .array($0.map { .string($0) }) }
    case .fixed, .ragged: break
    }
    let numbers = numbers(column.values)
    if column.shape == .fixed && column.width == 1 { return numbers }
    return (0..<table.rowCount).map { row in
      let start = column.shape == .fixed ? row * column.width : column.offsets[row]
      let end = column.shape == .fixed ? start + column.width : column.offsets[row + 1]
      return .array(Array(numbers[start..<end]))
    }
  }

  private static func numbers(_ values: ColumnValues) -> [JSONValue] {
    switch values {
    case .uint8(let values): values.map { JSONValue($0) }
    case .uint16(let values): values.map { JSONValue($0) }
    case .uint32(let values): values.map { JSONValue($0) }
    case .uint64(let values): values.map { JSONValue($0) }
    case .int32(let values): values.map { JSONValue($0) }
    case .int64(let values): values.map { JSONValue($0) }
    // A number without a fraction is an integer in JSON.
    case .float(let values): values.map { number(Double($0)) }
    case .double(let values): values.map { number($0) }
    }
  }

  private static func number(_ value: Double) -> JSONValue {
    Int64(exactly: value).map { .integer($0) } ?? .number(value)
  }
}
