/// A table whose rows are made when they are written, so that it need not be in memory whole.
public struct TableSource: Sendable {
  /// What the rows are, see ``Table/kind``.
  public let kind: String
  /// The rows of each shard.
  let shards: [Range<Int>]
  private let rows: @Sendable (Range<Int>) throws(PipelineError) -> Table

  /// The rows of a table that is in memory.
  public init(_ table: Table) {
    kind = table.kind
    shards = table.shardRanges()
    rows = { range throws(PipelineError) in table.rows(range) }
  }

  /// Rows that are made on demand.
  ///
  /// - Parameters:
  ///   - kind: what the rows are.
  ///   - rowByteCounts: for each row the bytes that its columns take in memory, offsets included, see ``Table/byteCount``.
  ///   - rows: makes the rows of a range; called from several threads, once for each shard.
  public init(
    kind: String, rowByteCounts: [Int],
    rows: @escaping @Sendable (Range<Int>) throws(PipelineError) -> Table
  ) {
    self.kind = kind
    self.rows = rows
    var shards: [Range<Int>] = []
    var first = 0
    var byteCount = 0
    for (row, count) in rowByteCounts.enumerated() {
      if row > first, byteCount + count > ShardFormat.targetByteCount {
        shards.append(first..<row)
        first = row
        byteCount = 0
      }
      byteCount += count
    }
    shards.append(first..<rowByteCounts.count)
    self.shards = shards
  }

  /// The number of shards, at least 1.
  package var shardCount: Int { shards.count }

  /// The rows of a shard.
  ///
  /// - Throws: ``PipelineError`` of the closure that makes the rows.
  package func table(_ index: Int) throws(PipelineError) -> Table { try rows(shards[index]) }

  /// The bytes of a shard.
  ///
  /// - Throws: ``PipelineError`` of the closure that makes the rows.
  package func shard(_ index: Int) throws(PipelineError) -> [UInt8] {
    try table(index).shard()
  }
}
