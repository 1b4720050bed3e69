public import SystemPackage
internal import Threading

/// The finished output of an earlier stage, as its manifest describes it.
public struct StageInput: Sendable {
  /// The directory.
  public let directory: FilePath
  /// What the stage recorded.
  public let manifest: Manifest
  /// What a stage that reads this output must record.
  public let reference: StageReference
  private let threads: Int

  /// Reads the manifest, and checks that every listed file is there with its size.
  ///
  /// - Parameters:
  ///   - directory: the stage's output directory.
  ///   - stage: the stage that must have written it.
  ///   - threads: how many shards may be read at once.
  /// - Throws: ``PipelineError``: `.missingInput` if the stage has not finished, `.dataFormat` if the manifest or a
  ///   file is damaged, `.configuration` if another stage wrote it. Where the stage is run again while this is read, later reads
  ///   can throw `.temporaryFailure`.
  public init(
    directory: FilePath, expecting stage: String, threads: Int = 1
  ) throws(PipelineError) {
    self.directory = directory
    self.threads = threads
    var bytes = try Self.manifestBytes(directory, stage: stage)
    while true {
      let found = try Self.manifest(bytes, directory, stage: stage)
      do throws(PipelineError) {
        try Self.requireFiles(found, directory)
        manifest = found
        reference = StageReference(stage: stage, checksum: checksum(bytes))
        return
      } catch {
        // A run that was committed in between has removed files of the one before.
        let current = try Self.manifestBytes(directory, stage: stage)
        guard current != bytes else { throw error }
        bytes = current
      }
    }
  }

  private static func manifestBytes(
    _ directory: FilePath, stage: String
  ) throws(PipelineError) -> [UInt8] {
    let path = directory.appending(Manifest.fileName)
    do throws(PipelineError) {
      return try readWholeFile(path)
    } catch {
      guard error.kind == .missingInput, !FileSystem.exists(path) else { throw error }
      if FileSystem.byteCount(directory) != nil { throw .notAStage(directory, stage: stage) }
      throw .noManifest(path, stage: stage)
    }
  }

  private static func manifest(
    _ bytes: [UInt8], _ directory: FilePath, stage: String
  ) throws(PipelineError) -> Manifest {
    let path = directory.appending(Manifest.fileName)
    let manifest = try Manifest(parsing: bytes, path: path)
    guard manifest.stage == stage else {
      throw .wrongStage(path, found: manifest.stage, expected: stage)
    }
    return manifest
  }

  /// Requires that every listed file is there with its size.
  private static func requireFiles(
    _ manifest: Manifest, _ directory: FilePath
  ) throws(PipelineError) {
    for output in manifest.outputs {
      let file = directory.appending(output.name)
      guard let byteCount = FileSystem.byteCount(file) else { throw .listedFileMissing(file) }
      guard byteCount == output.bytes else {
        throw .listedFileSize(file, found: byteCount, expected: output.bytes)
      }
    }
  }

  /// Reads every listed file and compares it with its checksum, one at a time.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if one is damaged or missing.
  public func requireIntact() throws(PipelineError) {
    for output in manifest.outputs { _ = try verifiedBytes(output) }
  }

  /// Whether the stage wrote a table of this kind.
  public func hasTable(_ kind: String) -> Bool { !shards(kind).isEmpty }

  /// All shards of a kind as one table.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if there is none, or if one is damaged.
  public func table(_ kind: String) throws(PipelineError) -> Table {
    let listed = shards(kind)
    let parts = try parallelMap(listed.count, threads: threads) { index throws(PipelineError) in
      try shard(listed[index], kind)
    }
    if parts.count == 1 { return parts[0] }
    guard !parts.isEmpty else { throw .noTable(kind, directory) }
    return try Table(joining: consume parts)
  }

  /// The number of shards of a kind.
  public func shardCount(_ kind: String) -> Int { shards(kind).count }

  /// One shard of a kind, for readers that go through a table of any size piece by piece.
  ///
  /// - Parameters:
  ///   - kind: the kind.
  ///   - index: which of its shards, in the order of the rows; below ``shardCount(_:)``.
  /// - Returns: its rows.
  /// - Throws: ``PipelineError`` `.dataFormat` if it is damaged.
  public func table(_ kind: String, shard index: Int) throws(PipelineError) -> Table {
    try shard(shards(kind)[index], kind)
  }

  /// The bytes of a file that the stage wrote under this name.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if there is none, or if it is damaged.
  public func file(_ name: String) throws(PipelineError) -> [UInt8] {
    guard let output = manifest.outputs.first(where: { $0.kind == name && $0.rows == nil }) else {
      throw .noFile(name, directory)
    }
    return try verifiedBytes(output)
  }

  /// Checks that this output was made from `other`.
  ///
  /// - Throws: ``PipelineError`` `.configuration` with both checksums if it was not.
  public func requireInput(_ other: StageInput) throws(PipelineError) {
    let recorded = manifest.inputs.filter { $0.stage == other.reference.stage }
    let path = directory.appending(Manifest.fileName)
    guard !recorded.isEmpty else {
      throw .notAnInput(other.reference.stage, of: manifest.stage, at: path)
    }
    guard recorded.contains(other.reference) else {
      throw .inputsDiffer(
        other.reference, of: manifest.stage, recorded: recorded.map(\.checksum),
        other: other.directory, at: path)
    }
  }

  private func shard(_ output: Manifest.Output, _ kind: String) throws(PipelineError) -> Table {
    let path = directory.appending(output.name)
    let table = try Table(shard: try verifiedBytes(output), path: path.string)
    guard table.kind == kind, table.rowCount == output.rows else {
      throw .manifest(
        "the shard holds \(table.rowCount) rows of \(quoted(table.kind)), "
          + "the manifest says \(output.rows ?? 0) of \(quoted(kind))", path)
    }
    return table
  }

  private func shards(_ kind: String) -> [Manifest.Output] {
    manifest.outputs.filter { $0.kind == kind && $0.rows != nil }
  }

  private func verifiedBytes(_ output: Manifest.Output) throws(PipelineError) -> [UInt8] {
    let path = directory.appending(output.name)
    let bytes: [UInt8]
    do throws(PipelineError) {
      bytes = try readWholeFile(path)
    } catch {
      guard error.kind == .missingInput, !FileSystem.exists(path) else { throw error }
      let current = try? readWholeFile(directory.appending(Manifest.fileName))
      guard let current, checksum(current) != reference.checksum else {
        throw .listedFileMissing(path)
      }
      throw .replaced(directory, stage: manifest.stage)
    }
    guard bytes.count == output.bytes else {
      throw .listedFileSize(path, found: bytes.count, expected: output.bytes)
    }
    let found = checksum(bytes)
    guard found == output.checksum else {
      throw .listedFileChecksum(path, found: found, expected: output.checksum)
    }
    return bytes
  }
}
