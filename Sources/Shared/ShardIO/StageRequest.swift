internal import Glibc
public import SystemPackage

/// Everything that determines the output of a stage, known before the stage does its work.
///
/// A stage that commits its output with a request keeps it there; a later one compares its own request with it and need
/// not run where they are equal. Neither the version of the program nor threads nor the names of folders are part of it.
public struct StageRequest: Sendable {
  private let stage: String
  private let output: FilePath
  /// All options that determine the output, by name, as text.
  public var configuration: [String: String]
  /// The outputs of earlier stages that are read.
  public let inputs: [StageReference]
  /// The files of the user that are read.
  public let files: [SourceFile]
  /// Whether the output has a manifest, as that of every stage.
  private let hasManifest: Bool
  /// How long earlier processes worked on what this one went on with, and from which step it went on; nil for none.
  public var earlierWork: (seconds: Double, step: Int)?
  private let start = ContinuousClock.now

  /// Creates a request from its parts.
  ///
  /// - Parameters:
  ///   - stage: the stage.
  ///   - output: the directory that it writes.
  ///   - configuration: all options that determine the output, with their defaults.
  ///   - inputs: the outputs of earlier stages that it reads.
  ///   - files: the files of the user that it reads, in an order that does not depend on chance.
  ///   - hasManifest: false for a folder of plain files; `files` are then the files that it writes.
  public init(
    stage: String, output: FilePath, configuration: [String: String],
    inputs: [StageReference] = [], files: [SourceFile] = [], hasManifest: Bool = true
  ) {
    self.stage = stage
    self.output = output
    self.configuration = configuration
    self.inputs = inputs
    self.files = files
    self.hasManifest = hasManifest
  }

  /// Why the stage has to run; nil if the output is what it would make.
  ///
  /// Files whose times or places differ are read and compared by their contents; where these are equal, the record is
  /// brought up to date, so that the next look is quick.
  public func reasonToRun() -> String? {
    var manifest = ""
    if hasManifest {
      do throws(PipelineError) {
        manifest = try StageInput(directory: output, expecting: stage).reference.checksum
      } catch {
        return error.kind == .missingInput ? "there is no output yet" : error.message
      }
    }
    guard var record = StageRecord(output), record.manifest == manifest else {
      return "it is not known what the output was made from"
    }
    if let difference = difference(from: record) { return difference }
    var isMoved = false
    var known = record.files ?? []
    for (index, file) in files.enumerated() where known[index].mark != file.mark {
      guard let mark = file.mark, mark.byteCount == known[index].mark.byteCount,
        let checksum = try? file.checksumAfterReading(), checksum == known[index].checksum
      else { return "\(quoted(file.name)) has other contents" }
      known[index].mark = mark
      isMoved = true
    }
    record.files = known
    let isUntidy = hasManifest && !StageDirectory(output).hasRightAliases
    if isMoved || isUntidy, let lock = try? DirectoryLock(output) {
      if isMoved { try? record.write(to: output) }
      if isUntidy { try? StageDirectory(output).repair() }
      _ = consume lock
    }
    return nil
  }

  /// What differs without a look into the files; nil if nothing does.
  private func difference(from record: StageRecord) -> String? {
    for name in Set(configuration.keys).union(record.configuration.keys).sorted() {
      let (old, new) = (record.configuration[name], configuration[name])
      guard old != new else { continue }
      let option = name.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
      return "'--\(option)' was \(old ?? "unknown") and is \(new ?? "unknown")"
    }
    for input in inputs where !record.inputs.contains(input) {
      return "the output of \(quoted(input.stage)) is another one"
    }
    guard Set(inputs) == Set(record.inputs) else { return "it read other outputs" }
    guard let known = record.files, files.allSatisfy({ $0.mark != nil }) else {
      return "an input is no regular file"
    }
    for (file, old) in zip(files, known) where file.role != old.role || file.name != old.name {
      return "\(quoted(old.name)) was read there, now \(quoted(file.name))"
    }
    if files.count > known.count { return "\(quoted(files[known.count].name)) is new" }
    if files.count < known.count { return "\(quoted(known[files.count].name)) is gone" }
    return nil
  }

  /// What is kept of this request, now that all files have been read.
  ///
  /// - Throws: ``PipelineError`` `.temporaryFailure` if one of them was changed meanwhile.
  func record() throws(PipelineError) -> StageRecord {
    var known: [StageRecord.File]? = []
    for file in files {
      guard let mark = file.mark, let checksum = try file.checksumAfterReading() else {
        known = nil
        continue
      }
      known?.append(
        StageRecord.File(role: file.role, name: file.name, mark: mark, checksum: checksum))
    }
    let elapsed = (ContinuousClock.now - start).components
    let milliseconds = elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    // 0 is RUSAGE_SELF.
    var usage = rusage()
    _ = unsafe getrusage(0, &usage)
    return StageRecord(
      manifest: "", configuration: configuration, inputs: inputs, files: known,
      seconds: Double(milliseconds) / 1000 + (earlierWork?.seconds ?? 0),
      peakMegabytes: Int64(usage.ru_maxrss) / 1024,
      resumedStep: earlierWork.map { Int64($0.step) })
  }

  /// Keeps this request of an output that has no manifest.
  ///
  /// - Throws: ``PipelineError``: `.temporaryFailure`, `.cannotCreate`, `.inputOutput`.
  public func keep() throws(PipelineError) { try record().write(to: output) }
}
