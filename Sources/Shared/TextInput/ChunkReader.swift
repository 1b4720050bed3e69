internal import Glibc
public import ShardIO

/// A piece of text that begins and ends with whole records.
public struct Chunk: Sendable {
  /// The text.
  public var bytes: [UInt8]
  /// The number of the piece in its file, from 0.
  public var index: Int
}

/// Cuts a stream of text into pieces at line ends that are not inside of quotes.
public struct ChunkReader {
  private let stream: ByteStream
  private let hasQuotes: Bool
  private let byteCount: Int
  private var nextByteCount: Int
  private var rest: [UInt8] = []
  private var isAtEnd = false
  private var nextIndex = 0
  /// The bytes of the pieces so far.
  private var offset = 0

  /// The longest record accepted, bytes.
  public static let maximumRecordByteCount = 1 << 26

  /// Creates a reader.
  ///
  /// - Parameters:
  ///   - stream: the text.
  ///   - hasQuotes: whether line ends between quotes belong to a record.
  ///   - byteCount: the size of a piece; it grows for a longer record.
  public init(_ stream: ByteStream, hasQuotes: Bool, byteCount: Int = 1 << 22) {
    self.stream = stream
    self.hasQuotes = hasQuotes
    self.byteCount = byteCount
    nextByteCount = min(byteCount, 1 << 15)
  }

  /// The next piece, or nil at the end.
  ///
  /// A piece with quotes and without any record end within ``maximumRecordByteCount`` is returned as it is; its scanner finds
  /// the quote that is not closed.
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
      if isAtEnd || count >= Self.maximumRecordByteCount {
        guard count > 0 else { return nil }
        if isAtEnd { return makeChunk(&bytes, end: count, count: count) }
        let end = recordEnd(bytes.span.extracting(..<count))
        if end == nil, !hasQuotes || !hasQuote(bytes.span.extracting(..<count)) { throw tooLong }
        return makeChunk(&bytes, end: end ?? count, count: count)
      }
      if let end = recordEnd(bytes.span.extracting(..<count)) {
        return makeChunk(&bytes, end: end, count: count)
      }
      resize(&bytes, 2 * bytes.count)
    }
  }

  private var tooLong: PipelineError {
    PipelineError(
      .dataFormat, "a record is longer than \(Self.maximumRecordByteCount) bytes",
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

  /// The byte after the last line end outside of quotes.
  private func recordEnd(_ bytes: Span<UInt8>) -> Int? {
    let lineFeed = UInt8(ascii: "\n")
    guard hasQuotes, hasQuote(bytes) else {
      return bytes.indices.last { bytes[$0] == lineFeed }.map { $0 + 1 }
    }
    var isInside = false
    var end: Int?
    for index in bytes.indices {
      if bytes[index] == Self.quote {
        isInside.toggle()
      } else if bytes[index] == lineFeed, !isInside {
        end = index + 1
      }
    }
    return end
  }

  private static let quote = UInt8(ascii: "\"")

  private func hasQuote(_ bytes: Span<UInt8>) -> Bool {
    unsafe bytes.withUnsafeBytes { text in
      unsafe text.baseAddress.map {
        unsafe memchr($0, Int32(Self.quote), text.count) != nil
      } ?? false
    }
  }
}
