/// Distinct byte strings, numbered 0, 1, 2, … in ascending order of their bytes.
public struct SortedIdentifiers: Sendable {
  private var arena: [UInt8] = []
  private var ends: [Int] = []

  /// Creates a list without strings.
  public init() {}

  /// The number of strings.
  public var count: Int { ends.count }

  /// The bytes of a string.
  public subscript(number: UInt32) -> ArraySlice<UInt8> { arena[range(of: Int(number))] }

  /// A string as text; bytes that are no UTF-8 are replaced.
  public func text(_ number: UInt32) -> String { String(decoding: self[number], as: UTF8.self) }

  /// The number of a string; nil if it is not there.
  public func find(_ string: [UInt8]) -> UInt32? {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[UInt32(middle)].lexicographicallyPrecedes(string) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < count && self[UInt32(low)].elementsEqual(string) ? UInt32(low) : nil
  }

  /// The length of a string in bytes.
  public func byteCount(of number: UInt32) -> Int { range(of: Int(number)).count }

  /// Sorts the strings of a table.
  ///
  /// - Returns: the strings, and for each number of the table the number here.
  public static func sorting(_ table: IdentifierTable) -> (Self, ranks: [UInt32]) {
    let order = table.sortedNumbers()
    var sorted = Self()
    sorted.ends.reserveCapacity(order.count)
    sorted.arena.reserveCapacity(table.byteCount)
    var ranks = [UInt32](repeating: 0, count: order.count)
    for (rank, number) in order.enumerated() {
      sorted.append(table[number])
      ranks[Int(number)] = UInt32(rank)
    }
    return (sorted, ranks)
  }

  /// Joins two lists.
  ///
  /// - Returns: the strings of both, and for each number of the one and of the other the number here.
  public static func merging(
    _ first: Self, _ second: Self
  ) -> (Self, first: [UInt32], second: [UInt32]) {
    var merged = Self()
    merged.arena.reserveCapacity(max(first.arena.count, second.arena.count))
    merged.ends.reserveCapacity(max(first.count, second.count))
    var ranks = (first: [UInt32](), second: [UInt32]())
    ranks.first.reserveCapacity(first.count)
    ranks.second.reserveCapacity(second.count)
    while ranks.first.count < first.count || ranks.second.count < second.count {
      let (left, right) = (ranks.first.count, ranks.second.count)
      let order =
        left == first.count
        ? 1 : right == second.count ? -1 : first.compare(left, second, right)
      let next = UInt32(merged.count)
      merged.append(order <= 0 ? first[UInt32(left)] : second[UInt32(right)])
      if order <= 0 { ranks.first.append(next) }
      if order >= 0 { ranks.second.append(next) }
    }
    return (merged, ranks.first, ranks.second)
  }

  private mutating func append(_ string: ArraySlice<UInt8>) {
    arena.append(contentsOf: string)
    ends.append(arena.count)
  }

  private func range(of number: Int) -> Range<Int> {
    (number == 0 ? 0 : ends[number - 1])..<ends[number]
  }

  /// Below zero, zero or above zero, as a string comes before, is or comes after one of another list.
  private func compare(_ number: Int, _ other: Self, _ otherNumber: Int) -> Int {
    let left = range(of: number)
    let right = other.range(of: otherNumber)
    for offset in 0..<min(left.count, right.count) {
      let difference =
        Int(arena[left.lowerBound + offset]) - Int(other.arena[right.lowerBound + offset])
      if difference != 0 { return difference }
    }
    return left.count - right.count
  }
}
