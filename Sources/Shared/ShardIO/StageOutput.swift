public import SystemPackage

/// The one writer of a stage's output directory; nothing counts until ``commit(configuration:inputs:counters:)``.
///
/// Files get names that contain their checksum, so a new run never overwrites a file of the old one, and equal runs
/// give equal directories. The manifest is replaced last; then files that it does not list are removed. A value
/// that ends without a commit removes what it has written.
public struct StageOutput: ~Copyable {
  /// The directory that is written.
  public let directory: FilePath
  private let stage: String
  private let lock: DirectoryLock
  private var outputs: [Manifest.Output] = []
  private var writtenNames: [String] = []
  private var isCommitted = false

  /// Creates and locks the directory, and clears away what a crashed run left in it.
  ///
  /// - Throws: ``PipelineError``: `.cannotCreate`; `.temporaryFailure` if another process holds the lock.
  public init(directory: FilePath, stage: String) throws(PipelineError) {
    try FileSystem.createDirectory(directory)
    // Nothing is stored before the last throw: a noncopyable value is initialized whole or not at all.
    let lock = try DirectoryLock(directory)
    try StageDirectory(directory).repair()
    self.lock = lock
    self.directory = directory
    self.stage = stage
  }

  /// Writes a table as shards `<kind>-00000-<hash>.h2s` and so on; further calls with the same kind append rows.
  ///
  /// - Precondition: all tables of a kind have the same columns.
  /// - Throws: ``PipelineError`` `.cannotCreate`, `.inputOutput`.
  public mutating func write(_ table: Table) throws(PipelineError) {
    for range in table.shardRanges() {
      let number = outputs.count { $0.kind == table.kind && $0.rows != nil }
      let digits = String(number)
      let padding = String(repeating: "0", count: max(0, 5 - digits.count))
      try write(
        try table.rows(range).shard(), stem: "\(table.kind)-\(padding)\(digits)",
        extension: ShardFormat.fileExtension, kind: table.kind, rows: range.count)
    }
  }

  /// Writes a file that people open under `name`, a symbolic link to `<stem>-<hash>.<extension>`.
  ///
  /// - Precondition: `name` is a plain file name with an extension, and is written once.
  /// - Throws: ``PipelineError`` `.cannotCreate`, `.inputOutput`.
  public mutating func writeFile(_ name: String, _ bytes: [UInt8]) throws(PipelineError) {
    guard let component = FilePath.Component(name), let suffix = component.extension else {
      preconditionFailure("\(name) is not a file name with an extension")
    }
    precondition(outputs.allSatisfy { $0.kind != name }, "\(name) was written already")
    try write(bytes, stem: component.stem, extension: suffix, kind: name, rows: nil)
  }

  /// Makes everything written the output of the stage, in one step.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`. The old output stands whole unless only a step after the replacement
  ///   of the manifest failed; those steps are made good by the next run.
  public consuming func commit(
    configuration: [String: JSONValue], inputs: [StageReference], counters: [String: JSONValue]
  ) throws(PipelineError) {
    let manifest = Manifest(
      stage: stage, programVersion: programVersion, configuration: configuration, inputs: inputs,
      outputs: outputs, counters: counters)
    let bytes = try manifest.json()
    try FileSystem.flushDirectory(directory)
    let file = try AtomicFile(replacing: directory.appending(Manifest.fileName))
    try file.write(bytes)
    try file.commit()
    isCommitted = true
    try FileSystem.flushDirectory(directory)
    try StageDirectory(directory).repair()
  }

  private mutating func write(
    _ bytes: [UInt8], stem: String, extension suffix: String, kind: String, rows: Int?
  ) throws(PipelineError) {
    let checksum = checksum(bytes)
    let name = "\(stem)-\(checksum.prefix(StageDirectory.hashDigitCount)).\(suffix)"
    let path = directory.appending(name)
    // A file of the old output with these very contents stays as it is.
    if FileSystem.byteCount(path) != bytes.count || (try? readWholeFile(path)) != bytes {
      let file = try AtomicFile(replacing: path)
      try file.write(bytes)
      writtenNames.append(name)
      try file.commit()
    }
    outputs.append(
      Manifest.Output(name: name, kind: kind, bytes: bytes.count, rows: rows, checksum: checksum))
  }

  deinit {
    if isCommitted { return }
    for name in writtenNames { try? FileSystem.remove(directory.appending(name)) }
    StageDirectory(directory).removeIfNothingWasCommitted(lock)
  }
}
