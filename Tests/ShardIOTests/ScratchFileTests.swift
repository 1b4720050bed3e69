import ShardIO
import SystemPackage
import TestSupport
import Testing

struct `Temporary files` {
  @Test func `have no name from the start`() throws {
    try withTemporaryDirectory { directory in
      let file = try ScratchFile(in: directory)
      _ = try file.write([1, 2, 3])
      #expect(try contents(of: directory).isEmpty)
    }
  }

  @Test func `give back what was written, whole, in parts and overwritten`() throws {
    try withTemporaryDirectory { directory in
      let file = try ScratchFile(in: directory)
      let first = try file.write((0..<1000).map { UInt32($0) })
      var second = try file.write([-1, 2, -3] as [Int64])
      #expect(try file.read(first, 990..<1000) == (990..<1000).map { UInt32($0) })
      try file.rewrite([7, 8], &second)
      #expect(try file.read(second, 0..<second.count) == [7, 8])
      #expect(try file.read(first, 0..<first.count) == (0..<1000).map { UInt32($0) })
      #expect(file.byteCount == 4024)
    }
  }

  @Test func `need a directory that can be written`() throws {
    try withTemporaryDirectory { directory in
      let missing = directory.appending("missing")
      let error = #expect(throws: PipelineError.self) { try ScratchFile(in: missing) }
      #expect(error?.kind == .cannotCreate)
      #expect(error?.description.contains("missing") == true)
    }
  }
}

struct `Tables made shard by shard` {
  @Test func `are cut where whole tables are cut`() throws {
    try withEvery("seed", in: 0..<3) { seed in
      var random = SeededGenerator(seed: seed)
      let rows = (0..<Int.random(in: 1..<60, using: &random)).map { _ in
        [UInt64](repeating: 7, count: Int.random(in: 0..<400_000, using: &random))
      }
      let table = Table(
        kind: "rows", rowCount: rows.count, columns: [.ragged("row", RaggedArray(rows))])
      let whole = TableSource(table)
      let made = TableSource(kind: "rows", rowByteCounts: rows.map { 8 + 8 * $0.count }) { range in
        Table(
          kind: "rows", rowCount: range.count,
          columns: [.ragged("row", RaggedArray(Array(rows[range])))])
      }
      try #require(made.shardCount == whole.shardCount)
      for index in 0..<made.shardCount {
        try #require(try made.table(index) == whole.table(index))
      }
    }
  }
}
