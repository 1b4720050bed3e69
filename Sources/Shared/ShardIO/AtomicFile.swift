internal import Glibc
public import SystemPackage

/// A file that appears under its name only when ``commit()`` has returned.
///
/// Until then its bytes are in `<name>.partial` beside it, and whatever had the name keeps it. A value that ends
/// without a commit removes the partial file. A directory has one writer at a time (``StageOutput`` sees to it).
public struct AtomicFile: ~Copyable {
  /// The name that the file will have.
  public let destination: FilePath
  private let partial: FilePath
  private let descriptor: FileDescriptor
  private var isCommitted = false

  /// Starts a file that will replace whatever is at `destination`.
  ///
  /// - Throws: ``PipelineError`` `.cannotCreate`.
  public init(replacing destination: FilePath) throws(PipelineError) {
    let partial = FilePath("\(destination.string).partial")
    let opened: FileDescriptor
    do {
      opened = try FileDescriptor.open(
        partial, .writeOnly, options: [.create, .truncate],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw .cannotCreate(destination, error as? Errno ?? .ioError)
    }
    self.destination = destination
    self.partial = partial
    descriptor = opened
  }

  /// Appends bytes.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`, for example when the disk is full.
  public func write(_ bytes: [UInt8]) throws(PipelineError) {
    do {
      _ = try unsafe bytes.withUnsafeBytes { try unsafe descriptor.writeAll($0) }
    } catch {
      throw .output("write", destination, error as? Errno ?? .ioError)
    }
  }

  /// Makes the bytes durable and gives the file its name in one step.
  ///
  /// The name itself is durable after the directory has been flushed, which is left to the caller, so that it can
  /// be done once for many files.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`; the old file is then untouched.
  public consuming func commit() throws(PipelineError) {
    guard fsync(descriptor.rawValue) == 0 else {
      throw .output("flush", destination, Errno(rawValue: errno))
    }
    try FileSystem.rename(partial, to: destination)
    isCommitted = true
  }

  deinit {
    try? descriptor.close()
    if !isCommitted { _ = unsafe unlink(partial.string) }
  }
}
