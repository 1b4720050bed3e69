internal import Numerics

/// The number of items whose vector some other item has as well, bit for bit.
///
/// No tokenizer can tell such items apart.
func duplicateVectorCount(_ vectors: Matrix) -> Int {
  let rows = 0..<vectors.rows
  var buckets: [UInt64: [Int]] = [:]
  for row in rows {
    // FNV-1a over the numbers; equality is checked below.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for value in vectors[row: row] { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3 }
    buckets[hash, default: []].append(row)
  }
  return buckets.values.reduce(0) { total, bucket in
    guard bucket.count > 1 else { return total }
    return total
      + bucket.count { row in
        bucket.contains { $0 != row && vectors[row: $0] == vectors[row: row] }
      }
  }
}
