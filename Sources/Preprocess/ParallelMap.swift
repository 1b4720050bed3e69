internal import Kernels
internal import Synchronization

/// Computes one value for each index, several at a time; the result is in the order of the indices.
func parallelMap<Value: Sendable>(
  _ count: Int, threads: Int, _ body: @Sendable (Int) -> Value
) -> [Value] {
  let results = Mutex([Value?](repeating: nil, count: count))
  parallelFor(count, threads: threads) { index in
    let value = body(index)
    results.withLock { $0[index] = value }
  }
  return results.withLock { $0.compactMap(\.self) }
}

/// Cuts rows into ranges of about equal work; the cut depends on the data alone.
///
/// `offsets` are the places where each row begins in the values, with the end of the last row.
func balancedRanges(_ offsets: [Int], valuesPerRange: Int = 1 << 18) -> [Range<Int>] {
  var ranges: [Range<Int>] = []
  var first = 0
  for row in 1..<max(offsets.count, 1)
  where offsets[row] - offsets[first] >= valuesPerRange || row == offsets.count - 1 {
    ranges.append(first..<row)
    first = row
  }
  return ranges
}
