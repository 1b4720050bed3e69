/// Bounds-checked little-endian reads from the front of a decompressed shard.
struct ByteCursor {
  private let bytes: [UInt8]
  private let path: String
  /// The position of the next read, in bytes from the start.
  private(set) var offset = 0

  init(_ bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// The failure "message" at the byte where the last read of `byteCount` bytes began.
  func refusal(_ message: String, back byteCount: Int = 0) -> PipelineError {
    .shard(message, path, offset - byteCount)
  }

  /// The next `count` bytes.
  mutating func read(_ count: Int, _ what: String) throws(PipelineError) -> ArraySlice<UInt8> {
    guard count <= bytes.count - offset else {
      throw refusal("the shard ends before the \(what)")
    }
    offset += count
    return bytes[(offset - count)..<offset]
  }

  /// The next bytes as an unsigned integer.
  mutating func integer<Number: FixedWidthInteger & UnsignedInteger>(
    _ type: Number.Type, _ what: String
  ) throws(PipelineError) -> Number {
    let slice = try read(MemoryLayout<Number>.size, what)
    return slice.reversed().reduce(0) { $0 << 8 | Number($1) }
  }

  /// The next bytes as a count that must not exceed `limit`.
  mutating func count<Number: FixedWidthInteger & UnsignedInteger>(
    _ type: Number.Type, _ what: String, limit: Int
  ) throws(PipelineError) -> Int {
    let value = try integer(type, what)
    guard let count = Int(exactly: value), count <= limit else {
      throw refusal("\(what) is \(value), the limit is \(limit)", back: MemoryLayout<Number>.size)
    }
    return count
  }

  /// A name after its length.
  mutating func name(_ what: String) throws(PipelineError) -> String {
    let length = try count(
      UInt16.self, "length of the \(what)", limit: ShardFormat.maximumNameByteCount)
    let slice = try read(length, what)
    guard ShardFormat.isValidName(slice) else {
      throw refusal("the \(what) is not 1 to 64 of a-z 0-9 - _", back: length)
    }
    return String(decoding: slice, as: UTF8.self)
  }

  /// Skips to the next multiple of the alignment; the bytes between must be zero.
  mutating func align(_ what: String) throws(PipelineError) {
    let padding = try read(ShardFormat.aligned(offset) - offset, what)
    guard padding.allSatisfy({ $0 == 0 }) else {
      throw refusal("the \(what) is not zero", back: padding.count)
    }
  }
}
