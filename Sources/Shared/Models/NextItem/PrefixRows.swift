internal import Dataset
internal import Numerics
internal import ShardIO
internal import Tape

/// The rows of a table for the prefixes of codes: `(c₁)`, `(c₁, c₂)` and so on, each at a place that its hash gives.
///
/// Prefixes may share a row, the seldom the larger the table is; one that training never saw has a row, too, which is then that of another
/// prefix or the one it began with.
struct PrefixRows: Sendable {
  /// The rows of the table.
  let count: Int

  /// The smallest power of two that is at least four times the number of different prefixes of some codes, so that about one in eight
  /// shares its row.
  static func size(for codes: ItemCodes) -> Int {
    var seen: Set<ArraySlice<UInt16>> = []
    for item in 0..<codes.count {
      let tuple = codes.tuple(of: item)
      for length in 1...codes.levelCount { seen.insert(tuple.prefix(length)) }
    }
    var size = 1
    while size < 4 * seen.count { size *= 2 }
    return size
  }

  /// The row of a prefix.
  func row(_ prefix: ArraySlice<UInt16>) -> UInt32 {
    UInt32(shortHash(prefix.span, seed: UInt64(prefix.count)) % UInt64(count))
  }

  /// The rows of each item, one for each length of a prefix, `[I · M]`.
  func rows(of codes: ItemCodes) -> [UInt32] {
    (0..<codes.count).flatMap { item in
      let tuple = codes.tuple(of: item)
      return (1...codes.levelCount).map { row(tuple.prefix($0)) }
    }
  }

  /// Gives a prefix the start of its last code, so that items begin as the means of their codes; where prefixes share a row, the first
  /// one's.
  ///
  /// - Parameters:
  ///   - table: the rows, `[count, d]`, which have random values.
  ///   - codeVectors: the start of the codes, `[Σ K, d]`.
  ///   - codes: of all items.
  func start(_ table: EmbeddingTable, from codeVectors: EmbeddingTable, _ codes: ItemCodes) {
    let own = codes.rows
    var isSet = [Bool](repeating: false, count: count)
    for (place, row) in rows(of: codes).enumerated() where !isSet[Int(row)] {
      isSet[Int(row)] = true
      let first = Int(own[place]) * table.width
      table.values.set(
        codeVectors.values.array(first..<first + table.width), at: Int(row) * table.width)
    }
  }
}
