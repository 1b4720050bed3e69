internal import Glibc
public import SystemPackage

/// The right to change a RUN, the folder with the outputs of all stages: one `flock` for make, cron and single stages.
///
/// The stages of a pipeline inherit the lock of the process that started them, as an open file whose number is in the
/// environment. It lasts as long as one of them lives. Nothing is ever written into the lock file.
public struct RunLock: ~Copyable {
  /// The variable of the environment with the number of the inherited file.
  public static let variable = "H2REC_RUN_LOCK"
  /// The folder of a RUN that is not an output; a folder that has one is a RUN.
  private static let folderName = ".make"
  private static let fileName = "lock"
  private let descriptor: FileDescriptor

  /// Takes the lock of a RUN without waiting; the RUN is created if need be.
  ///
  /// - Throws: ``PipelineError``: `.temporaryFailure` with the process that holds it, `.cannotCreate`.
  public init(run: FilePath) throws(PipelineError) {
    let folder = run.appending(Self.folderName)
    try FileSystem.createDirectory(folder)
    let path = folder.appending(Self.fileName)
    guard let opened = try lockFile(path) else { throw .runLocked(run, LockHolder(of: path)) }
    descriptor = opened
  }

  /// Takes the lock of the RUN that an output belongs to; nil if it belongs to none, or if this process has inherited it.
  ///
  /// - Parameter output: the output of a stage, whether it exists or not.
  /// - Throws: ``PipelineError``: `.temporaryFailure` with the process that holds it, `.cannotCreate`.
  public init?(output: FilePath) throws(PipelineError) {
    let parent = output.removingLastComponent()
    let run: FilePath = parent.isEmpty ? "." : parent
    let folder = run.appending(Self.folderName)
    guard FileSystem.isDirectory(folder) else { return nil }
    if Self.isInherited(folder.appending(Self.fileName)) { return nil }
    try self.init(run: run)
  }

  /// The number under which a program started by this process finds the lock.
  ///
  /// - Throws: ``PipelineError`` `.internalError`.
  public func handOn() throws(PipelineError) -> Int32 {
    guard fcntl(descriptor.rawValue, F_SETFD, 0) == 0 else {
      throw PipelineError(.internalError, "cannot hand on the lock: \(Errno(rawValue: errno))")
    }
    return descriptor.rawValue
  }

  /// Whether the environment names an open file that is this lock file and has the lock.
  private static func isInherited(_ path: FilePath) -> Bool {
    guard let value = unsafe getenv(variable), let number = unsafe Int32(String(cString: value))
    else { return false }
    var inherited = stat()
    var current = stat()
    return unsafe fstat(number, &inherited) == 0 && stat(path.string, &current) == 0
      && inherited.st_ino == current.st_ino && inherited.st_dev == current.st_dev
      && flock(number, LOCK_EX | LOCK_NB) == 0
  }

  deinit { try? descriptor.close() }
}
