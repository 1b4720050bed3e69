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
  /// A piece without any record end within ``maximumRecordByteCount`` is returned as it is; its scanner finds the fault.
  public mutating func next() throws(PipelineError) -> Chunk? {
    var bytes = rest
    rest = []
    // Pieces grow, so that a short file costs no more than its size.
    var target = nextByteCount
    nextByteCount = min(byteCount, nextByteCount * 4)
    while true {
      let old = bytes.count
      if old < target, !isAtEnd {
        bytes += [UInt8](repeating: 0, count: target - old)
        let count = try stream.fill(&bytes, from: old)
        isAtEnd = count < target - old
        bytes.removeLast(target - old - count)
      }
      if isAtEnd || bytes.count >= Self.maximumRecordByteCount {
        guard !bytes.isEmpty else { return nil }
        return makeChunk(bytes, end: isAtEnd ? bytes.count : recordEnd(bytes) ?? bytes.count)
      }
      if let end = recordEnd(bytes) { return makeChunk(bytes, end: end) }
      target = bytes.count * 2
    }
  }

  private mutating func makeChunk(_ bytes: [UInt8], end: Int) -> Chunk {
    defer { nextIndex += 1 }
    guard end < bytes.count else { return Chunk(bytes: bytes, index: nextIndex) }
    rest = Array(bytes[end...])
    var whole = bytes
    whole.removeLast(bytes.count - end)
    return Chunk(bytes: whole, index: nextIndex)
  }

  /// The byte after the last line end outside of quotes.
  private func recordEnd(_ bytes: [UInt8]) -> Int? {
    let lineFeed = UInt8(ascii: "\n")
    let quote = UInt8(ascii: "\"")
    guard hasQuotes, bytes.contains(quote) else {
      return bytes.lastIndex(of: lineFeed).map { $0 + 1 }
    }
    var isInside = false
    var end: Int?
    for index in bytes.indices {
      if bytes[index] == quote {
        isInside.toggle()
      } else if bytes[index] == lineFeed, !isInside {
        end = index + 1
      }
    }
    return end
  }
}
