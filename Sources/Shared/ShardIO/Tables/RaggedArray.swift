/// Rows of different lengths in two flat arrays.
///
/// Row `i` is `values[offsets[i]..<offsets[i + 1]]`; there is one offset more than there are rows, and the
/// first is 0.
public struct RaggedArray<Element: Sendable>: Sendable {
  /// Where each row begins in ``values``, and where the last one ends.
  public private(set) var offsets: [Int]
  /// The elements of all rows, one row after another.
  public private(set) var values: [Element]

  /// Creates an array without rows.
  public init() {
    offsets = [0]
    values = []
  }

  /// Creates an array from its parts without copying them.
  ///
  /// - Precondition: `offsets` begins with 0, never decreases and ends with `values.count`.
  public init(offsets: [Int], values: [Element]) {
    precondition(offsets.first == 0 && offsets.last == values.count)
    var isSorted = true
    for index in 1..<offsets.count where offsets[index] < offsets[index - 1] { isSorted = false }
    precondition(isSorted, "the offsets of a ragged array never decrease")
    self.offsets = offsets
    self.values = values
  }

  /// Creates an array of rows that hold nothing.
  public init(emptyRows count: Int) {
    self.init(offsets: [Int](repeating: 0, count: count + 1), values: [])
  }

  /// Creates an array from rows.
  public init(_ rows: [[Element]]) {
    self.init()
    reserveCapacity(rows: rows.count, values: rows.reduce(0) { $0 + $1.count })
    for row in rows { append(contentsOf: row) }
  }

  /// The number of rows.
  public var count: Int { offsets.count - 1 }

  /// The positions of row `index` in ``values``.
  public func range(of index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }

  /// Row `index`; a slice whose indices are those of ``values``.
  public subscript(index: Int) -> ArraySlice<Element> { values[range(of: index)] }

  /// Appends one row.
  public mutating func append(contentsOf row: some Sequence<Element>) {
    values.append(contentsOf: row)
    offsets.append(values.count)
  }

  /// Makes room, so that appending up to these totals moves nothing.
  public mutating func reserveCapacity(rows: Int, values valueCount: Int) {
    offsets.reserveCapacity(rows + 1)
    values.reserveCapacity(valueCount)
  }
}

extension RaggedArray: Equatable where Element: Equatable {}
