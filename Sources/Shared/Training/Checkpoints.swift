public import CommandSupport
public import ShardIO
public import SystemPackage
internal import Tape

/// Saves a training while it is under way, and finds where it stopped.
public final class Checkpoints {
  private let store: CheckpointStore
  private let stepInterval: Int
  private let timeInterval: Duration?
  private let isQuiet: Bool
  private let isStopAsked: () -> Bool
  /// Whether a validation under way is to be given up, since the program has been asked to stop.
  let isValidationOver: () -> Bool
  private let warn: (String, FilePath) -> Void
  private var lastStep = 0
  private var lastTime = ContinuousClock.now
  private var nextPath: FilePath
  /// The step from which this training went on, or nil if it began anew.
  public private(set) var resumedStep: Int?
  /// The step of the newest checkpoint of this training, or nil if there is none.
  public private(set) var savedStep: Int?
  /// How long earlier processes worked on this training, up to the checkpoint that it went on from, seconds.
  public private(set) var earlierSeconds = 0.0
  private let start = ContinuousClock.now

  /// - Parameters:
  ///   - store: where.
  ///   - minutes: between two checkpoints; 0 for none.
  ///   - steps: between two checkpoints; 0 for none.
  ///   - isQuiet: whether to keep silent about checkpoints of other settings.
  ///   - isStopAsked: whether the program has been asked to stop; asked after every step.
  ///   - isValidationOver: the same, asked while a validation is under way.
  ///   - warn: tells the user about a checkpoint that is not used.
  public init(
    _ store: CheckpointStore, minutes: Double, steps: Int, isQuiet: Bool,
    isStopAsked: @escaping () -> Bool = { StopRequest.isMade },
    isValidationOver: @escaping () -> Bool = { StopRequest.isMade },
    warn: @escaping (String, FilePath) -> Void = { printWarning($0, at: $1.string) }
  ) {
    self.store = store
    stepInterval = steps
    timeInterval = minutes > 0 ? .seconds(60 * minutes) : nil
    self.isQuiet = isQuiet
    self.isStopAsked = isStopAsked
    self.isValidationOver = isValidationOver
    self.warn = warn
    nextPath = store.directory.appending("1")
  }

  /// Puts the newest checkpoint of this training into the blocks.
  ///
  /// A damaged one is replaced by the one before it; one of other settings is left aside, and overwritten later. Both
  /// are told to the user.
  ///
  /// - Parameters:
  ///   - blocks: what receives the numbers.
  ///   - rules: where a checkpoint of this training may stand.
  /// - Returns: where that checkpoint stands, or nil if there is none and training begins anew.
  /// - Throws: `PipelineError` `.dataFormat` if there is a damaged checkpoint and no good one.
  func resume(
    _ blocks: [StateBlock], _ rules: TrainingPosition.Rules
  ) throws(PipelineError) -> TrainingPosition? {
    var found: [(path: FilePath, input: StageInput, step: Int)] = []
    var damage: [PipelineError] = []
    for (path, slot) in store.slots() {
      switch slot {
      case .empty: break
      case .ours(let input, let step): found.append((path, input, step))
      case .foreign(let difference):
        guard !isQuiet else { continue }
        warn("this checkpoint is of other settings (\(difference)) and is not used", path)
      case .damaged(let error): damage.append(error)
      }
    }
    for (path, input, step) in found.sorted(by: { $0.step > $1.step }) {
      do throws(PipelineError) {
        let position = try store.read(input, into: blocks, rules)
        for error in damage {
          warn("\(error.message); the checkpoint of step \(step) is used", error.path ?? path)
        }
        note(position.stepCount, at: path)
        resumedStep = step
        earlierSeconds = CheckpointStore.seconds(input)
        return position
      } catch {
        damage.append(error)
      }
    }
    if let error = damage.first { throw .noGoodCheckpoint(error, store.directory) }
    return nil
  }

  /// Saves the training if it is time, and ends the program if it was asked to stop.
  ///
  /// - Throws: `PipelineError`: `.temporaryFailure` if the program was asked to stop; what was trained is then saved;
  ///   `.internalError` if a parameter is not finite, and the checkpoint before stays; `.cannotCreate`, `.inputOutput`.
  func stepDone(
    _ position: TrainingPosition, _ parameters: ParameterStore, _ blocks: [StateBlock]
  ) throws(PipelineError) {
    if isStopAsked() { try stop(position, parameters, blocks) }
    if isDue(position.stepCount), savedStep != position.stepCount {
      try save(position, parameters, blocks)
    }
  }

  /// Saves the training and ends the program.
  ///
  /// - Throws: as ``stepDone(_:_:_:)``, always.
  func stop(
    _ position: TrainingPosition, _ parameters: ParameterStore, _ blocks: [StateBlock]
  ) throws(PipelineError) {
    if savedStep != position.stepCount { try save(position, parameters, blocks) }
    throw .interrupted(step: position.stepCount, directory: store.directory)
  }

  private func isDue(_ step: Int) -> Bool {
    if stepInterval > 0, step - lastStep >= stepInterval { return true }
    guard let timeInterval else { return false }
    return ContinuousClock.now - lastTime >= timeInterval
  }

  private func save(
    _ position: TrainingPosition, _ parameters: ParameterStore, _ blocks: [StateBlock]
  ) throws(PipelineError) {
    if let parameter = parameters.firstNotFinite {
      throw .notFinite(parameter, step: position.stepCount, saved: savedStep)
    }
    let path = nextPath
    let own = (ContinuousClock.now - start) / .seconds(1)
    try store.write(position, blocks, seconds: earlierSeconds + own, to: path)
    note(position.stepCount, at: path)
  }

  /// Remembers a checkpoint that exists; the other place is the next to be written.
  private func note(_ step: Int, at path: FilePath) {
    lastStep = step
    lastTime = .now
    savedStep = step
    let first = store.directory.appending("1")
    nextPath = path == first ? store.directory.appending("2") : first
  }

  /// Removes all checkpoints, when the output is whole.
  ///
  /// - Throws: `PipelineError` `.inputOutput`.
  public func remove() throws(PipelineError) { try store.removeAll() }
}

extension PipelineError {
  /// The file that is to blame.
  fileprivate var path: FilePath? { location.map { FilePath($0.path) } }
}
