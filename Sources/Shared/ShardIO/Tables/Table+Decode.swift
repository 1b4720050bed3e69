/// What the header says of one buffer.
private struct BufferDescriptor {
  var encoding: BufferEncoding
  /// The number of elements, decoded.
  var count: Int
  /// The number of stored bytes.
  var byteCount: Int
}

/// What the header says of one column.
private struct ColumnDescriptor {
  var name: String
  var type: ElementType
  var shape: ColumnShape
  var width: Int
  var buffers: [BufferDescriptor]
}

extension Table {
  /// Reads a shard file and checks all of it.
  ///
  /// - Parameters:
  ///   - shard: the bytes of the file.
  ///   - path: its name, for messages.
  ///   - limit: the most decompressed bytes, and the most bytes of decoded columns.
  /// - Throws: ``PipelineError`` `.dataFormat` with the offset in the decompressed shard. Never traps, and never
  ///   allocates more than `limit`, whatever the bytes are.
  package init(
    shard: [UInt8], path: String, limit: Int = ShardFormat.maximumByteCount
  ) throws(PipelineError) {
    let contents = try Zstandard.decompressed(shard, path: path, limit: limit)
    try self.init(shardContents: contents, path: path, limit: limit)
  }

  /// Reads the decompressed contents of a shard.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` with the byte offset.
  package init(
    shardContents bytes: [UInt8], path: String, limit: Int = ShardFormat.maximumByteCount
  ) throws(PipelineError) {
    var cursor = ByteCursor(bytes, path: path)
    let (columnCount, rowCount) = try Self.fixedHeader(&cursor, byteCount: bytes.count)
    let kind = try cursor.name("name of the table")
    var descriptors: [ColumnDescriptor] = []
    var decodedByteCount = 0
    for _ in 0..<columnCount {
      let column = try Self.descriptor(&cursor, rowCount: rowCount)
      guard descriptors.allSatisfy({ $0.name != column.name }) else {
        throw cursor.refusal("column \(quoted(column.name)) occurs twice")
      }
      for (index, buffer) in column.buffers.enumerated() {
        let isOffsets = index < column.shape.offsetBufferCount
        decodedByteCount += buffer.count * (isOffsets ? 8 : column.type.byteCount)
        guard decodedByteCount <= limit else {
          throw cursor.refusal("the columns hold more than \(limit) bytes")
        }
      }
      descriptors.append(column)
    }
    try cursor.align("padding of the header")
    var columns: [Column] = []
    for descriptor in descriptors { columns.append(try Self.column(descriptor, &cursor)) }
    guard cursor.offset == bytes.count else {
      throw cursor.refusal("\(bytes.count - cursor.offset) bytes follow the last column")
    }
    self.init(kind: kind, rowCount: rowCount, columns: columns)
    source = PipelineError.Location(path: path)
  }

  /// Reads the part before the name: the numbers of columns and rows.
  private static func fixedHeader(
    _ cursor: inout ByteCursor, byteCount: Int
  ) throws(PipelineError) -> (columnCount: Int, rowCount: Int) {
    guard try Array(cursor.read(8, "magic")) == ShardFormat.magic else {
      throw cursor.refusal("the magic is not that of a shard", back: 8)
    }
    let version = try cursor.integer(UInt32.self, "format version")
    guard version == ShardFormat.version else {
      throw cursor.refusal(
        "format version \(version), this program reads \(ShardFormat.version)", back: 4)
    }
    let columnCount = try cursor.count(
      UInt32.self, "column count", limit: ShardFormat.maximumColumnCount)
    let rowCount = try cursor.count(UInt64.self, "row count", limit: ShardFormat.maximumRowCount)
    let declared = try cursor.integer(UInt64.self, "byte count")
    guard declared == UInt64(byteCount) else {
      throw cursor.refusal("byte count is \(declared), the shard has \(byteCount)", back: 8)
    }
    return (columnCount, rowCount)
  }

  private static func descriptor(
    _ cursor: inout ByteCursor, rowCount: Int
  ) throws(PipelineError) -> ColumnDescriptor {
    let name = try cursor.name("name of a column")
    let typeCode = try cursor.integer(UInt8.self, "element type")
    guard let type = ElementType(rawValue: typeCode) else {
      throw cursor.refusal("element type \(typeCode) is unknown", back: 1)
    }
    let shapeCode = try cursor.integer(UInt8.self, "column shape")
    guard let shape = ColumnShape(rawValue: shapeCode) else {
      throw cursor.refusal("column shape \(shapeCode) is unknown", back: 1)
    }
    guard type == .uint8 || shape == .fixed || shape == .ragged else {
      throw cursor.refusal("strings have elements of type \(type), expected uint8", back: 2)
    }
    let width = try cursor.count(UInt32.self, "width", limit: ShardFormat.maximumWidth)
    guard (width > 0) == (shape == .fixed) else {
      throw cursor.refusal("a column of shape \(shape) has width \(width)", back: 4)
    }
    var buffers: [BufferDescriptor] = []
    for index in 0...shape.offsetBufferCount {
      let isOffsets = index < shape.offsetBufferCount
      let buffer = try self.buffer(&cursor, isOffsets ? .int64 : type)
      let expected: Int? =
        if shape == .fixed { rowCount * width } else if index == 0 { rowCount + 1 } else { nil }
      guard expected == nil || buffer.count == expected else {
        throw cursor.refusal(
          "column \(quoted(name)) has \(buffer.count) elements, expected \(expected ?? 0)", back: 16
        )
      }
      buffers.append(buffer)
    }
    return ColumnDescriptor(name: name, type: type, shape: shape, width: width, buffers: buffers)
  }

  private static func buffer(
    _ cursor: inout ByteCursor, _ type: ElementType
  ) throws(PipelineError) -> BufferDescriptor {
    let elementByteCount = type.byteCount
    let code = try cursor.integer(UInt8.self, "encoding")
    guard let encoding = BufferEncoding(rawValue: code) else {
      throw cursor.refusal("encoding \(code) is unknown", back: 1)
    }
    guard encoding == .plain || type.canBePacked else {
      throw cursor.refusal("elements of type \(type) have encoding \(encoding)", back: 1)
    }
    let count = try cursor.count(
      UInt64.self, "element count", limit: ShardFormat.maximumByteCount / elementByteCount)
    let byteCount = try cursor.count(
      UInt64.self, "byte count of a buffer", limit: ShardFormat.maximumByteCount)
    guard encoding != .plain || byteCount == count * elementByteCount else {
      throw cursor.refusal(
        "\(count) elements take \(count * elementByteCount) bytes, not \(byteCount)", back: 8)
    }
    guard encoding == .plain || byteCount >= BitPacking.minimumByteCount(count) else {
      throw cursor.refusal("\(count) packed elements do not fit \(byteCount) bytes", back: 8)
    }
    return BufferDescriptor(encoding: encoding, count: count, byteCount: byteCount)
  }

  /// Decodes the buffers of a column.
  private static func column(
    _ descriptor: ColumnDescriptor, _ cursor: inout ByteCursor
  ) throws(PipelineError) -> Column {
    var offsets: [[Int]] = []
    for index in 0..<descriptor.shape.offsetBufferCount {
      let start = cursor.offset
      let buffer: [Int] = try integers(descriptor.buffers[index], &cursor)
      // The next buffer is what these offsets point into; offsets of lists point at the strings, one fewer than offsets.
      let isOuterOfTwo = index + 1 < descriptor.shape.offsetBufferCount
      let next = descriptor.buffers[index + 1].count - (isOuterOfTwo ? 1 : 0)
      guard buffer.first == 0, buffer.last == next, isSorted(buffer) else {
        throw cursor.refusal(
          "the offsets of column \(quoted(descriptor.name)) do not rise from 0 to \(next)",
          back: cursor.offset - start)
      }
      offsets.append(buffer)
    }
    let start = cursor.offset
    let values = try erasedValues(descriptor.type, descriptor.buffers[offsets.count], &cursor)
    let column = Column(
      name: descriptor.name, shape: descriptor.shape, width: descriptor.width,
      offsets: offsets.first ?? [], innerOffsets: offsets.count == 2 ? offsets[1] : [],
      values: values)
    if descriptor.shape == .strings || descriptor.shape == .stringLists,
      let position = column.firstInvalidByte
    {
      throw cursor.refusal(
        "column \(quoted(descriptor.name)) is not UTF-8", back: cursor.offset - start - position)
    }
    return column
  }

  private static func isSorted(_ offsets: [Int]) -> Bool {
    var isSorted = true
    for index in offsets.indices.dropFirst() where offsets[index] < offsets[index - 1] {
      isSorted = false
    }
    return isSorted
  }

  private static func erasedValues(
    _ type: ElementType, _ buffer: BufferDescriptor, _ cursor: inout ByteCursor
  ) throws(PipelineError) -> ColumnValues {
    switch type {
    case .uint8: .uint8(try plain(buffer, &cursor))
    case .uint16: .uint16(try integers(buffer, &cursor))
    case .uint32: .uint32(try integers(buffer, &cursor))
    case .uint64: .uint64(try integers(buffer, &cursor))
    case .int32: .int32(try integers(buffer, &cursor))
    case .int64: .int64(try integers(buffer, &cursor))
    case .float: .float(try plain(buffer, &cursor))
    case .double: .double(try plain(buffer, &cursor))
    }
  }

  /// Copies a plain buffer and steps over its padding.
  private static func plain<Element: BitwiseCopyable>(
    _ buffer: BufferDescriptor, _ cursor: inout ByteCursor
  ) throws(PipelineError) -> [Element] {
    let stored = try cursor.read(buffer.byteCount, "end of a buffer")
    let values: [Element] = unsafe filled(buffer.count) { target in
      unsafe stored.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
    }
    try cursor.align("padding of a buffer")
    return values
  }

  /// Decodes a buffer of integers and steps over its padding.
  private static func integers<Element: FixedWidthInteger & BitwiseCopyable>(
    _ buffer: BufferDescriptor, _ cursor: inout ByteCursor
  ) throws(PipelineError) -> [Element] {
    guard buffer.encoding != .plain else { return try plain(buffer, &cursor) }
    let stored = try cursor.read(buffer.byteCount, "end of a buffer")
    var defect: (offset: Int, message: String)?
    let values: [Element] = unsafe filled(buffer.count) { target in
      unsafe stored.withUnsafeBytes { bytes in
        defect = unsafe BitPacking.unpack(
          bytes, into: target.assumingMemoryBound(to: Element.self),
          isDelta: buffer.encoding == .delta)
      }
    }
    if let defect { throw cursor.refusal(defect.message, back: buffer.byteCount - defect.offset) }
    try cursor.align("padding of a buffer")
    return values
  }
}

extension Column {
  /// The first byte of the values at which a string stops being UTF-8, or `nil` if all are.
  fileprivate var firstInvalidByte: Int? {
    guard case .uint8(let bytes) = values else { return nil }
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      return error.byteOffsets.lowerBound
    }
    // The bytes are UTF-8 as a whole; a string is too unless it begins inside a scalar.
    let starts = shape == .strings ? offsets : innerOffsets
    return starts.first { $0 < bytes.count && bytes[$0] & 0xC0 == 0x80 }
  }
}
