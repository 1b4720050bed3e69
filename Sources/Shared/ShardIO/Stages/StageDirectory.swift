internal import Glibc
internal import SystemPackage

/// The housekeeping of an output directory; only the holder of its lock may call it.
struct StageDirectory {
  /// The digits of the checksum in a file's name.
  static let hashDigitCount = 16
  /// The end of the name of a file that is being written.
  private static let partialSuffix = ".partial"
  private let directory: FilePath

  /// The name of a file with a checksum.
  static func fileName(stem: String, checksum: String, extension suffix: String) -> String {
    "\(stem)-\(checksum.prefix(hashDigitCount)).\(suffix)"
  }

  init(_ directory: FilePath) { self.directory = directory }

  /// Refuses a directory that holds the output of another stage, which would be lost.
  ///
  /// - Throws: ``PipelineError`` `.configuration`.
  func require(stage: String) throws(PipelineError) {
    guard let found = currentManifest()?.stage, found != stage else { return }
    throw .occupied(directory, by: found, stage: stage)
  }

  /// Brings the directory to what its manifest says: flips links to the listed files, removes files that are not listed.
  ///
  /// Beside a manifest that cannot be read, perhaps that of a newer program, only partial files are removed.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`.
  func repair() throws(PipelineError) {
    let names = try FileSystem.names(in: directory)
    let manifest = currentManifest()
    if let manifest { try repairAliases(manifest) }
    let isReadable = manifest != nil || !names.contains(Manifest.fileName)
    let listed = Set(manifest?.outputs.map(\.name) ?? [])
    for name in names where !listed.contains(name) {
      let path = directory.appending(name)
      let isLeftOver = isReadable && (Self.isOurs(name) || isStaleAlias(path, listed))
      if isLeftOver || name.hasSuffix(Self.partialSuffix) { try FileSystem.remove(path) }
    }
  }

  /// Whether the links lead to the listed files; not so after a crash between the manifest and the links.
  var hasRightAliases: Bool { currentManifest().map { wrongAliases($0).isEmpty } ?? false }

  /// Points the links at the listed files, where they do not already; what is no link is not ours and stays.
  private func repairAliases(_ manifest: Manifest) throws(PipelineError) {
    for output in wrongAliases(manifest) {
      try FileSystem.replaceLink(directory.appending(output.kind), target: output.name)
    }
  }

  /// The listed files whose links are missing or lead elsewhere.
  private func wrongAliases(_ manifest: Manifest) -> [Manifest.Output] {
    manifest.outputs.filter { output in
      guard output.rows == nil else { return false }
      let path = directory.appending(output.kind)
      let target = FileSystem.linkTarget(path)
      return target != output.name && (target != nil || !FileSystem.exists(path))
    }
  }

  /// Refuses a name under which people are to find a file, if something that is no link of ours has it.
  ///
  /// - Throws: ``PipelineError`` `.cannotCreate`.
  func requireFree(alias name: String) throws(PipelineError) {
    let path = directory.appending(name)
    guard FileSystem.linkTarget(path) != nil || !FileSystem.exists(path) else {
      throw .nameTaken(path)
    }
  }

  /// Removes a directory in which no run was ever finished, if it holds nothing else.
  func removeIfNothingWasCommitted(_ lock: borrowing DirectoryLock) {
    guard let names = try? FileSystem.names(in: directory),
      Set(names).subtracting([DirectoryLock.fileName, StageRecord.fileName]).isEmpty
    else { return }
    try? FileSystem.remove(directory.appending(StageRecord.fileName))
    lock.removeFile()
    removeIfEmpty()
  }

  /// Removes the directory, unless there is something in it.
  func removeIfEmpty() { _ = unsafe rmdir(directory.string) }

  private func currentManifest() -> Manifest? {
    let path = directory.appending(Manifest.fileName)
    guard let bytes = try? readWholeFile(path) else { return nil }
    return try? Manifest(parsing: bytes, path: path)
  }

  /// Whether a name is that of a file under way or of one with a checksum.
  static func isReserved(_ name: String) -> Bool { name.hasSuffix(partialSuffix) || isOurs(name) }

  /// Whether only ``StageOutput`` gives such names: `…-<16 hexadecimal digits>.<extension>`.
  private static func isOurs(_ name: String) -> Bool {
    guard let stem = FileName(name)?.stem.utf8 else { return false }
    guard stem.count > hashDigitCount else { return false }
    let hash = stem.suffix(hashDigitCount)
    let dash = stem[stem.index(hash.startIndex, offsetBy: -1)]
    return dash == UInt8(ascii: "-")
      && hash.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Whether a name is a link to one of our files that is not listed any more.
  private func isStaleAlias(_ path: FilePath, _ listed: Set<String>) -> Bool {
    guard let target = FileSystem.linkTarget(path) else { return false }
    return Self.isOurs(target) && !listed.contains(target)
  }
}
