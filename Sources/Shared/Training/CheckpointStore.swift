internal import Dataset
internal import Numerics
public import ShardIO
public import SystemPackage
internal import Tape

/// The last two checkpoints of a training, each the output of a stage in a directory of its own.
///
/// A checkpoint replaces the older of the two, by the commit protocol of every output: whenever the program dies, the
/// newest finished checkpoint is whole and so is the one before it, unless that one was being replaced.
public struct CheckpointStore {
  /// What is written in the manifest of a checkpoint.
  public static let stage = "train-checkpoint"
  private static let slotNames = ["1", "2"]

  /// The directory of both.
  public let directory: FilePath
  private let configuration: [String: JSONValue]
  private let inputs: [StageReference]
  private let threads: Int

  /// - Parameters:
  ///   - output: the output directory of the training.
  ///   - configuration: the resolved options that determine the output.
  ///   - inputs: the outputs of earlier stages that are read.
  ///   - threads: how many shards may be written or read at once.
  public init(
    output: FilePath, configuration: [String: JSONValue], inputs: [StageReference], threads: Int
  ) {
    directory = output.appending("checkpoints")
    self.configuration = configuration
    self.inputs = inputs
    self.threads = threads
  }

  /// What lies in one of the two places.
  enum Slot {
    case empty
    /// A checkpoint of this very training after a number of steps.
    case ours(StageInput, step: Int)
    /// A checkpoint of a training with other settings; what differs, in words.
    case foreign(String)
    /// A checkpoint whose manifest or files are not what was written.
    case damaged(PipelineError)
  }

  /// The contents of both places, with their paths.
  func slots() -> [(path: FilePath, slot: Slot)] {
    Self.slotNames.map { (directory.appending($0), slot(directory.appending($0))) }
  }

  private func slot(_ path: FilePath) -> Slot {
    let input: StageInput
    do throws(PipelineError) {
      input = try StageInput(directory: path, expecting: Self.stage, threads: threads)
    } catch {
      return error.kind == .missingInput ? .empty : .damaged(error)
    }
    if let difference = difference(from: input.manifest) { return .foreign(difference) }
    guard let step = input.manifest.counters["step"]?.integerValue else {
      return .damaged(.checkpointShape("step", input))
    }
    return .ours(input, step: Int(step))
  }

  /// What differs between this training and that of a checkpoint, or nil.
  private func difference(from manifest: Manifest) -> String? {
    if manifest.programVersion != programVersion {
      return "program version \(manifest.programVersion), now \(programVersion)"
    }
    // As text, since a number without a fraction is read back as an integer.
    for name in Set(manifest.configuration.keys).union(configuration.keys).sorted() {
      let found = words(manifest.configuration[name] ?? .null)
      let now = words(configuration[name] ?? .null)
      if found != now { return "\(name) \(found), now \(now)" }
    }
    return manifest.inputs == inputs ? nil : "other outputs of the earlier stages"
  }

  private func words(_ value: JSONValue) -> String {
    guard let bytes = try? value.json(isPretty: false) else { return "?" }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let secondsCounter = "seconds"

  /// How long a training had taken when a checkpoint was written; 0 where that is not known.
  static func seconds(_ input: StageInput) -> Double {
    let found = input.manifest.counters[secondsCounter]?.numberValue ?? 0
    return found.isFinite && found > 0 ? found : 0
  }

  /// Writes a checkpoint over whatever is at `path`.
  ///
  /// - Parameters:
  ///   - position: where the training stands.
  ///   - blocks: its numbers.
  ///   - seconds: how long all processes have worked on it.
  ///   - path: one of the two places.
  /// - Throws: `PipelineError`: `.cannotCreate`, `.inputOutput`.
  func write(
    _ position: TrainingPosition, _ blocks: [StateBlock], seconds: Double, to path: FilePath
  ) throws(PipelineError) {
    do throws(PipelineError) {
      try writeOutput(position, blocks, seconds, to: path)
    } catch {
      removeDirectoryIfEmpty(directory)
      throw error
    }
  }

  private func writeOutput(
    _ position: TrainingPosition, _ blocks: [StateBlock], _ seconds: Double, to path: FilePath
  ) throws(PipelineError) {
    var output = try StageOutput(directory: path, stage: Self.stage, threads: threads)
    for table in position.tables { try output.write(table) }
    for block in blocks {
      try output.write(
        Table(
          kind: block.name, rowCount: block.buffer.count / block.width,
          columns: [.fixed("values", block.buffer.array, width: block.width)]))
    }
    try output.writeFile(TrainingPosition.logName, position.log)
    try output.commit(
      configuration: configuration, inputs: inputs,
      counters: [
        "step": JSONValue(position.stepCount), "epoch": JSONValue(position.epoch),
        Self.secondsCounter: .number(seconds),
      ])
  }

  /// Reads a checkpoint into the blocks.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if a file is damaged; the blocks are then partly overwritten.
  func read(
    _ input: StageInput, into blocks: [StateBlock], _ rules: TrainingPosition.Rules
  ) throws(PipelineError) -> TrainingPosition {
    let position = try TrainingPosition(input, rules)
    for block in blocks {
      let table = try input.table(block.name)
      guard table.rowCount * block.width == block.buffer.count,
        try table.width(of: "values") == block.width
      else { throw .checkpointShape(block.name, input) }
      let values = try table.fixed("values", as: Float.self)
      let stepLimit = position.stepCount - position.averagedStep
      if let fault = block.firstFault(in: values, stepLimit: stepLimit) {
        throw TableRules(input, block.name)
          .broken("\(fault.found) in 'values'", row: fault.row, expected: fault.rule)
      }
      block.buffer.set(values)
    }
    return position
  }

  /// Removes both, whatever they are.
  ///
  /// - Throws: `PipelineError` `.inputOutput`.
  func removeAll() throws(PipelineError) {
    for name in Self.slotNames {
      try StageOutput.remove(directory.appending(name), stage: Self.stage)
    }
    removeDirectoryIfEmpty(directory)
  }
}
