internal import Dataset
internal import ShardIO
internal import TextInput

/// Reads the rows of a matrix from a binary file, one block after another.
struct NumericReader {
  let stream: ByteStream
  let layout: NumericLayout
  /// The items of the rows, for messages.
  let ids: IdentifierTable

  /// Reads the vectors of some items; see ``VectorReader/read(_:count:)``.
  func read(_ targets: [UInt32?], count: Int) throws(PipelineError) -> ItemVectors {
    // A damaged header must not claim memory for numbers that the file does not have.
    if let found = stream.byteCount,
      found - layout.byteOffset < layout.rowCount * layout.rowByteCount
    {
      throw endsEarly(max(0, found - layout.byteOffset) / layout.rowByteCount)
    }
    var values = [Float](repeating: 0, count: count * layout.width)
    try skip(layout.byteOffset)
    let rowsPerBlock = max(1, min(layout.rowCount, (1 << 20) / layout.rowByteCount))
    var block = [UInt8](repeating: 0, count: rowsPerBlock * layout.rowByteCount)
    var row = 0
    while row < layout.rowCount {
      let rows = min(rowsPerBlock, layout.rowCount - row)
      if rows < rowsPerBlock { block.removeLast((rowsPerBlock - rows) * layout.rowByteCount) }
      let found = try stream.fill(&block, from: 0)
      guard found == block.count else {
        throw endsEarly(row + found / layout.rowByteCount)
      }
      for offset in 0..<rows {
        guard let target = targets[row + offset] else { continue }
        try decode(block, offset, row + offset, into: &values, at: Int(target) * layout.width)
      }
      row += rows
    }
    return ItemVectors(values: values, width: layout.width)
  }

  /// Requires that nothing follows the numbers, as it must not in a .npy file.
  func requireEnd() throws(PipelineError) {
    var surplus: [UInt8] = [0]
    guard try stream.fill(&surplus, from: 0) == 0 else {
      throw refuse("the file goes on after its \(layout.rowCount) vectors", layout.rowCount)
    }
  }

  private func skip(_ count: Int) throws(PipelineError) {
    var left = count
    while left > 0 {
      var bytes = [UInt8](repeating: 0, count: min(left, 1 << 20))
      let found = try stream.fill(&bytes, from: 0)
      if found == 0 { return }
      left -= found
    }
  }

  private func endsEarly(_ row: Int) -> PipelineError {
    refuse("the file ends early, expected \(layout.rowCount) vectors", row)
  }

  private func refuse(_ message: String, _ row: Int) -> PipelineError {
    let byte = layout.byteOffset + row * layout.rowByteCount
    return PipelineError(.dataFormat, message, at: .init(path: stream.name, byteOffset: byte))
  }

  private func decode(
    _ block: [UInt8], _ offset: Int, _ row: Int, into values: inout [Float], at start: Int
  ) throws(PipelineError) {
    let size = layout.element.byteCount
    let base = offset * layout.rowByteCount
    for column in 0..<layout.width {
      var bits: UInt64 = 0
      for byte in (0..<size).reversed() {
        bits = bits << 8 | UInt64(block[base + column * size + byte])
      }
      let value = layout.element.value(bits)
      guard value.magnitude <= NumericLayout.maximumMagnitude else {
        let expectation = value.isFinite ? "one of at most 1e15" : "a finite one"
        throw refuse(
          """
          the vector of item \(quoted(ids.text(UInt32(row)))) has the number \(value) at place \
          \(column + 1), expected \(expectation)
          """, row)
      }
      values[start + column] = value
    }
  }
}
