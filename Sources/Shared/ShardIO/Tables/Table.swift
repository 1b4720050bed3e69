/// Columns of equal length under one name; what a shard stores.
public struct Table: Sendable {
  /// What the rows are, for example `sequences`; 1 to 64 characters of `a–z 0–9 - _`.
  public let kind: String
  /// The number of rows.
  public let rowCount: Int
  /// The columns in file order.
  public let columns: [Column]
  /// The file that the table came from, for messages.
  package var source: PipelineError.Location?

  /// Creates a table.
  ///
  /// - Precondition: every column has `rowCount` rows, and no name occurs twice.
  public init(kind: String, rowCount: Int, columns: [Column]) {
    precondition(ShardFormat.isValidName(kind.utf8), "a table's kind is 1 to 64 of a-z 0-9 - _")
    precondition(columns.count <= ShardFormat.maximumColumnCount)
    precondition(columns.allSatisfy { $0.rowCount == rowCount }, "columns differ in length")
    precondition(Set(columns.map(\.name)).count == columns.count, "two columns have one name")
    self.kind = kind
    self.rowCount = rowCount
    self.columns = columns
  }

  /// The numbers of a fixed column, row-major, shape `[rows, width]`.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if there is no such column of this type.
  public func fixed<Element: ShardElement>(
    _ name: String, as type: Element.Type = Element.self
  ) throws(PipelineError) -> [Element] {
    let column = try column(name, .fixed)
    guard let values = Element.values(of: column.values) else { throw wrongType(column, type) }
    return values
  }

  /// The numbers of a row of a fixed column.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if there is no such column.
  public func width(of name: String) throws(PipelineError) -> Int {
    try column(name, .fixed).width
  }

  /// The rows of a ragged column.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if there is no such column of this type.
  public func ragged<Element: ShardElement>(
    _ name: String, as type: Element.Type = Element.self
  ) throws(PipelineError) -> RaggedArray<Element> {
    let column = try column(name, .ragged)
    guard let values = Element.values(of: column.values) else { throw wrongType(column, type) }
    return RaggedArray(offsets: column.offsets, values: values)
  }

  /// The rows of a column of strings.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if there is no such column.
  public func strings(_ name: String) throws(PipelineError) -> [String] {
    let column = try column(name, .strings)
    return Self.strings(column.offsets, column.values)
  }

  /// The rows of a column of lists of strings.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if there is no such column.
  public func stringLists(_ name: String) throws(PipelineError) -> [[String]] {
    let column = try column(name, .stringLists)
    let strings = Self.strings(column.innerOffsets, column.values)
    return (0..<rowCount).map { Array(strings[column.offsets[$0]..<column.offsets[$0 + 1]]) }
  }

  /// Whether there is a column with this name.
  public func hasColumn(_ name: String) -> Bool { columns.contains { $0.name == name } }

  private func column(_ name: String, _ shape: ColumnShape) throws(PipelineError) -> Column {
    guard let column = columns.first(where: { $0.name == name }) else {
      throw .missingColumn(name, table: kind, at: source)
    }
    guard column.shape == shape else {
      throw .columnShape(name, found: column.shape, expected: shape, at: source)
    }
    return column
  }

  private func wrongType(_ column: Column, _ type: (some ShardElement).Type) -> PipelineError {
    .columnType(column.name, found: column.values.type, expected: "\(type)", at: source)
  }

  private static func strings(_ offsets: [Int], _ values: ColumnValues) -> [String] {
    guard case .uint8(let bytes) = values else { return [] }
    return unsafe bytes.withUnsafeBufferPointer { buffer in
      (0..<offsets.count - 1).map { index in
        unsafe String(decoding: buffer[offsets[index]..<offsets[index + 1]], as: UTF8.self)
      }
    }
  }
}

extension Table: Equatable {
  /// Whether kind and columns are equal, bit for bit; where the tables came from does not matter.
  public static func == (left: Table, right: Table) -> Bool {
    left.kind == right.kind && left.rowCount == right.rowCount && left.columns == right.columns
  }
}
