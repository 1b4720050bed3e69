extension Table {
  /// The table as the decompressed contents of a shard.
  package func shardContents() -> [UInt8] {
    let buffers = columns.map(Self.encoded)
    var header = header(buffers)
    header.resize(to: ShardFormat.aligned(header.count))
    let total = buffers.joined().reduce(header.count) { $0 + ShardFormat.aligned($1.byteCount) }
    header.replace(24, with: UInt64(total))
    return unsafe filled(total) { target in
      unsafe target.copyBytes(from: header)
      var offset = header.count
      for buffer in buffers.joined() {
        unsafe buffer.stored.withBytes { source in
          unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
        }
        let end = offset + buffer.byteCount
        offset = ShardFormat.aligned(end)
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[end..<offset])
          .initializeMemory(as: UInt8.self, repeating: 0)
      }
    }
  }

  /// The table as a shard file: one zstd frame.
  ///
  /// - Throws: ``PipelineError`` `.internalError` if zstd cannot get its memory.
  package func shard() throws(PipelineError) -> [UInt8] {
    try Zstandard.compressed(shardContents(), level: 3)
  }

  /// The rows of `range` as a table of their own.
  package func rows(_ range: Range<Int>) -> Table {
    guard range != 0..<rowCount else { return self }
    var table = Table(
      kind: kind, rowCount: range.count, columns: columns.map { $0.rows(range) })
    table.source = source
    return table
  }

  private func header(_ buffers: [[EncodedBuffer]]) -> [UInt8] {
    var bytes = ShardFormat.magic
    bytes.append(little: ShardFormat.version)
    bytes.append(little: UInt32(columns.count))
    bytes.append(little: UInt64(rowCount))
    bytes.append(little: UInt64(0))
    bytes.append(name: kind)
    for (column, buffers) in zip(columns, buffers) {
      bytes.append(name: column.name)
      bytes.append(column.values.type.rawValue)
      bytes.append(column.shape.rawValue)
      bytes.append(little: UInt32(column.width))
      for buffer in buffers {
        bytes.append(buffer.encoding.rawValue)
        bytes.append(little: UInt64(buffer.count))
        bytes.append(little: UInt64(buffer.byteCount))
      }
    }
    return bytes
  }

  private static func encoded(_ column: Column) -> [EncodedBuffer] {
    var buffers: [ColumnValues] = []
    if column.shape != .fixed { buffers.append(.int64(column.offsets.map(Int64.init))) }
    if column.shape == .stringLists { buffers.append(.int64(column.innerOffsets.map(Int64.init))) }
    return (buffers + [column.values]).map(EncodedBuffer.init)
  }
}

extension Column {
  /// The rows of `range`.
  func rows(_ range: Range<Int>) -> Column {
    if shape == .fixed {
      return Column(
        name: name, shape: .fixed, width: width,
        values: values[(range.lowerBound * width)..<(range.upperBound * width)])
    }
    let (outer, inside) = Self.rebased(offsets, range)
    if shape == .stringLists {
      let (inner, bytes) = Self.rebased(innerOffsets, inside)
      return Column(
        name: name, shape: shape, offsets: outer, innerOffsets: inner, values: values[bytes])
    }
    return Column(name: name, shape: shape, offsets: outer, values: values[inside])
  }

  private static func rebased(_ offsets: [Int], _ range: Range<Int>) -> ([Int], Range<Int>) {
    let first = offsets[range.lowerBound]
    let part = offsets[range.lowerBound...range.upperBound].map { $0 - first }
    return (part, first..<offsets[range.upperBound])
  }
}

extension ColumnValues {
  /// The elements of `range` as an array of their own.
  package subscript(range: Range<Int>) -> ColumnValues {
    guard range != 0..<count else { return self }
    switch self {
    case .uint8(let values): return .uint8(Array(values[range]))
    case .uint16(let values): return .uint16(Array(values[range]))
    case .uint32(let values): return .uint32(Array(values[range]))
    case .uint64(let values): return .uint64(Array(values[range]))
    case .int32(let values): return .int32(Array(values[range]))
    case .int64(let values): return .int64(Array(values[range]))
    case .float(let values): return .float(Array(values[range]))
    case .double(let values): return .double(Array(values[range]))
    }
  }
}

extension [UInt8] {
  /// Appends an integer, least significant byte first.
  mutating func append(little value: some FixedWidthInteger & UnsignedInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// Overwrites the bytes at `offset` with an integer, least significant byte first.
  mutating func replace(_ offset: Int, with value: UInt64) {
    for index in 0..<8 { self[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }

  /// Appends the length of a name and the name.
  mutating func append(name: String) {
    append(little: UInt16(name.utf8.count))
    append(contentsOf: name.utf8)
  }

  /// Appends zeros up to `count` bytes.
  mutating func resize(to count: Int) {
    append(contentsOf: repeatElement(0, count: count - self.count))
  }
}
