internal import ShardIO
internal import SystemPackage

/// A buffered view of the bytes as they lie in the file.
struct RawInput {
  let name: String
  private let descriptor: FileDescriptor?
  private var buffer: [UInt8] = []
  private var position = 0
  private var end = 0

  private static let bufferByteCount = 1 << 18

  init(_ descriptor: FileDescriptor?, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  /// Tells the compression from the first bytes.
  mutating func detectDecoder() throws(PipelineError) -> any StreamDecoder {
    buffer = [UInt8](repeating: 0, count: Self.bufferByteCount)
    while end < 4 {
      let count = try read(into: &buffer, from: end)
      if count == 0 { break }
      end += count
    }
    let magic = Array(buffer[..<min(end, 4)])
    if magic.starts(with: [0x1F, 0x8B]) { return try GzipDecoder(name: name) }
    if magic == [0x28, 0xB5, 0x2F, 0xFD] { return try ZstandardDecoder(name: name) }
    return IdentityDecoder()
  }

  /// Reads straight from the file, once.
  func read(into target: inout [UInt8], from start: Int) throws(PipelineError) -> Int {
    guard let descriptor else { return 0 }
    do {
      return try unsafe target.withUnsafeMutableBytes { bytes in
        try unsafe descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
      }
    } catch let error as Errno {
      throw PipelineError(
        error == .isDirectory ? .missingInput : .inputOutput,
        "cannot read the file: \(error.description.lowercased())", at: .init(path: name))
    } catch {
      throw PipelineError(
        .inputOutput, "cannot read the file: \(error)", at: .init(path: name))
    }
  }

  /// Copies buffered bytes, then reads from the file without the buffer.
  mutating func take(into target: inout [UInt8], from start: Int) throws(PipelineError) -> Int {
    guard position < end else { return try read(into: &target, from: start) }
    let count = min(end - position, target.count - start)
    target.replaceSubrange(start..<start + count, with: buffer[position..<position + count])
    position += count
    return count
  }

  /// Lends the buffered bytes, refilled if all are used; the body returns how many it used.
  ///
  /// - Returns: false at the end of the file.
  mutating func withBuffered(
    _ body: (UnsafeBufferPointer<UInt8>) throws(PipelineError) -> Int
  ) throws(PipelineError) -> Bool {
    if position == end {
      position = 0
      end = try read(into: &buffer, from: 0)
      if end == 0 { return false }
    }
    let range = position..<end
    position += try unsafe buffer.withUnsafeBufferPointer { bytes throws(PipelineError) in
      try unsafe body(UnsafeBufferPointer(rebasing: bytes[range]))
    }
    return true
  }
}

/// Turns the bytes of a file into the bytes its reader wants.
protocol StreamDecoder: AnyObject {
  /// Decodes at least one byte, or returns 0 at the end.
  func decode(
    _ input: inout RawInput, into target: inout [UInt8], from start: Int
  ) throws(PipelineError) -> Int
}

/// The decoder of a file that is not compressed.
final class IdentityDecoder: StreamDecoder {
  func decode(
    _ input: inout RawInput, into target: inout [UInt8], from start: Int
  ) throws(PipelineError) -> Int {
    try input.take(into: &target, from: start)
  }
}
