import SystemPackage
import TestSupport
import Testing

@testable import ShardIO

/// Shards give back what was written, and refuse everything else with the place.
@Suite struct ShardTests {
  @Test func `a table of any schema is read as it was written`() throws {
    try withEvery("seed", in: 0..<400) { seed in
      let table = RandomTable.make(seed: seed)
      try #require(try Table(shard: table.shard(), path: "x") == table)
    }
  }

  @Test func `many rows are read as they were written`() throws {
    try withEvery("seed", in: 0..<20) { seed in
      let table = RandomTable.make(seed: seed, maximumRowCount: 20_000)
      try #require(try Table(shard: table.shard(), path: "x") == table)
    }
  }

  @Test func `equal tables are equal bytes`() throws {
    try withEvery("seed", in: 0..<20) { seed in
      let first = try RandomTable.make(seed: seed).shard()
      try #require(try RandomTable.make(seed: seed).shard() == first)
    }
  }

  @Test func `a table cut into shards is put together again`() throws {
    try withEvery("seed", in: 0..<100) { seed in
      let table = RandomTable.make(seed: seed)
      let ranges = table.shardRanges(target: 100)
      try #require(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == table.rowCount)
      let parts = ranges.map { table.rows($0) }
      try #require(try Table(joining: parts) == table)
    }
  }

  @Test func `a shard cut at any length is refused`() throws {
    try withEvery("seed", in: 0..<12) { seed in
      let shard = try RandomTable.make(seed: seed).shard()
      for count in shard.indices {
        let read = try tableOrRefusal { try Table(shard: Array(shard[..<count]), path: "x") }
        try #require(read == nil)
      }
    }
  }

  @Test func `decompressed contents cut at any length are refused`() throws {
    try withEvery("seed", in: 0..<12) { seed in
      let contents = RandomTable.make(seed: seed).shardContents()
      for count in contents.indices {
        let read = try tableOrRefusal {
          try Table(shardContents: Array(contents[..<count]), path: "x")
        }
        try #require(read == nil)
      }
    }
  }

  @Test func `a shard with any bit flipped is refused or says the same`() throws {
    try withEvery("seed", in: 0..<8) { seed in
      let table = RandomTable.make(seed: seed, maximumRowCount: 10)
      let shard = try table.shard()
      for bit in 0..<(8 * shard.count) {
        var damaged = shard
        damaged[bit / 8] ^= 1 << (bit % 8)
        if let read = try tableOrRefusal({ try Table(shard: damaged, path: "x") }) {
          try #require(read == table, "bit \(bit)")
        }
      }
    }
  }

  /// Here no checksum helps: a flipped value is a value.
  ///
  /// What must not happen is a trap, or a table that breaks its rules.
  @Test func `decompressed contents with any bit flipped are refused or are a table`() throws {
    try withEvery("seed", in: 0..<10) { seed in
      let contents = RandomTable.make(seed: seed, maximumRowCount: 10).shardContents()
      for bit in 0..<(8 * contents.count) {
        var damaged = contents
        damaged[bit / 8] ^= 1 << (bit % 8)
        let read = try tableOrRefusal {
          try Table(shardContents: damaged, path: "x", limit: 1 << 24)
        }
        if let read {
          try #require(Table(shardContents: read.shardContents(), path: "x") == read)
        }
      }
    }
  }

  /// What `body` reads, or `nil` if it refuses with a place; any other failure fails the test.
  private func tableOrRefusal(_ body: () throws -> Table) throws -> Table? {
    do {
      return try body()
    } catch let error as PipelineError {
      try #require(error.kind == .dataFormat && error.location?.byteOffset != nil, "\(error)")
      return nil
    }
  }
}
