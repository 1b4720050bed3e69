internal import CommandSupport
public import ShardIO
internal import Tape

/// Epochs, validation after each, early stopping, and the best parameters at the end.
public struct TrainingLoop<Model: TrainableModel> {
  let step: TrainingStep<Model>
  let examples: any ExampleSource<Model.Batch>
  let validation: any ValidationTask
  let finalValidation: (any ValidationTask)?
  let schedule: TrainingSchedule

  /// A training that has not begun.
  ///
  /// - Parameters:
  ///   - step: the model, its objectives and its optimiser.
  ///   - examples: what is trained on.
  ///   - validation: what is measured after each epoch.
  ///   - finalValidation: what the best parameters are measured on at the end, where the epochs see a sample alone; nil where not.
  ///   - schedule: how long and how fast.
  public init(
    step: TrainingStep<Model>, examples: any ExampleSource<Model.Batch>,
    validation: any ValidationTask, finalValidation: (any ValidationTask)? = nil,
    schedule: TrainingSchedule
  ) {
    self.step = step
    self.examples = examples
    self.validation = validation
    self.finalValidation = finalValidation
    self.schedule = schedule
  }

  private var store: ParameterStore { step.model.store }

  /// Trains to the end and leaves the parameters of the best epoch in the model.
  ///
  /// - Parameters:
  ///   - isQuiet: whether to show no progress.
  ///   - checkpoints: where the training goes on from and is saved to; nil for neither.
  ///   - epochDone: called after each epoch with its line of the log.
  /// - Returns: the log and the counts of the whole training, as if it had never been interrupted.
  /// - Throws: `PipelineError`: `.internalError` when a loss or, after an epoch, a parameter is no finite number;
  ///   `.temporaryFailure` when the program was asked to stop; what reading and writing checkpoints throws.
  public func run(
    isQuiet: Bool, checkpoints: Checkpoints? = nil,
    epochDone: ([String: JSONValue]) -> Void = { _ in }
  ) throws(PipelineError) -> TrainingOutcome {
    let best = BestParameters(store)
    let blocks = step.stateBlocks + best.stateBlocks
    var position = TrainingPosition()
    if let saved = try checkpoints?.resume(blocks, positionRules) {
      position = saved
      step.resume(stepCount: saved.stepCount, averagedStep: saved.averagedStep)
    }
    var outcome = TrainingOutcome()
    let stepsPerEpoch = (examples.count + schedule.batchSize - 1) / schedule.batchSize
    let progress = Progress("training", total: schedule.epochs * stepsPerEpoch, isQuiet: isQuiet)
    progress.advance(by: position.stepCount)
    while !position.isFinished(schedule) {
      try runEpoch(&position, &outcome, checkpoints, blocks, progress)
      epochDone(try finishEpoch(&position, best, checkpoints, blocks, progress))
    }
    progress.finish()
    if !schedule.keepsLast || position.isOutOfPatience(schedule) {
      best.restore()
      step.model.storeDidChange()
    }
    outcome.log = position.log
    outcome.epochCount = position.epochCount
    outcome.bestEpoch = position.bestEpoch
    outcome.bestMetric = position.bestMetric < 0 ? nil : position.bestMetric
    if let finalValidation {
      outcome.finalMetric =
        try measure(finalValidation, position, checkpoints, blocks)?.first?.value
    }
    outcome.metricKey = validation.metricKey
    outcome.stepCount = position.stepCount
    return outcome
  }

  /// Where a checkpoint of this training may stand.
  private var positionRules: TrainingPosition.Rules {
    TrainingPosition.Rules(
      epochs: schedule.epochs,
      batches: examples.batches(epoch: 1, size: schedule.batchSize).count,
      hasTargets: validation.count > 0, metricKey: validation.metricKey,
      metricLimit: validation.metricLimit, lossNames: Set(step.lossNames),
      isBetter: validation.isBetter(_:than:))
  }

  /// Measures parameters.
  ///
  /// - Throws: `PipelineError` `.temporaryFailure` when the program was asked to stop.
  private func measure(
    _ validation: any ValidationTask, _ position: TrainingPosition, _ checkpoints: Checkpoints?,
    _ blocks: [StateBlock]
  ) throws(PipelineError) -> [(key: String, value: Double)]? {
    switch validation.measure(until: { checkpoints?.isValidationOver() ?? false }) {
    case .nothing: return nil
    case .measured(let metrics): return metrics
    case .stopped:
      try checkpoints?.stop(position, store, blocks)
      return nil
    }
  }

  /// The rest of a pass over all examples.
  private func runEpoch(
    _ position: inout TrainingPosition, _ outcome: inout TrainingOutcome,
    _ checkpoints: Checkpoints?, _ blocks: [StateBlock], _ progress: Progress
  ) throws(PipelineError) {
    let batches = examples.batches(epoch: position.epoch, size: schedule.batchSize)
    let rates = schedule.rates(stepsPerEpoch: batches.count)
    let pace = Pace(done: position.batch, of: batches.count, epoch: position.epoch)
    position.lossWeight = batches.prefix(position.batch).reduce(0) {
      $0 + examples.lossWeight(of: $1)
    }
    while position.batch < batches.count {
      let start = ContinuousClock.now
      let batch = examples.batch(batches[position.batch], epoch: position.epoch)
      step.learningRate = rates.rate(step: position.stepCount)
      let weight = examples.lossWeight(of: batches[position.batch])
      let losses = step.run(batch, number: position.stepCount)
      position.stepCount += 1
      position.batch += 1
      outcome.positions += batch.tokenCount
      for part in losses.parts {
        guard part.value.isFinite else {
          throw .diverged(
            step: position.stepCount, part: part.name, parameter: store.firstNotFinite,
            saved: checkpoints?.savedStep)
        }
        position.add(part, weight: weight)
      }
      position.lossWeight += weight
      outcome.seconds += seconds(since: start)
      progress.advance(detail: pace.words(after: position.batch, losses))
      try checkpoints?.stepDone(position, store, blocks)
    }
  }

  /// Validates, keeps the parameters if they are the best, and goes on to the next epoch; the line of the log.
  private func finishEpoch(
    _ position: inout TrainingPosition, _ best: BestParameters, _ checkpoints: Checkpoints?,
    _ blocks: [StateBlock], _ progress: Progress
  ) throws(PipelineError) -> [String: JSONValue] {
    if let parameter = store.firstNotFinite {
      throw .notFinite(parameter, step: position.stepCount, saved: checkpoints?.savedStep)
    }
    let notes = step.model.finishEpoch(position.epoch, of: schedule.epochs)
    let (bestSoFar, hasBest) = (position.bestMetric, position.bestEpoch > 0)
    let losses = position.meanLosses
    var measured: [(key: String, value: Double)]?
    var isStopped = false
    let isBest = step.withAverage {
      switch validation.measure(
        after: losses, until: { checkpoints?.isValidationOver() ?? false })
      {
      case .nothing: break
      case .measured(let metrics): measured = metrics
      case .stopped: isStopped = true
      }
      let isBetter = measured?.first.map {
        !hasBest || validation.isBetter($0.value, than: bestSoFar)
      }
      let isBest = !isStopped && (isBetter ?? true)
      if isBest { best.take() }
      return isBest
    }
    position.averagedStep = position.stepCount
    if isStopped { try checkpoints?.stop(position, store, blocks) }
    if isBest {
      position.bestMetric = measured?.first?.value ?? bestSoFar
      position.bestEpoch = position.epoch
    }
    let line = logLine(position, (measured ?? []) + notes, isBest: isBest)
    position.log += try JSONValue.object(line).json(isPretty: false) + [0x0A]
    let validated =
      measured?.first.map { ", validation \(validation.title) \(rounded($0.value))" } ?? ""
    progress.advance(by: 0, detail: "epoch \(position.epoch) done\(validated)")
    position.epoch += 1
    position.batch = 0
    position.losses = []
    return line
  }

  private func logLine(
    _ position: TrainingPosition, _ figures: [(key: String, value: Double)], isBest: Bool
  ) -> [String: JSONValue] {
    var line: [String: JSONValue] = [
      "epoch": JSONValue(position.epoch), "step": JSONValue(position.stepCount),
      "isBest": JSONValue(isBest),
    ]
    for (key, value) in figures { line[key] = JSONValue(value) }
    for loss in position.meanLosses { line[loss.name] = JSONValue(loss.value) }
    return line
  }
}

/// What a finished training leaves.
public struct TrainingOutcome: Sendable {
  /// One JSON object a line, one line an epoch.
  public var log: [UInt8] = []
  /// The epochs that were trained.
  public var epochCount = 0
  /// The epoch whose parameters were kept.
  public var bestEpoch = 0
  /// The first metric of that epoch; nil where nothing could be validated.
  public var bestMetric: Double?
  /// The first metric of the best parameters on all users, where ``bestMetric`` is that of a sample.
  public var finalMetric: Double?
  /// The key of the first metric.
  public var metricKey = "validationNdcg@10"
  /// The steps that were taken.
  public var stepCount = 0
  /// Real positions that this process trained.
  public var positions = 0
  /// The time of its steps, validation left out.
  public var seconds = 0.0

  /// What the manifest counts.
  public var counters: [String: JSONValue] {
    var counters: [String: JSONValue] = [
      "epochs": JSONValue(epochCount), "bestEpoch": JSONValue(bestEpoch),
      "steps": JSONValue(stepCount),
      metricKey: (finalMetric ?? bestMetric).map { JSONValue($0) } ?? .null,
    ]
    if finalMetric != nil, let bestMetric, let first = metricKey.first {
      counters["sampled\(first.uppercased())\(metricKey.dropFirst())"] = JSONValue(bestMetric)
    }
    return counters
  }

  /// Real positions trained a second by this process, validation left out.
  public var positionsPerSecond: Double { (Double(positions) / max(seconds, 1e-9)).rounded() }
}

/// How fast an epoch goes.
private struct Pace {
  private let start = ContinuousClock.now
  private let first: Int
  private let total: Int
  private let epoch: Int

  init(done: Int, of total: Int, epoch: Int) {
    first = done
    self.total = total
    self.epoch = epoch
  }

  /// Epoch, step, loss, steps a second, and the time that the epoch still takes.
  func words(after step: Int, _ losses: StepLosses) -> String {
    let rate = Double(step - first) / max(seconds(since: start), 1e-9)
    let left = Int((Double(total - step) / rate).rounded(.up))
    let loss = losses.parts.first.map { ", loss \(rounded($0.value))" } ?? ""
    let pace = rate < 10 ? "\((rate * 10).rounded() / 10)" : "\(Int(rate))"
    return "epoch \(epoch), step \(step)/\(total)\(loss), \(pace) steps/s, \(left) s left in it"
  }
}

private func seconds(since start: ContinuousClock.Instant) -> Double {
  let elapsed = (ContinuousClock.now - start).components
  return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
}

private func rounded(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }
