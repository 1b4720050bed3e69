internal import SystemPackage

/// Every sentence that a user can read from ShardIO.
extension PipelineError {
  // MARK: - Tables

  static func missingColumn(_ name: String, table: String, at place: Location?) -> PipelineError {
    PipelineError(.dataFormat, "table \(quoted(table)) has no column \(quoted(name))", at: place)
  }

  static func columnShape(
    _ name: String, found: ColumnShape, expected: ColumnShape, at place: Location?
  ) -> PipelineError {
    PipelineError(
      .dataFormat, "column \(quoted(name)) is of shape \(found), expected \(expected)", at: place)
  }

  static func columnType(
    _ name: String, found: ElementType, expected: String, at place: Location?
  ) -> PipelineError {
    PipelineError(
      .dataFormat, "column \(quoted(name)) has elements of type \(found), expected \(expected)",
      at: place)
  }

  // MARK: - Shards

  /// A shard breaks a rule of the format.
  static func shard(_ message: String, _ path: String, _ offset: Int) -> PipelineError {
    PipelineError(
      .dataFormat, message, at: Location(path: path, byteOffset: offset),
      note: "the file was damaged or was not written by this program; run the stage again")
  }

  static func shardsDiffer(_ kind: String, _ path: String) -> PipelineError {
    PipelineError(
      .dataFormat, "the columns differ from those of the first shard of \(quoted(kind))",
      at: Location(path: path))
  }

  static func zstandard(_ words: String) -> PipelineError {
    PipelineError(.internalError, "zstd: \(words)")
  }

  // MARK: - Files

  static func cannotOpen(_ path: FilePath, _ cause: Errno) -> PipelineError {
    let words = cause == .noSuchFileOrDirectory ? "no such file" : "cannot open: \(cause)"
    return PipelineError(.missingInput, words, at: Location(path: path.string))
  }

  static func cannotRead(_ path: FilePath, _ cause: Errno) -> PipelineError {
    PipelineError(.inputOutput, "cannot read: \(cause)", at: Location(path: path.string))
  }

  static func cannotCreate(_ path: FilePath, _ cause: Errno) -> PipelineError {
    PipelineError(.cannotCreate, "cannot create: \(cause)", at: Location(path: path.string))
  }

  static func output(_ verb: String, _ path: FilePath, _ cause: Errno) -> PipelineError {
    PipelineError(.inputOutput, "cannot \(verb): \(cause)", at: Location(path: path.string))
  }

  static func cannotLink(_ path: FilePath, _ cause: Errno) -> PipelineError {
    let isUnknown = [.notPermitted, .notSupported, .noFunction].contains(cause)
    return PipelineError(
      .inputOutput, "cannot link: \(cause)", at: Location(path: path.string),
      note: isUnknown
        ? "the output is whole; its names need a file system with symbolic links" : nil)
  }

  static func writtenDiffers(_ path: FilePath, found: Int, expected: Int) -> PipelineError {
    let size = found == expected ? "\(found) other bytes" : "\(found) bytes"
    return PipelineError(
      .inputOutput, "the file holds \(size), not the \(expected) that were written",
      at: Location(path: path.string),
      note: "another program wrote into it, or the disk is failing; run the stage again")
  }

  // MARK: - Stages

  static func nameTaken(_ path: FilePath) -> PipelineError {
    PipelineError(
      .cannotCreate, "the stage writes a file of this name, but there is one that it did not write",
      at: Location(path: path.string), note: "move it away, or choose another --output")
  }

  static func locked(_ directory: FilePath, _ holder: LockHolder?) -> PipelineError {
    PipelineError(
      .temporaryFailure, "another run holds the lock\(LockHolder.words(holder))",
      at: Location(path: directory.string), note: "wait for it, or choose another --output")
  }

  static func runLocked(_ run: FilePath, _ holder: LockHolder?) -> PipelineError {
    PipelineError(
      .temporaryFailure, "another run is under way\(LockHolder.words(holder))",
      at: Location(path: run.string), note: "wait for it, or choose another RUN")
  }

  static func occupied(_ directory: FilePath, by found: String, stage: String) -> PipelineError {
    PipelineError(
      .configuration, "this directory holds the output of stage \(quoted(found))",
      at: Location(path: directory.string),
      note: "the output of stage \(quoted(stage)) needs a directory of its own")
  }

  static func notAStage(_ path: FilePath, stage: String) -> PipelineError {
    PipelineError(
      .missingInput, "this is a file, not a directory that stage \(quoted(stage)) wrote",
      at: Location(path: path.string))
  }

  static func noManifest(_ path: FilePath, stage: String) -> PipelineError {
    PipelineError(
      .missingInput, "no such file", at: Location(path: path.string),
      note: "the \(stage) stage has not finished; run 'make \(stage)'")
  }

  static func manifest(_ message: String, _ path: FilePath) -> PipelineError {
    PipelineError(
      .dataFormat, message, at: Location(path: path.string),
      note: "the file was changed or damaged after it was written; run the stage again")
  }

  static func manifestVersion(_ found: Int64, _ path: FilePath) -> PipelineError {
    PipelineError(
      .dataFormat, "format version \(found), this program reads \(Manifest.currentFormatVersion)",
      at: Location(path: path.string),
      note: "another version of the programs wrote this output; run the stage again with this one")
  }

  static func wrongStage(_ path: FilePath, found: String, expected: String) -> PipelineError {
    PipelineError(
      .configuration, "this is the output of stage \(quoted(found)), expected \(quoted(expected))",
      at: Location(path: path.string))
  }

  static func replaced(_ directory: FilePath, stage: String) -> PipelineError {
    PipelineError(
      .temporaryFailure,
      "another run of stage \(quoted(stage)) has replaced this output while it was read",
      at: Location(path: directory.string), note: "run this again")
  }

  static func listedFileMissing(_ path: FilePath) -> PipelineError {
    PipelineError(
      .dataFormat, "the manifest lists this file, but it does not exist",
      at: Location(path: path.string), note: "run the stage again")
  }

  static func listedFileSize(_ path: FilePath, found: Int, expected: Int) -> PipelineError {
    manifest("the file has \(found) bytes, the manifest says \(expected)", path)
  }

  static func listedFileChecksum(
    _ path: FilePath, found: String, expected: String
  )
    -> PipelineError
  {
    manifest("checksum \(found) does not match \(expected) in the manifest", path)
  }

  static func noTable(_ kind: String, _ path: FilePath) -> PipelineError {
    PipelineError(
      .dataFormat, "the stage has no table \(quoted(kind))", at: Location(path: path.string))
  }

  static func noFile(_ name: String, _ path: FilePath) -> PipelineError {
    PipelineError(
      .dataFormat, "the stage has no file \(quoted(name))", at: Location(path: path.string))
  }

  static func notAnInput(_ other: String, of stage: String, at path: FilePath) -> PipelineError {
    PipelineError(
      .configuration, "stage \(quoted(stage)) did not read any output of stage \(quoted(other))",
      at: Location(path: path.string),
      note: "run 'make \(stage)', which makes it anew where it must")
  }

  static func inputsDiffer(
    _ other: StageReference, of stage: String, recorded: [String], other otherPath: FilePath,
    at path: FilePath
  ) -> PipelineError {
    PipelineError(
      .configuration,
      "this was not made from \(otherPath.string), whose manifest has checksum \(other.checksum), "
        + "but from one with \(recorded.joined(separator: ", "))",
      at: Location(path: path.string),
      note: "run 'make \(stage)', which makes it anew from what is there now")
  }
}
