internal import Glibc
internal import Synchronization
public import SystemPackage

/// A file without a name, for what memory has no room for.
///
/// It never has one where the file system can do that (`O_TMPFILE`); elsewhere the name is removed as soon as the file
/// is open. So nothing is left behind, whatever ends the process.
public final class ScratchFile: Sendable {
  private let descriptor: FileDescriptor
  private let directory: FilePath
  private let end = Atomic<Int>(0)

  /// Where numbers lie in the file.
  public struct Piece<Element: BitwiseCopyable & Sendable>: Sendable {
    fileprivate var offset: Int
    /// How many numbers there are.
    public fileprivate(set) var count: Int
  }

  /// Opens a new file.
  ///
  /// - Parameter directory: an existing directory on the disk that is to be used.
  /// - Throws: ``PipelineError`` `.cannotCreate`.
  public init(in directory: FilePath) throws(PipelineError) {
    if let nameless = try Self.openNameless(directory) {
      descriptor = nameless
    } else {
      descriptor = try Self.openUnlinked(directory)
    }
    self.directory = directory
  }

  deinit { try? descriptor.close() }

  /// Lends the open file to a program that is started and ended meanwhile.
  public func lend<Failure>(
    _ body: (FileDescriptor) throws(Failure) -> Void
  ) throws(Failure) {
    try body(descriptor)
  }

  /// The bytes that the file has, whoever wrote them, piece by piece.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`, and what `body` throws.
  public func forEachPiece(
    _ body: ([UInt8]) throws(PipelineError) -> Void
  ) throws(PipelineError) {
    var place: Int64 = 0
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count: Int
      do {
        count = try unsafe bytes.withUnsafeMutableBytes {
          try unsafe descriptor.read(fromAbsoluteOffset: place, into: $0)
        }
      } catch {
        throw .cannotRead(directory, error as? Errno ?? .ioError)
      }
      if count == 0 { return }
      place += Int64(count)
      try body(Array(bytes[..<count]))
    }
  }

  /// A file that never had a name; nil where the file system knows no such files.
  private static func openNameless(_ directory: FilePath) throws(PipelineError) -> FileDescriptor? {
    // Linux's __O_TMPFILE, which is no plain constant in C and so has no name in Swift.
    let options = FileDescriptor.OpenOptions(rawValue: 0o20_000_000 | O_DIRECTORY | O_CLOEXEC)
    do {
      return try FileDescriptor.open(
        directory, .readWrite, options: options, permissions: .ownerReadWrite)
    } catch Errno.notSupportedOnSocket, Errno.isDirectory, Errno.invalidArgument {
      return nil
    } catch {
      throw .cannotCreate(directory, error as? Errno ?? .ioError)
    }
  }

  /// A file whose name is removed at once.
  private static func openUnlinked(_ directory: FilePath) throws(PipelineError) -> FileDescriptor {
    var name = Array(directory.appending(".h2rec-scratch-XXXXXX").string.utf8CString)
    let opened = unsafe mkstemp(&name)
    guard opened >= 0 else { throw .cannotCreate(directory, Errno(rawValue: errno)) }
    _ = unsafe unlink(&name)
    return FileDescriptor(rawValue: opened)
  }

  /// The bytes written so far.
  public var byteCount: Int { end.load(ordering: .relaxed) }

  /// Writes numbers at the end; may be called from several threads.
  ///
  /// - Returns: where they lie.
  /// - Throws: ``PipelineError`` `.inputOutput`, for example when the disk is full.
  public func write<Element>(_ values: [Element]) throws(PipelineError) -> Piece<Element> {
    let byteCount = values.count * MemoryLayout<Element>.stride
    let place = end.add(byteCount, ordering: .relaxed).oldValue
    var piece = Piece<Element>(offset: place, count: 0)
    piece.count = values.count
    try store(values, at: place)
    return piece
  }

  /// Writes numbers over older ones.
  ///
  /// - Parameters:
  ///   - values: not more than the piece has.
  ///   - piece: the older ones; it gets the new count.
  /// - Throws: ``PipelineError`` `.inputOutput`.
  public func rewrite<Element>(
    _ values: [Element], _ piece: inout Piece<Element>
  ) throws(PipelineError) {
    precondition(values.count <= piece.count, "a piece of a scratch file cannot grow")
    try store(values, at: piece.offset)
    piece.count = values.count
  }

  /// Reads numbers.
  ///
  /// - Parameters:
  ///   - piece: where they lie.
  ///   - range: which of them.
  /// - Returns: the numbers.
  /// - Throws: ``PipelineError`` `.inputOutput`.
  public func read<Element>(
    _ piece: Piece<Element>, _ range: Range<Int>
  ) throws(PipelineError) -> [Element] {
    precondition(range.lowerBound >= 0 && range.upperBound <= piece.count)
    let start = piece.offset + range.lowerBound * MemoryLayout<Element>.stride
    let byteCount = range.count * MemoryLayout<Element>.stride
    var failure: Errno?
    let values = unsafe [Element](unsafeUninitializedCapacity: range.count) { buffer, count in
      var done = 0
      while done < byteCount {
        let room = UnsafeMutableRawBufferPointer(buffer)
        let result = unsafe pread(
          descriptor.rawValue, room.baseAddress?.advanced(by: done), byteCount - done,
          off_t(start + done))
        if result < 0, errno == EINTR { continue }
        guard result > 0 else {
          failure = result < 0 ? Errno(rawValue: errno) : .ioError
          return
        }
        done += result
      }
      count = range.count
    }
    if let failure { throw .cannotRead(directory, failure) }
    return values
  }

  private func store<Element: BitwiseCopyable>(
    _ values: [Element], at offset: Int
  ) throws(PipelineError) {
    var failure: Errno?
    unsafe values.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let result = unsafe pwrite(
          descriptor.rawValue, bytes.baseAddress?.advanced(by: done), bytes.count - done,
          off_t(offset + done))
        if result < 0, errno == EINTR { continue }
        if result < 0 {
          failure = Errno(rawValue: errno)
          return
        }
        done += result
      }
    }
    if let failure { throw .output("write a temporary file in", directory, failure) }
  }
}
