internal import Glibc
internal import SystemPackage

/// The right to write into a directory, held as `flock` on `.lock` in it; the kernel drops it when the process dies.
struct DirectoryLock: ~Copyable {
  static let fileName = ".lock"
  private let path: FilePath
  private let descriptor: FileDescriptor

  /// Takes the lock without waiting.
  ///
  /// - Throws: ``PipelineError``: `.temporaryFailure` with the process that holds it if it is taken, `.cannotCreate`.
  init(_ directory: FilePath) throws(PipelineError) {
    let path = directory.appending(Self.fileName)
    let opened = try Self.locked(path, directory)
    do throws(PipelineError) {
      try Self.sign(opened, path)
    } catch {
      _ = unsafe unlink(path.string)
      try? opened.close()
      throw error
    }
    self.path = path
    descriptor = opened
  }

  /// Removes the lock file too; for a directory that is to vanish.
  func removeFile() { _ = unsafe unlink(path.string) }

  private static func locked(
    _ path: FilePath, _ directory: FilePath
  ) throws(PipelineError) -> FileDescriptor {
    while true {
      guard let opened = try lockFile(path) else {
        throw .locked(directory, LockHolder(of: path))
      }
      // The holder before us may have removed the file between our open and our lock; then the lock is on nothing.
      var ours = stat()
      var current = stat()
      if unsafe fstat(opened.rawValue, &ours) == 0, unsafe stat(path.string, &current) == 0,
        ours.st_ino == current.st_ino, ours.st_dev == current.st_dev
      {
        return opened
      }
      try? opened.close()
    }
  }

  /// Writes the process number, for people who look into the directory.
  private static func sign(_ descriptor: FileDescriptor, _ path: FilePath) throws(PipelineError) {
    do {
      guard ftruncate(descriptor.rawValue, 0) == 0 else { throw Errno(rawValue: errno) }
      _ = try descriptor.writeAll("\(getpid())\n".utf8)
    } catch {
      throw .output("write", path, error as? Errno ?? .ioError)
    }
  }

  deinit {
    // Equal runs leave equal directories: the number does not outlive the run.
    _ = ftruncate(descriptor.rawValue, 0)
    try? descriptor.close()
  }
}

/// Opens a file, creating it if need be, and locks it without waiting.
///
/// - Returns: the descriptor that holds the lock; nil if another process does.
/// - Throws: ``PipelineError``: `.cannotCreate`, `.inputOutput`.
func lockFile(_ path: FilePath) throws(PipelineError) -> FileDescriptor? {
  let opened: FileDescriptor
  do {
    opened = try FileDescriptor.open(
      path, .readWrite, options: [.create, .closeOnExec],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
  } catch {
    throw .cannotCreate(path, error as? Errno ?? .ioError)
  }
  guard flock(opened.rawValue, LOCK_EX | LOCK_NB) == 0 else {
    let cause = Errno(rawValue: errno)
    try? opened.close()
    guard cause == .wouldBlock else { throw .output("lock", path, cause) }
    return nil
  }
  return opened
}
