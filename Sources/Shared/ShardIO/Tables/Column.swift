/// A named column of a table: numbers, lists of numbers, strings, or lists of strings.
public struct Column: Sendable, Equatable {
  /// The name, 1 to 64 characters of `a–z 0–9 - _`.
  public let name: String
  /// How rows are cut out of the values.
  package let shape: ColumnShape
  /// The elements of a row of a fixed column; 0 for the other shapes.
  package let width: Int
  /// Where each row begins, for all shapes but fixed: in the values, or in ``innerOffsets`` for lists of strings.
  package let offsets: [Int]
  /// Where each string of a list begins in the values.
  package let innerOffsets: [Int]
  /// The elements, or the bytes of the strings.
  package let values: ColumnValues

  package init(
    name: String, shape: ColumnShape, width: Int = 0, offsets: [Int] = [],
    innerOffsets: [Int] = [], values: ColumnValues
  ) {
    precondition(ShardFormat.isValidName(name.utf8), "a column name is 1 to 64 of a-z 0-9 - _")
    self.name = name
    self.shape = shape
    self.width = width
    self.offsets = offsets
    self.innerOffsets = innerOffsets
    self.values = values
  }

  /// The number of rows.
  public var rowCount: Int { shape == .fixed ? values.count / width : offsets.count - 1 }

  /// A column of `width` numbers a row.
  ///
  /// - Parameters:
  ///   - name: the name of the column.
  ///   - values: row-major, shape `[rows, width]`.
  ///   - width: the numbers of a row, 1 to 2²⁰.
  /// - Returns: the column.
  /// - Precondition: `values.count` is a multiple of `width`.
  public static func fixed<Element: ShardElement>(
    _ name: String, _ values: [Element], width: Int = 1
  ) -> Column {
    precondition((1...ShardFormat.maximumWidth).contains(width) && values.count % width == 0)
    return Column(name: name, shape: .fixed, width: width, values: Element.erased(values))
  }

  /// A column of lists of numbers.
  public static func ragged<Element: ShardElement>(
    _ name: String, _ values: RaggedArray<Element>
  ) -> Column {
    Column(
      name: name, shape: .ragged, offsets: values.offsets, values: Element.erased(values.values))
  }

  /// A column of strings.
  public static func strings(_ name: String, _ values: [String]) -> Column {
    let (offsets, bytes) = flattened(values)
    return Column(name: name, shape: .strings, offsets: offsets, values: .uint8(bytes))
  }

  /// A column of lists of strings.
  public static func stringLists(_ name: String, _ values: [[String]]) -> Column {
    var offsets = [0]
    offsets.reserveCapacity(values.count + 1)
    var count = 0
    for list in values {
      count += list.count
      offsets.append(count)
    }
    let (innerOffsets, bytes) = flattened(values.joined())
    return Column(
      name: name, shape: .stringLists, offsets: offsets, innerOffsets: innerOffsets,
      values: .uint8(bytes))
  }

  private static func flattened(_ strings: some Sequence<String>) -> ([Int], [UInt8]) {
    var offsets = [0]
    offsets.reserveCapacity(strings.underestimatedCount + 1)
    var bytes: [UInt8] = []
    for string in strings {
      bytes.append(contentsOf: string.utf8)
      offsets.append(bytes.count)
    }
    return (offsets, bytes)
  }
}
