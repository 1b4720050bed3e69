internal import Glibc
public import SystemPackage

/// A file that appears under its name only when ``commit()`` has returned.
///
/// Until then its bytes are in `<name>.partial` beside it, and whatever had the name keeps it. A value that ends
/// without a commit removes the partial file. A name has one writer at a time (``StageOutput`` sees to it for its
/// directory).
public struct AtomicFile: ~Copyable {
  /// The name that the file will have.
  public let destination: FilePath
  private let partial: FilePath
  private let descriptor: FileDescriptor
  private var buffer: [UInt8] = []
  private let hash = ChecksumStream()
  /// The bytes appended so far.
  private(set) var byteCount = 0
  private var isCommitted = false

  /// Small pieces are collected up to this many bytes.
  private static let bufferByteCount = 1 << 20

  /// Starts a file that will replace whatever is at `destination`.
  ///
  /// - Throws: ``PipelineError`` `.cannotCreate`.
  public init(replacing destination: FilePath) throws(PipelineError) {
    let partial = FilePath("\(destination.string).partial")
    let opened: FileDescriptor
    do {
      opened = try FileDescriptor.open(
        partial, .readWrite, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw .cannotCreate(destination, error as? Errno ?? .ioError)
    }
    self.destination = destination
    self.partial = partial
    descriptor = opened
  }

  /// Appends bytes; small pieces are collected and written together.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`, for example when the disk is full.
  public mutating func append(_ bytes: [UInt8]) throws(PipelineError) {
    hash.append(bytes)
    byteCount += bytes.count
    if buffer.count + bytes.count > Self.bufferByteCount {
      try write(buffer)
      buffer.removeAll(keepingCapacity: true)
    }
    if bytes.count >= Self.bufferByteCount { try write(bytes) } else { buffer += bytes }
  }

  /// Makes the bytes durable, gives the file its name in one step, and makes the name durable.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`; the old file is then untouched, unless only the last step failed.
  public consuming func commit() throws(PipelineError) {
    let parent = destination.removingLastComponent()
    let target = destination
    try commit(as: target)
    try FileSystem.flushDirectory(parent.isEmpty ? "." : parent)
  }

  /// Makes the bytes durable and gives the file a name in the same directory; the name is durable only after the
  /// directory has been flushed, which the caller can do once for many files.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`, also if the file does not hold what was appended.
  consuming func commit(as name: FilePath) throws(PipelineError) {
    try write(buffer)
    guard fsync(descriptor.rawValue) == 0 else {
      throw .output("flush", destination, Errno(rawValue: errno))
    }
    try verify()
    try FileSystem.rename(partial, to: name)
    isCommitted = true
  }

  /// The XXH3-128 checksum of the bytes appended so far.
  var checksum: String { hash.value }

  /// Reads the file again: no other process may have written into it.
  private func verify() throws(PipelineError) {
    let found = ChecksumStream()
    var count = 0
    do {
      var part = [UInt8](repeating: 0, count: min(Self.bufferByteCount, byteCount + 1))
      while true {
        let length = try unsafe part.withUnsafeMutableBytes {
          try unsafe descriptor.read(fromAbsoluteOffset: Int64(count), into: $0)
        }
        if length == 0 { break }
        found.append(length == part.count ? part : Array(part[..<length]))
        count += length
      }
    } catch {
      throw .cannotRead(destination, error as? Errno ?? .ioError)
    }
    guard count == byteCount, found.value == hash.value else {
      throw .writtenDiffers(destination, found: count, expected: byteCount)
    }
  }

  private func write(_ bytes: [UInt8]) throws(PipelineError) {
    if bytes.isEmpty { return }
    do {
      _ = try unsafe bytes.withUnsafeBytes { try unsafe descriptor.writeAll($0) }
    } catch {
      throw .output("write", destination, error as? Errno ?? .ioError)
    }
  }

  deinit {
    try? descriptor.close()
    if !isCommitted { _ = unsafe unlink(partial.string) }
  }
}
