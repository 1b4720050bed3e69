public import SystemPackage
internal import Threading

/// The one writer of a stage's output directory; nothing counts until ``commit(configuration:inputs:counters:request:)``.
///
/// Files get names that contain their checksum, so a new run never overwrites a file of the old one, and equal runs
/// give equal directories. The manifest is replaced last; then files that it does not list are removed. A value
/// that ends without a commit removes what it has written.
public struct StageOutput: ~Copyable {
  /// The directory that is written.
  public let directory: FilePath
  private let stage: String
  private let threads: Int
  private let lock: DirectoryLock
  /// The right to change the RUN that the directory belongs to, where it belongs to one.
  private let runLock: RunLock?
  private var outputs: [Manifest.Output] = []
  private var isCommitted = false

  /// Creates and locks the directory, and clears away what a crashed run left in it.
  ///
  /// - Parameters:
  ///   - directory: where to write; created with those above it if need be.
  ///   - stage: the stage that writes, for example `tokenize`.
  ///   - threads: how many shards may be compressed at once; the files do not depend on it.
  /// - Throws: ``PipelineError``: `.cannotCreate`; `.temporaryFailure` if another process holds the lock;
  ///   `.configuration` if the directory holds the output of another stage.
  public init(directory: FilePath, stage: String, threads: Int = 1) throws(PipelineError) {
    let runLock = try RunLock(output: directory)
    try FileSystem.createDirectory(directory)
    // Nothing is stored before the last throw: a noncopyable value is initialized whole or not at all.
    let lock: DirectoryLock
    do throws(PipelineError) {
      lock = try DirectoryLock(directory)
    } catch {
      StageDirectory(directory).removeIfEmpty()
      throw error
    }
    try StageDirectory(directory).require(stage: stage)
    try StageDirectory(directory).repair()
    self.lock = lock
    self.runLock = runLock
    self.directory = directory
    self.stage = stage
    self.threads = threads
  }

  /// Writes a table as shards `<kind>-00000-<hash>.h2s` and so on; further calls with the same kind append rows.
  ///
  /// - Precondition: all tables of a kind have the same columns.
  /// - Throws: ``PipelineError`` `.cannotCreate`, `.inputOutput`.
  public mutating func write(_ table: Table) throws(PipelineError) {
    try write(TableSource(table))
  }

  /// Writes a table that is made shard by shard; no more shards are in memory than threads.
  ///
  /// - Precondition: all tables of a kind have the same columns.
  /// - Throws: ``PipelineError`` `.cannotCreate`, `.inputOutput`, and what the source throws.
  public mutating func write(_ source: TableSource) throws(PipelineError) {
    let first = outputs.count { $0.kind == source.kind && $0.rows != nil }
    let directory = directory
    outputs += try parallelMap(source.shardCount, threads: threads) {
      index throws(PipelineError) in
      try Self.writeShard(
        try source.shard(index), kind: source.kind, rowCount: source.shards[index].count,
        number: first + index, in: directory)
    }
  }

  /// Writes a file that people open under `name`, a symbolic link to `<stem>-<hash>.<extension>`.
  ///
  /// - Precondition: `name` is a plain file name with an extension, and is written once.
  /// - Throws: ``PipelineError`` `.cannotCreate`, `.inputOutput`.
  public mutating func writeFile(_ name: String, _ bytes: [UInt8]) throws(PipelineError) {
    var file = try beginFile(name)
    try file.append(bytes)
    try endFile(file)
  }

  /// Starts a file of any size that people open under `name`; append to it, then call ``endFile(_:)``.
  ///
  /// - Precondition: `name` is a plain file name with an extension, and is written once.
  /// - Throws: ``PipelineError`` `.cannotCreate`, also if something else has the name.
  public func beginFile(_ name: String) throws(PipelineError) -> OutputFile {
    precondition(FileName(name) != nil, "a file name needs an extension")
    precondition(outputs.allSatisfy { $0.kind != name }, "\(name) was written already")
    try StageDirectory(directory).requireFree(alias: name)
    return try OutputFile(name, in: directory)
  }

  /// Makes a file that was begun part of the output.
  ///
  /// - Throws: ``PipelineError`` `.inputOutput`.
  public mutating func endFile(_ file: consuming OutputFile) throws(PipelineError) {
    let parts = FileName(file.name)
    try add(
      file.commit(
        in: directory, stem: String(parts?.stem ?? ""), extension: String(parts?.ending ?? "")))
  }

  /// Makes everything written the output of the stage, in one step.
  ///
  /// - Parameters:
  ///   - configuration: the resolved options.
  ///   - inputs: the outputs of earlier stages that were read.
  ///   - counters: what was counted on the way.
  ///   - request: what the output was made from, kept for a later run that need not do it again; nil for none.
  /// - Throws: ``PipelineError`` `.inputOutput`, and `.temporaryFailure` if a file of the request was changed while it was
  ///   read. The old output stands whole unless only a step after the replacement of the manifest failed; those steps
  ///   are made good by the next run.
  public consuming func commit(
    configuration: [String: JSONValue], inputs: [StageReference], counters: [String: JSONValue],
    request: StageRequest? = nil
  ) throws(PipelineError) {
    var record = try request?.record()
    let manifest = Manifest(
      stage: stage, programVersion: programVersion, configuration: configuration, inputs: inputs,
      outputs: outputs, counters: counters)
    let bytes = try manifest.json()
    // Before the manifest that it names: after a crash between the two the stage runs again, as it has to.
    record?.manifest = checksum(bytes)
    try record?.write(to: directory)
    try FileSystem.flushDirectory(directory)
    let path = directory.appending(Manifest.fileName)
    var file = try AtomicFile(replacing: path)
    try file.append(bytes)
    try file.commit(as: path)
    isCommitted = true
    try FileSystem.flushDirectory(directory)
    try StageDirectory(directory).repair()
  }

  /// Writes one shard under its final name; shards are written at the same time, so that one can be compressed while
  /// another waits for the disk.
  private static func writeShard(
    _ bytes: [UInt8], kind: String, rowCount: Int, number: Int, in directory: FilePath
  ) throws(PipelineError) -> Manifest.Output {
    let digits = String(number)
    let padding = String(repeating: "0", count: max(0, 5 - digits.count))
    let checksum = checksum(bytes)
    let name = StageDirectory.fileName(
      stem: "\(kind)-\(padding)\(digits)", checksum: checksum,
      extension: ShardFormat.fileExtension)
    let path = directory.appending(name)
    var file = try AtomicFile(replacing: path)
    try file.append(bytes)
    try file.commit(as: path)
    return Manifest.Output(
      name: name, kind: kind, bytes: bytes.count, rows: rowCount, checksum: checksum)
  }

  private mutating func add(_ output: Manifest.Output) { outputs.append(output) }

  deinit {
    if isCommitted { return }
    // What the old manifest does not list is ours and goes; what it lists stays, even if we wrote the same again.
    try? StageDirectory(directory).repair()
    StageDirectory(directory).removeIfNothingWasCommitted(lock)
  }
}
