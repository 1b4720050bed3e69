public import ShardIO
public import SystemPackage

/// A change of one column of a table that leaves a valid shard: what another writer may get wrong.
public enum TableMutation: String, CaseIterable, Sendable {
  case zero
  case one
  case largest
  case notANumber
  case infinity
  case negative
  case huge
  case tiny
  case lastRowMissing
  case lastRowTwice
  case noRows
  case twiceAsWide
  case lastListShorter
  case rowsReversed
  case equalTexts
  case emptyTexts
  case columnMissing
  case otherType

  /// The changed table; nil where the change means nothing for this column.
  public func apply(to table: Table, column index: Int) -> Table? {
    let column = table.columns[index]
    switch self {
    case .zero, .one, .largest, .notANumber, .infinity, .negative, .huge, .tiny:
      guard column.shape == .fixed || column.shape == .ragged,
        let values = changed(column.values)
      else { return nil }
      return replacing(table, index, with(column, values: values))
    case .lastRowMissing:
      return table.rowCount > 1 ? table.rows(0..<table.rowCount - 1) : nil
    case .lastRowTwice: return selecting(table, Array(0..<table.rowCount) + [table.rowCount - 1])
    case .noRows: return table.rows(0..<0)
    case .rowsReversed: return replacingRows(table, index) { $0.reversed() }
    case .equalTexts, .emptyTexts:
      guard column.shape == .strings, let texts = try? table.strings(column.name) else {
        return nil
      }
      let text = self == .equalTexts ? texts.first ?? "" : ""
      return replacing(table, index, .strings(column.name, texts.map { _ in text }))
    case .twiceAsWide:
      guard column.shape == .fixed else { return nil }
      let rows = (0..<table.rowCount).flatMap { [$0, $0] }
      let doubled = selecting(column, rows)
      return replacing(
        table, index,
        Column(name: column.name, shape: .fixed, width: 2 * column.width, values: doubled.values))
    case .lastListShorter:
      guard column.shape == .ragged, let last = column.offsets.last, last > 0 else { return nil }
      return replacing(
        table, index,
        Column(
          name: column.name, shape: .ragged, offsets: column.offsets.map { min($0, last - 1) },
          values: column.values[0..<last - 1]))
    case .columnMissing:
      var columns = table.columns
      columns.remove(at: index)
      return Table(kind: table.kind, rowCount: table.rowCount, columns: columns)
    case .otherType:
      let zeros = [Double](repeating: 0, count: table.rowCount)
      return replacing(table, index, .fixed(column.name, zeros))
    }
  }

  /// The values with the last one changed, or all of them where a single one could hide.
  private func changed(_ values: ColumnValues) -> ColumnValues? {
    func last<Element>(_ values: [Element], _ value: Element) -> [Element]? {
      values.isEmpty ? nil : Array(values.dropLast()) + [value]
    }
    func integers<Element: FixedWidthInteger>(_ values: [Element]) -> [Element]? {
      switch self {
      case .zero: last(values, 0)
      case .one: last(values, 1)
      case .largest: last(values, .max)
      case .negative: Element.isSigned ? last(values, .min) : nil
      case .huge: last(values, .max / 2)
      default: nil
      }
    }
    func numbers<Element: BinaryFloatingPoint>(_ values: [Element]) -> [Element]? {
      switch self {
      case .zero: values.map { _ in 0 }
      case .one: last(values, 1)
      case .largest: last(values, .greatestFiniteMagnitude)
      case .notANumber: last(values, .nan)
      case .infinity: last(values, .infinity)
      case .negative: last(values, -1)
      case .huge: last(values, 1e20)
      case .tiny: values.map { $0 * 1e-25 }
      default: nil
      }
    }
    switch values {
    case .uint8(let values): return integers(values).map { .uint8($0) }
    case .uint16(let values): return integers(values).map { .uint16($0) }
    case .uint32(let values): return integers(values).map { .uint32($0) }
    case .uint64(let values): return integers(values).map { .uint64($0) }
    case .int32(let values): return integers(values).map { .int32($0) }
    case .int64(let values): return integers(values).map { .int64($0) }
    case .float(let values): return numbers(values).map { .float($0) }
    case .double(let values): return numbers(values).map { .double($0) }
    }
  }

  private func with(_ column: Column, values: ColumnValues) -> Column {
    Column(
      name: column.name, shape: column.shape, width: column.width, offsets: column.offsets,
      innerOffsets: column.innerOffsets, values: values)
  }

  private func replacing(_ table: Table, _ index: Int, _ column: Column) -> Table {
    var columns = table.columns
    columns[index] = column
    return Table(kind: table.kind, rowCount: table.rowCount, columns: columns)
  }

  private func replacingRows(
    _ table: Table, _ index: Int, _ order: ([Int]) -> [Int]
  ) -> Table {
    replacing(table, index, selecting(table.columns[index], order(Array(0..<table.rowCount))))
  }

  private func selecting(_ table: Table, _ rows: [Int]) -> Table? {
    guard table.rowCount > 0 else { return nil }
    return Table(
      kind: table.kind, rowCount: rows.count, columns: table.columns.map { selecting($0, rows) })
  }

  /// A column of some rows of another one, each as a table of its own that is joined again.
  private func selecting(_ column: Column, _ rows: [Int]) -> Column {
    let table = Table(kind: "x", rowCount: column.rowCount, columns: [column])
    guard let joined = try? Table(joining: rows.map { table.rows($0..<$0 + 1) }) else {
      return column
    }
    return joined.columns[0]
  }
}

/// A copy of a stage's output in which one table is another, with checksums that are right.
///
/// - Parameters:
///   - directory: the output; changed in place.
///   - stage: the stage that wrote it.
///   - table: what takes the place of the table of its kind.
/// - Returns: what later stages must have recorded.
/// - Throws: `PipelineError`.
public func replaceTable(
  in directory: FilePath, stage: String, with table: Table
) throws(PipelineError) -> StageReference {
  let input = try StageInput(directory: directory, expecting: stage)
  var manifest = input.manifest
  let bytes = try table.shard()
  let found = checksum(bytes)
  let name = "\(table.kind)-00000-\(found.prefix(16)).\(ShardFormat.fileExtension)"
  manifest.outputs.removeAll { $0.kind == table.kind && $0.rows != nil }
  manifest.outputs.append(
    Manifest.Output(
      name: name, kind: table.kind, bytes: bytes.count, rows: table.rowCount, checksum: found))
  return try replaceManifest(in: directory, manifest, file: (name, bytes))
}

/// Replaces the manifest of an output, and one of its files.
///
/// - Returns: what later stages must have recorded.
/// - Throws: `PipelineError`.
@discardableResult
public func replaceManifest(
  in directory: FilePath, _ manifest: Manifest, file: (name: String, bytes: [UInt8])? = nil
) throws(PipelineError) -> StageReference {
  let text = try manifest.json()
  do {
    if let file { try write(file.bytes, to: directory.appending(file.name)) }
    try write(text, to: directory.appending(Manifest.fileName))
  } catch {
    throw PipelineError(.inputOutput, "\(error)")
  }
  return StageReference(stage: manifest.stage, checksum: checksum(text))
}
