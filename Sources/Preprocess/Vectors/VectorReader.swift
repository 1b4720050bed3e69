internal import Dataset
internal import ShardIO
internal import TextInput

/// Reads item vectors: .npy, .npz, safetensors, or text with an id in each row.
struct VectorReader {
  /// The items of the rows.
  let ids: IdentifierTable
  private let name: String
  private let source: Source
  /// What is left of what it was given.
  let budget: MemoryBudget

  private enum Source {
    case binary(ByteStream, NumericLayout, isLast: Bool)
    case memory([Float], width: Int)
  }

  /// Opens the vectors and checks that they fit the ids.
  ///
  /// - Parameters:
  ///   - vectors: the file of the vectors; its format is told from its first bytes.
  ///   - idList: one item id a line, in the order of the rows; nil if the vectors have ids of their own.
  ///   - field: the name of the array, the tensor or the JSON list; nil for the only one or the usual names.
  ///   - budget: what the vectors may take, unpacked, with what they are unpacked from.
  /// - Throws: `PipelineError`: `.missingInput`; `.dataFormat` if a file is damaged or the counts differ; `.usage` if no ids
  ///   are given for a format without them; `.configuration` if they are more than the budget.
  init(
    vectors: String, idList: String?, field: String?, budget: MemoryBudget = MemoryBudget()
  ) throws(PipelineError) {
    var budget = budget
    let stream = try ByteStream(table: vectors, as: .jsonLines)
    name = stream.name
    let start = try stream.peek(NumpyHeader.prefixByteCount)
    let listed = idList == nil ? nil : try Self.readIDs(idList ?? "", &budget)
    var own: IdentifierTable?
    let rowCount: Int
    if start.starts(with: NumpyHeader.magic) {
      try Self.requireNoField(field, ".npy", name)
      let layout = try Self.numpyLayout(stream)
      (source, rowCount) = (.binary(stream, layout, isLast: true), layout.rowCount)
    } else if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
      let archive = try VectorArchive(
        stream, field: field, needsIDs: listed == nil, budget: &budget)
      (source, rowCount) = (
        .binary(archive.stream, archive.layout, isLast: true), archive.layout.rowCount
      )
      own = archive.ids
    } else if let count = SafetensorsHeader.claimedByteCount(start) {
      let header = try SafetensorsHeader(try stream.peek(count), path: name)
      let layout = try header.layout(field, path: name)
      (source, rowCount) = (.binary(stream, layout, isLast: false), layout.rowCount)
    } else {
      guard start.allSatisfy({ $0 >= 0x20 || [0x09, 0x0A, 0x0D].contains($0) }) else {
        throw PipelineError(
          .dataFormat,
          "this is no file of vectors: expected .npy, .npz, safetensors, JSON lines or CSV",
          at: .init(path: name, byteOffset: 0))
      }
      if start.first(where: { $0 > 0x20 }) != UInt8(ascii: "{") {
        try Self.requireNoField(field, "CSV", name)
      }
      let text = try TextVectors(stream, field: field, budget: &budget)
      (source, rowCount) = (.memory(text.values, width: text.width), text.ids.count)
      own = text.ids
    }
    guard let ids = listed ?? own else {
      throw PipelineError(
        .usage, "the vectors have no ids", at: .init(path: name),
        note: "give a file with the id of each row with --vector-ids")
    }
    guard rowCount == ids.count else {
      throw PipelineError(
        .dataFormat, "found \(rowCount) vectors, but \(ids.count) ids in \(idList ?? name)",
        at: .init(path: name), note: "row i of the vectors belongs to line i of the ids")
    }
    self.ids = ids
    self.budget = budget
  }

  /// Refuses the name of an array for a format in which arrays have none.
  private static func requireNoField(
    _ field: String?, _ format: String, _ name: String
  ) throws(PipelineError) {
    guard field != nil else { return }
    throw PipelineError(
      .usage, "'--vector-field' has no use for vectors in \(format), which have no names",
      at: .init(path: name), note: "leave it out")
  }

  /// The layout of a .npy file, from as many bytes as its header claims to have.
  static func numpyLayout(_ stream: ByteStream) throws(PipelineError) -> NumericLayout {
    let start = try stream.peek(NumpyHeader.prefixByteCount)
    let bytes = try stream.peek(NumpyHeader.claimedByteCount(start))
    return try NumpyHeader(bytes, path: stream.name).layout(path: stream.name)
  }

  private static func readIDs(
    _ path: String, _ budget: inout MemoryBudget
  ) throws(PipelineError) -> IdentifierTable {
    let list = try IdentifierList(path, budget: budget)
    var ids = IdentifierTable()
    for (index, line) in list.lines.enumerated() {
      let place = PipelineError.Location(path: list.path, line: line.number, column: 1)
      guard line.number == index + 1 else {
        throw PipelineError(
          .dataFormat, "the item id is empty",
          at: .init(path: list.path, line: index + 1, column: 1))
      }
      let known = ids.count
      guard ids.insert(line.id.utf8) == known else {
        throw PipelineError(.dataFormat, "the id \(quoted(line.id)) is there twice", at: place)
      }
    }
    try budget.take(ids.memoryByteCount, for: "ids", of: list.path)
    return ids
  }

  /// Reads the vectors of some items.
  ///
  /// - Parameters:
  ///   - targets: for each row of the file the row of the result, or nil if the item is not needed.
  ///   - count: the rows of the result.
  /// - Returns: the vectors in 32 bits.
  /// - Throws: ``PipelineError``: `.dataFormat` if a number is not finite, or the file is longer or shorter than its header says.
  func read(_ targets: [UInt32?], count: Int) throws(PipelineError) -> ItemVectors {
    switch source {
    case .binary(let stream, let layout, let isLast):
      try takeRoom(count, layout.width)
      let reader = NumericReader(stream: stream, layout: layout, ids: ids)
      let vectors = try reader.read(targets, count: count)
      if isLast { try reader.requireEnd() }
      return vectors
    case .memory(let rows, let width):
      try takeRoom(count, width)
      var values = [Float](repeating: 0, count: count * width)
      for (row, target) in targets.enumerated() {
        guard let target else { continue }
        let start = Int(target) * width
        values.replaceSubrange(start..<start + width, with: rows[row * width..<(row + 1) * width])
      }
      return ItemVectors(values: values, width: width)
    }
  }

  /// Requires room for rows of 32-bit numbers; the counts are those of headers, so their product may be anything.
  private func takeRoom(_ count: Int, _ width: Int) throws(PipelineError) {
    let (size, overflow) = count.multipliedReportingOverflow(by: 4 * width)
    var budget = budget
    try budget.take(overflow ? .max : size, for: "vectors", of: name)
  }
}
