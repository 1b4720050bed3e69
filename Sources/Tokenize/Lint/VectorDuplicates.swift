internal import Numerics
internal import ShardIO

/// The number of items whose vector some other item has as well, bit for bit.
///
/// No tokenizer can tell such items apart.
func duplicateVectorCount(_ vectors: Matrix) -> Int {
  var buckets: [UInt64: [Int]] = [:]
  for row in 0..<vectors.rows {
    buckets[shortHash(vectors[row: row].span), default: []].append(row)
  }
  return buckets.values.reduce(0) { total, bucket in
    guard bucket.count > 1 else { return total }
    return total
      + bucket.count { row in
        bucket.contains { $0 != row && vectors[row: $0] == vectors[row: row] }
      }
  }
}
