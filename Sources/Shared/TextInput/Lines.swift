public import ShardIO

/// Gives a body each line of a text, blank ones too, without its line feed and without a byte order mark.
///
/// - Parameters:
///   - stream: the text.
///   - limit: the longest line, bytes.
///   - body: takes some bytes, where in them the line is, and its number from 1.
/// - Throws: `PipelineError` as reading the stream and `body` do.
public func forEachLine(
  of stream: ByteStream, limit: Int = ChunkReader.maximumRecordByteCount,
  _ body: (_ bytes: Span<UInt8>, _ line: Range<Int>, _ number: Int) throws(PipelineError) -> Void
) throws(PipelineError) {
  var chunks = ChunkReader(stream, scanner: nil, limit: limit)
  var number = 0
  while let chunk = try chunks.next() {
    let bytes = chunk.bytes.span
    var position = chunk.index == 0 && chunk.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while position < bytes.count {
      var end = position
      while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
      number += 1
      try body(bytes, position..<end, number)
      position = min(end + 1, bytes.count)
    }
  }
}
