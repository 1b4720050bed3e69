extension Table {
  /// The rows of each shard, so that the columns of a shard take about `target` bytes; at least one shard.
  package func shardRanges(target: Int = ShardFormat.targetByteCount) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var first = 0
    repeat {
      // The largest end whose rows fit; a row that is larger than the target is a shard of its own.
      var low = min(first + 1, rowCount)
      var high = rowCount
      while low < high {
        let middle = (low + high + 1) / 2
        if byteCount(first..<middle) <= target { low = middle } else { high = middle - 1 }
      }
      ranges.append(first..<low)
      first = low
    } while first < rowCount
    return ranges
  }

  /// The bytes that all columns take in memory, offsets included.
  public var byteCount: Int { byteCount(0..<rowCount) }

  private func byteCount(_ rows: Range<Int>) -> Int {
    columns.reduce(0) { $0 + $1.byteCount(rows) }
  }

  /// Puts the shards of a table together again, a column at a time, so that no more than one is in memory twice.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if their columns differ.
  package init(joining shards: [Table]) throws(PipelineError) {
    var parts = shards
    let kind = parts[0].kind
    let source = parts[0].source
    let rowCount = parts.reduce(0) { $0 + $1.rowCount }
    for part in parts {
      guard part.columns.elementsEqual(parts[0].columns, by: { $0.hasSchema(of: $1) }) else {
        throw .shardsDiffer(kind, part.source?.path ?? "")
      }
    }
    var pieces = parts[0].columns.indices.map { index in parts.map { $0.columns[index] } }
    parts = []
    var columns: [Column] = []
    for index in pieces.indices {
      columns.append(Column(joining: pieces[index]))
      pieces[index] = []
    }
    self.init(kind: kind, rowCount: rowCount, columns: columns)
    self.source = source
  }
}

extension Column {
  /// The bytes that the rows of `range` take, offsets included.
  fileprivate func byteCount(_ range: Range<Int>) -> Int {
    let size = values.type.byteCount
    if shape == .fixed { return range.count * width * size }
    let first = offsets[range.lowerBound]
    let last = offsets[range.upperBound]
    guard shape == .stringLists else { return 8 * range.count + (last - first) * size }
    return 8 * range.count + 8 * (last - first) + innerOffsets[last] - innerOffsets[first]
  }

  fileprivate func hasSchema(of other: Column) -> Bool {
    name == other.name && shape == other.shape && width == other.width
      && values.type == other.values.type
  }

  /// The rows of columns of one schema, one column after another.
  fileprivate init(joining parts: [Column]) {
    self.init(
      name: parts[0].name, shape: parts[0].shape, width: parts[0].width,
      offsets: Self.joined(parts.map(\.offsets)),
      innerOffsets: Self.joined(parts.map(\.innerOffsets)),
      values: ColumnValues(joining: parts.map(\.values)))
  }

  private static func joined(_ parts: [[Int]]) -> [Int] {
    guard parts[0].isEmpty == false else { return [] }
    var result = [0]
    result.reserveCapacity(parts.reduce(1) { $0 + $1.count - 1 })
    for part in parts {
      let base = result[result.count - 1]
      for offset in part.dropFirst() { result.append(base + offset) }
    }
    return result
  }
}

extension ColumnValues {
  /// The elements of arrays of one type, one array after another.
  fileprivate init(joining parts: [ColumnValues]) {
    let size = parts[0].type.byteCount
    unsafe self.init(parts[0].type, count: parts.reduce(0) { $0 + $1.count }) { target in
      var offset = 0
      for part in parts {
        unsafe part.withBytes { source in
          unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
        }
        offset += part.count * size
      }
    }
  }
}
