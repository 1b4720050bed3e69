public import SystemPackage

/// A file of the user that a stage reads, and how it was before the stage began.
public struct SourceFile: Sendable, Equatable {
  /// What the file is to the stage, for example `interactions`.
  public let role: String
  /// The file as the user named it.
  public let path: FilePath
  /// What the system said of it; nil for what is no regular file, for example a pipe.
  let mark: FileMark?

  /// Looks at a file; one that is not there is refused by whatever reads it.
  ///
  /// - Parameters:
  ///   - role: what it is to the stage.
  ///   - path: the file; a symbolic link stands for what it leads to.
  public init(_ role: String, _ path: String) {
    self.role = role
    self.path = FilePath(path)
    mark = FileMark.settled(self.path)
  }

  /// The last part of the path, which tells files of one role apart wherever their folder lies.
  var name: String { path.lastComponent?.string ?? "" }

  /// The checksum of what has been read.
  ///
  /// - Returns: the checksum; nil for what is no regular file.
  /// - Throws: ``PipelineError`` `.temporaryFailure` if the file has changed since it was looked at.
  func checksumAfterReading() throws(PipelineError) -> String? {
    guard let mark else { return nil }
    guard FileMark(path) == mark else { throw .changedWhileRead(path) }
    let checksum = try checksumOfFile(path)
    guard FileMark(path) == mark else { throw .changedWhileRead(path) }
    return checksum
  }
}

extension PipelineError {
  fileprivate static func changedWhileRead(_ path: FilePath) -> PipelineError {
    PipelineError(
      .temporaryFailure, "this file was changed while it was read; nothing is written",
      at: Location(path: path.string),
      note: "run again when nothing writes to it, or give a copy that stays as it is")
  }
}
