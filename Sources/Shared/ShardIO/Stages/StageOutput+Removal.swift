public import SystemPackage

extension StageOutput {
  /// Removes what a stage has written into a directory, and the directory if nothing else is in it.
  ///
  /// The manifest goes first: after a crash there is either the whole output or none. That there is no such directory is
  /// no failure.
  ///
  /// - Parameters:
  ///   - directory: the output directory of the stage.
  ///   - stage: the stage that wrote it.
  /// - Throws: ``PipelineError``: `.configuration` if another stage wrote it, `.temporaryFailure` if a run is writing to
  ///   it, `.inputOutput`.
  public static func remove(_ directory: FilePath, stage: String) throws(PipelineError) {
    guard FileSystem.isDirectory(directory) else { return }
    let lock = try DirectoryLock(directory)
    try StageDirectory(directory).require(stage: stage)
    try FileSystem.remove(directory.appending(Manifest.fileName))
    try FileSystem.remove(directory.appending(StageRecord.fileName))
    try FileSystem.flushDirectory(directory)
    try StageDirectory(directory).repair()
    StageDirectory(directory).removeIfNothingWasCommitted(lock)
  }
}

/// Removes a directory, unless there is something in it or it does not exist.
public func removeDirectoryIfEmpty(_ directory: FilePath) {
  StageDirectory(directory).removeIfEmpty()
}
