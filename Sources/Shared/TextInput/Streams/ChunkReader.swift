internal import Glibc
public import ShardIO

/// A piece of text that begins and ends with whole records.
public struct Chunk: Sendable {
  /// The text.
  public var bytes: [UInt8]
  /// The number of the piece in its file, from 0.
  public var index: Int
}

/// Cuts a stream of text into pieces at the ends of records.
public struct ChunkReader {
  private let stream: ByteStream
  private var scanner: DelimitedScanner?
  private let byteCount: Int
  private let limit: Int
  private var nextByteCount: Int
  private var rest: [UInt8] = []
  private var isAtEnd = false
  private var nextIndex = 0
  /// The bytes of the pieces so far.
  private var offset = 0

  /// The longest text between quotes that is looked through for the closing one, bytes.
  public static let maximumRecordByteCount = 1 << 26

  /// Creates a reader.
  ///
  /// - Parameters:
  ///   - stream: the text.
  ///   - scanner: finds the records that the reader of the pieces will find; nil where every line is a record.
  ///   - byteCount: the size of a piece; it grows for a longer record.
  ///   - limit: the longest record, bytes; see ``maximumRecordByteCount``.
  public init(
    _ stream: ByteStream, scanner: DelimitedScanner?, byteCount: Int = 1 << 22,
    limit: Int = Self.maximumRecordByteCount
  ) {
    self.limit = limit
    self.stream = stream
    self.scanner = scanner
    self.byteCount = min(byteCount, limit)
    nextByteCount = min(self.byteCount, 1 << 15)
  }

  /// The next piece, or nil at the end.
  ///
  /// A record that does not end within the limit is an error.
  ///
  /// - Parameter old: the bytes of a piece that is not needed any more; their memory is used again.
  /// - Returns: the piece.
  /// - Throws: `PipelineError` as ``ByteStream/fill(_:from:)``, and `.dataFormat` for a longer record without quotes.
  public mutating func next(reusing old: consuming [UInt8] = []) throws(PipelineError) -> Chunk? {
    var bytes = old
    old = []
    // Pieces grow, so that a short file costs no more than its size.
    resize(&bytes, max(nextByteCount, rest.count))
    nextByteCount = min(byteCount, nextByteCount * 4)
    bytes.replaceSubrange(0..<rest.count, with: rest)
    var count = rest.count
    while true {
      if count < bytes.count, !isAtEnd {
        let filled = try stream.fill(&bytes, from: count)
        isAtEnd = filled < bytes.count - count
        count += filled
      }
      if isAtEnd || count >= limit {
        guard count > 0 else { return nil }
        if isAtEnd { return makeChunk(&bytes, end: count, count: count) }
        guard let end = recordEnd(bytes.span.extracting(..<count), isFull: true) else {
          throw tooLong
        }
        return makeChunk(&bytes, end: end, count: count)
      }
      if let end = recordEnd(bytes.span.extracting(..<count), isFull: false) {
        return makeChunk(&bytes, end: end, count: count)
      }
      resize(&bytes, min(2 * bytes.count, max(limit, bytes.count + 1)))
    }
  }

  private var tooLong: PipelineError {
    PipelineError(
      .dataFormat, "a record is longer than \(limit) bytes",
      at: .init(path: stream.name, byteOffset: offset), note: "records end with a line feed")
  }

  private func resize(_ bytes: inout [UInt8], _ count: Int) {
    if bytes.count < count {
      bytes += [UInt8](repeating: 0, count: count - bytes.count)
    } else {
      bytes.removeLast(bytes.count - count)
    }
  }

  private mutating func makeChunk(_ bytes: inout [UInt8], end: Int, count: Int) -> Chunk {
    defer {
      nextIndex += 1
      offset += end
    }
    rest = Array(bytes[end..<count])
    bytes.removeLast(bytes.count - end)
    return Chunk(bytes: bytes, index: nextIndex)
  }

  /// The byte after the last record that more text would not change; `isFull` if there is no room for more text.
  private mutating func recordEnd(_ bytes: Span<UInt8>, isFull: Bool) -> Int? {
    var end: Int?
    var position = 0
    while scanner != nil, let quote = firstQuote(bytes, from: position) {
      // Lines without quotes are records.
      let line = lastLineEnd(bytes, position..<quote) ?? position
      if line > position { end = line }
      let next = scanner?.scan(bytes, from: line) ?? bytes.count
      if scanner?.reachesEnd == true, line > 0 || !isFull { return end }
      (end, position) = (next, next)
    }
    return lastLineEnd(bytes, position..<bytes.count) ?? end
  }

  private static let quote = UInt8(ascii: "\"")

  private func lastLineEnd(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    range.last { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
  }

  private func firstQuote(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    unsafe bytes.withUnsafeBytes { text in
      guard start < text.count, let base = text.baseAddress else { return nil }
      let found = unsafe memchr(base + start, Int32(Self.quote), text.count - start)
      return unsafe found.map { unsafe UnsafeRawPointer($0) - base }
    }
  }
}
