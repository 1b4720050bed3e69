internal import Dataset
internal import ShardIO
internal import TextInput

/// Reads a .npy file of item vectors and the list of the items that its rows belong to.
struct VectorReader {
  /// The items of the rows.
  let ids: IdentifierTable
  private let stream: ByteStream
  private let header: NumpyHeader

  /// Opens both files and checks that they fit together.
  ///
  /// - Parameters:
  ///   - vectors: a .npy file, shape (items, width).
  ///   - idList: one item id a line, in the order of the rows.
  /// - Throws: ``PipelineError``: `.missingInput`, or `.dataFormat` if a file is damaged or the counts differ.
  init(vectors: String, idList: String) throws(PipelineError) {
    stream = try ByteStream(vectors)
    header = try NumpyHeader(try Self.peekHeader(stream), path: stream.name)
    ids = try Self.readIDs(idList)
    guard header.rowCount == ids.count else {
      throw PipelineError(
        .dataFormat, "found \(header.rowCount) vectors, but \(ids.count) ids in \(idList)",
        at: .init(path: stream.name), note: "row i of the vectors belongs to line i of the ids")
    }
  }

  /// The first bytes of the file, as many as its header claims to have.
  private static func peekHeader(_ stream: ByteStream) throws(PipelineError) -> [UInt8] {
    let start = try stream.peek(NumpyHeader.prefixByteCount)
    return try stream.peek(NumpyHeader.claimedByteCount(start))
  }

  private static func readIDs(_ path: String) throws(PipelineError) -> IdentifierTable {
    let stream = try ByteStream(path)
    var chunks = ChunkReader(stream, hasQuotes: false)
    var ids = IdentifierTable()
    var line = 0
    while let chunk = try chunks.next() {
      let bytes = chunk.bytes.span
      var position = chunk.index == 0 && chunk.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
      while position < bytes.count {
        var end = position
        while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
        line += 1
        let hasReturn = end > position && bytes[end - 1] == UInt8(ascii: "\r")
        let range = position..<(hasReturn ? end - 1 : end)
        let place = PipelineError.Location(path: stream.name, line: line, column: 1)
        if let bad = firstInvalidUTF8(bytes, range) {
          throw PipelineError(
            .dataFormat, "the id is not UTF-8",
            at: .init(path: stream.name, line: line, column: bad - position + 1))
        }
        if range.isEmpty { throw PipelineError(.dataFormat, "the item id is empty", at: place) }
        guard ids.insert(bytes, range) == line - 1 else {
          let text = String(decoding: range.map { bytes[$0] }, as: UTF8.self)
          throw PipelineError(.dataFormat, "the id \(quoted(text)) is there twice", at: place)
        }
        position = min(end + 1, bytes.count)
      }
    }
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
    let rowByteCount = header.width * header.element.byteCount
    var values = [Float](repeating: 0, count: count * header.width)
    var skipped = [UInt8](repeating: 0, count: header.byteCount)
    _ = try stream.fill(&skipped, from: 0)
    let rowsPerBlock = max(1, min(header.rowCount, (1 << 20) / rowByteCount))
    var block = [UInt8](repeating: 0, count: rowsPerBlock * rowByteCount)
    var row = 0
    while row < header.rowCount {
      let rows = min(rowsPerBlock, header.rowCount - row)
      if rows < rowsPerBlock { block.removeLast((rowsPerBlock - rows) * rowByteCount) }
      let found = try stream.fill(&block, from: 0)
      guard found == block.count else {
        throw refuse(
          "the file ends early, expected \(header.rowCount) vectors", row, found / rowByteCount)
      }
      for offset in 0..<rows {
        guard let target = targets[row + offset] else { continue }
        try decode(block, offset, row, into: &values, at: Int(target) * header.width)
      }
      row += rows
    }
    var surplus: [UInt8] = [0]
    guard try stream.fill(&surplus, from: 0) == 0 else {
      throw refuse("the file goes on after its \(header.rowCount) vectors", row, 0)
    }
    return ItemVectors(values: values, width: header.width)
  }

  private func refuse(_ message: String, _ row: Int, _ offset: Int) -> PipelineError {
    let byte = header.byteCount + (row + offset) * header.width * header.element.byteCount
    return PipelineError(.dataFormat, message, at: .init(path: stream.name, byteOffset: byte))
  }

  private func decode(
    _ block: [UInt8], _ offset: Int, _ firstRow: Int, into values: inout [Float], at start: Int
  ) throws(PipelineError) {
    let size = header.element.byteCount
    let base = offset * header.width * size
    for column in 0..<header.width {
      var bits: UInt64 = 0
      for byte in (0..<size).reversed() {
        bits = bits << 8 | UInt64(block[base + column * size + byte])
      }
      let value: Float =
        switch header.element {
        case .float16: Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits)))
        case .float32: Float(bitPattern: UInt32(truncatingIfNeeded: bits))
        case .float64: Float(Double(bitPattern: bits))
        }
      guard value.isFinite else {
        throw refuse(
          "the vector of item \(quoted(ids.text(UInt32(firstRow + offset)))) has the number \(value) at place \(column + 1), expected a finite one",
          firstRow, offset)
      }
      values[start + column] = value
    }
  }
}
