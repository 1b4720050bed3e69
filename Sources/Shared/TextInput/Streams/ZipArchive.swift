internal import CZlib
public import ShardIO

/// A zip archive in memory (PKWARE's APPNOTE, with Zip64), stored or deflated, as NumPy's .npz files are.
public struct ZipArchive: Sendable {
  /// A file in the archive.
  public struct Entry: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// 0 for stored, 8 for deflated.
    var method: Int
    var compressedByteCount: Int
    /// Its size, bytes.
    public var byteCount: Int
    var headerOffset: Int
    var checksum: UInt32
  }

  /// The files, in the order of the archive's directory.
  public let entries: [Entry]
  private let bytes: [UInt8]
  private let path: String

  /// The largest file that is unpacked, bytes.
  public static let maximumByteCount = 1 << 36

  /// Reads the directory of an archive.
  ///
  /// - Parameters:
  ///   - bytes: the whole archive.
  ///   - path: its name, for messages.
  /// - Throws: `PipelineError` `.dataFormat` with the byte offset.
  public init(_ bytes: [UInt8], path: String) throws(PipelineError) {
    self.bytes = bytes
    self.path = path
    let reader = ZipReader(bytes: bytes, path: path)
    var (count, offset) = try reader.directory()
    var entries: [Entry] = []
    while count > 0 {
      let (entry, next) = try reader.entry(at: offset)
      entries.append(entry)
      offset = next
      count -= 1
    }
    self.entries = entries
  }

  /// The contents of a file.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if it is damaged or packed in another way.
  public func contents(of entry: Entry) throws(PipelineError) -> [UInt8] {
    let reader = ZipReader(bytes: bytes, path: path)
    let start = try reader.dataStart(of: entry)
    let packed = start..<start + entry.compressedByteCount
    guard packed.upperBound <= bytes.count, entry.byteCount <= Self.maximumByteCount else {
      throw reader.refuse("\(quoted(entry.name)) goes beyond the end of the archive", start)
    }
    let contents: [UInt8]
    switch entry.method {
    case 0: contents = Array(bytes[packed])
    case 8:
      // A deflated byte stands for at most 1,032 bytes, so a lying size cannot ask for more memory than that.
      guard entry.byteCount <= packed.count * 1032 + 64 else {
        throw reader.refuse("the size of \(quoted(entry.name)) cannot be right", start)
      }
      contents = inflated(packed, byteCount: entry.byteCount)
    default:
      throw reader.refuse(
        "\(quoted(entry.name)) is packed by method \(entry.method), expected 0 or 8", start)
    }
    guard contents.count == entry.byteCount, crc32(of: contents) == entry.checksum else {
      throw reader.refuse("\(quoted(entry.name)) is damaged", start)
    }
    return contents
  }

  private func crc32(of contents: [UInt8]) -> UInt32 {
    unsafe contents.withUnsafeBytes { buffer in
      UInt32(
        truncatingIfNeeded: unsafe crc32_z(
          0, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count))
    }
  }

  /// Unpacks a raw deflate stream; the result is shorter than asked for if the stream is damaged.
  private func inflated(_ packed: Range<Int>, byteCount: Int) -> [UInt8] {
    var stream = unsafe z_stream()
    guard unsafe h2rec_inflate_init_raw(&stream) == Z_OK else { return [] }
    defer { unsafe inflateEnd(&stream) }
    var produced = 0
    var used = packed.lowerBound
    var contents = [UInt8](repeating: 0, count: byteCount)
    var status = Z_OK
    // zlib counts in 32 bits, so long files go through it in pieces.
    while status == Z_OK {
      let input = min(packed.upperBound - used, 1 << 30)
      let room = min(byteCount - produced, 1 << 30)
      status = unsafe bytes.withUnsafeBufferPointer { source in
        unsafe contents.withUnsafeMutableBufferPointer { target in
          unsafe stream.next_in = UnsafeMutablePointer(
            mutating: source.baseAddress?.advanced(by: used))
          unsafe stream.avail_in = UInt32(input)
          unsafe stream.next_out = target.baseAddress?.advanced(by: produced)
          unsafe stream.avail_out = UInt32(room)
          return unsafe inflate(&stream, Z_NO_FLUSH)
        }
      }
      unsafe used += input - Int(stream.avail_in)
      unsafe produced += room - Int(stream.avail_out)
    }
    if status != Z_STREAM_END { return [] }
    contents.removeLast(byteCount - produced)
    return contents
  }
}

/// Reads the records of an archive, checking every offset.
private struct ZipReader {
  let bytes: [UInt8]
  let path: String

  func refuse(_ message: String, _ offset: Int) -> PipelineError {
    PipelineError(.dataFormat, message, at: .init(path: path, byteOffset: offset))
  }

  /// A little-endian number of `count` bytes; 64-bit ones must fit a signed number.
  func number(at offset: Int, _ count: Int) throws(PipelineError) -> Int {
    guard offset >= 0, offset <= bytes.count - count else {
      throw refuse("the archive ends early", min(max(offset, 0), bytes.count))
    }
    let value = bytes[offset..<offset + count].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard value <= UInt64(Int.max >> 1) else {
      throw refuse("a size of the archive is too large", offset)
    }
    return Int(value)
  }

  /// The number of entries and where their directory begins.
  func directory() throws(PipelineError) -> (count: Int, offset: Int) {
    let signature: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
    let lowest = max(0, bytes.count - 22 - 0xFFFF)
    var end = bytes.count - 22
    while end >= lowest, Array(bytes[end..<end + 4]) != signature { end -= 1 }
    guard end >= lowest, end >= 0 else { throw refuse("the archive has no directory", bytes.count) }
    let count = try number(at: end + 10, 2)
    let offset = try number(at: end + 16, 4)
    guard count == 0xFFFF || offset == 0xFFFF_FFFF, end >= 20,
      try number(at: end - 20, 4) == 0x0706_4B50
    else { return (count, offset) }
    let record = try number(at: end - 12, 8)
    return (try number(at: record + 32, 8), try number(at: record + 48, 8))
  }

  /// The entry at a place of the directory, and where the next one begins.
  func entry(at offset: Int) throws(PipelineError) -> (ZipArchive.Entry, Int) {
    guard try number(at: offset, 4) == 0x0201_4B50 else {
      throw refuse("there is no entry of the directory here", offset)
    }
    let nameCount = try number(at: offset + 28, 2)
    let extraCount = try number(at: offset + 30, 2)
    let commentCount = try number(at: offset + 32, 2)
    let name = offset + 46
    let end = name + nameCount + extraCount + commentCount
    guard end <= bytes.count else { throw refuse("the archive ends early", bytes.count) }
    var entry = ZipArchive.Entry(
      name: String(decoding: bytes[name..<name + nameCount], as: UTF8.self),
      method: try number(at: offset + 10, 2), compressedByteCount: try number(at: offset + 20, 4),
      byteCount: try number(at: offset + 24, 4), headerOffset: try number(at: offset + 42, 4),
      checksum: UInt32(try number(at: offset + 16, 4)))
    try readWideSizes(&entry, name + nameCount..<name + nameCount + extraCount)
    return (entry, end)
  }

  /// Replaces sizes of 0xFFFFFFFF by those of the Zip64 field.
  private func readWideSizes(
    _ entry: inout ZipArchive.Entry, _ extra: Range<Int>
  ) throws(PipelineError) {
    var place = extra.lowerBound
    while place + 4 <= extra.upperBound {
      let kind = try number(at: place, 2)
      let size = try number(at: place + 2, 2)
      var field = place + 4
      place = field + size
      if kind != 1 { continue }
      if entry.byteCount == 0xFFFF_FFFF {
        entry.byteCount = try number(at: field, 8)
        field += 8
      }
      if entry.compressedByteCount == 0xFFFF_FFFF {
        entry.compressedByteCount = try number(at: field, 8)
        field += 8
      }
      if entry.headerOffset == 0xFFFF_FFFF { entry.headerOffset = try number(at: field, 8) }
    }
  }

  /// Where the packed bytes of an entry begin.
  func dataStart(of entry: ZipArchive.Entry) throws(PipelineError) -> Int {
    let header = entry.headerOffset
    guard try number(at: header, 4) == 0x0403_4B50 else {
      throw refuse("there is no file of the archive here", min(header, bytes.count))
    }
    let start = header + 30 + (try number(at: header + 26, 2)) + (try number(at: header + 28, 2))
    guard start <= bytes.count, entry.compressedByteCount <= bytes.count - start else {
      throw refuse("\(quoted(entry.name)) goes beyond the end of the archive", bytes.count)
    }
    return start
  }
}
