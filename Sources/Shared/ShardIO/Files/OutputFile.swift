internal import SystemPackage

/// A file of a stage's output while it is being written; see ``StageOutput/beginFile(_:)``.
public struct OutputFile: ~Copyable {
  /// The name under which people will find it.
  public let name: String
  private var file: AtomicFile

  init(_ name: String, in directory: FilePath) throws(PipelineError) {
    file = try AtomicFile(replacing: directory.appending(name))
    self.name = name
  }

  /// Appends bytes; small pieces are collected and written together.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`, for example when the disk is full.
  public mutating func append(_ bytes: [UInt8]) throws(PipelineError) {
    try file.append(bytes)
  }

  /// Gives the file its name in `directory`, which contains the checksum.
  consuming func commit(
    in directory: FilePath, stem: String, extension suffix: String
  ) throws(PipelineError) -> Manifest.Output {
    let checksum = file.checksum
    let output = Manifest.Output(
      name: StageDirectory.fileName(stem: stem, checksum: checksum, extension: suffix), kind: name,
      bytes: file.byteCount, rows: nil, checksum: checksum)
    try file.commit(as: directory.appending(output.name))
    return output
  }
}
