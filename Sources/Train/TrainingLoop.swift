import CommandSupport
import Metrics
import Models
import ShardIO

/// Epochs, validation after each, early stopping, and the best parameters at the end.
struct TrainingLoop {
  let network: Network
  let step: TrainingStep
  let examples: TrainingExamples
  /// What is measured after each epoch.
  let validation: Validation
  /// What the best parameters are measured on at the end, where the epochs see a sample alone.
  var finalValidation: Validation?
  let schedule: ScheduleOptions

  /// What a finished training leaves.
  struct Outcome {
    var log: [UInt8] = []
    var epochCount = 0
    var bestEpoch = 0
    /// Nil where nothing could be validated.
    var bestNDCG: Double?
    /// NDCG@10 of the best parameters on all users, where ``bestNDCG`` is that of a sample.
    var finalNDCG: Double?
    var stepCount = 0
    var positions = 0
    var seconds = 0.0

    var counters: [String: JSONValue] {
      var counters: [String: JSONValue] = [
        "epochs": JSONValue(epochCount), "bestEpoch": JSONValue(bestEpoch),
        "steps": JSONValue(stepCount),
        "validationNdcg@10": (finalNDCG ?? bestNDCG).map { JSONValue($0) } ?? .null,
      ]
      if finalNDCG != nil, let bestNDCG {
        counters["sampledValidationNdcg@10"] = JSONValue(bestNDCG)
      }
      return counters
    }
    /// Real positions trained a second by this process, validation left out.
    var positionsPerSecond: Double { (Double(positions) / max(seconds, 1e-9)).rounded() }
  }

  /// Trains to the end and leaves the parameters of the best epoch in the network.
  ///
  /// - Parameters:
  ///   - isQuiet: whether to show no progress.
  ///   - checkpoints: where the training goes on from and is saved to; nil for neither.
  /// - Returns: the log and the counts of the whole training, as if it had never been interrupted.
  /// - Throws: `PipelineError`: `.internalError` when a loss or, after an epoch, a parameter is no finite number;
  ///   `.temporaryFailure` when the program was asked to stop; what reading and writing checkpoints throws.
  func run(isQuiet: Bool, checkpoints: Checkpoints? = nil) throws(PipelineError) -> Outcome {
    let best = BestParameters(network)
    let blocks = step.stateBlocks + best.stateBlocks
    var position = TrainingPosition()
    if let saved = try checkpoints?.resume(blocks, positionRules) {
      position = saved
      step.resume(stepCount: saved.stepCount, averagedStep: saved.averagedStep)
    }
    var outcome = Outcome()
    let progress = Progress("training", total: schedule.epochs, isQuiet: isQuiet)
    progress.advance(by: position.epochCount)
    while !position.isFinished(schedule) {
      try runEpoch(&position, &outcome, checkpoints, blocks)
      try finishEpoch(&position, best, checkpoints, blocks, progress)
    }
    progress.finish()
    best.restore()
    outcome.log = position.log
    outcome.epochCount = position.epochCount
    outcome.bestEpoch = position.bestEpoch
    outcome.bestNDCG = position.bestNDCG < 0 ? nil : position.bestNDCG
    if let finalValidation {
      outcome.finalNDCG = try measure(finalValidation, position, checkpoints, blocks)?.ndcg
    }
    outcome.stepCount = position.stepCount
    return outcome
  }

  /// Where a checkpoint of this training may stand.
  private var positionRules: TrainingPosition.Rules {
    TrainingPosition.Rules(
      epochs: schedule.epochs,
      batches: examples.batches(epoch: 1, size: schedule.batchSize).count,
      hasTargets: validation.count > 0)
  }

  /// The rest of a pass over all sequences.
  private func runEpoch(
    _ position: inout TrainingPosition, _ outcome: inout Outcome, _ checkpoints: Checkpoints?,
    _ blocks: [StateBlock]
  ) throws(PipelineError) {
    let batches = examples.batches(epoch: position.epoch, size: schedule.batchSize)
    let rates = schedule.rates(stepsPerEpoch: batches.count)
    while position.batch < batches.count {
      let start = ContinuousClock.now
      let batch = examples.batch(batches[position.batch], epoch: position.epoch)
      step.learningRate = rates.rate(step: position.stepCount)
      let losses = step.run(batch, number: position.stepCount)
      position.stepCount += 1
      position.batch += 1
      outcome.positions += batch.tokenCount
      for part in losses.parts {
        guard part.value.isFinite else {
          throw .diverged(
            step: position.stepCount, part: part.name, parameter: network.firstNotFinite,
            saved: checkpoints?.savedStep)
        }
        position.lossSums[part.name, default: 0] += part.value
      }
      let elapsed = (ContinuousClock.now - start).components
      outcome.seconds += Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
      try checkpoints?.stepDone(position, network, blocks)
    }
  }

  /// Validates, keeps the parameters if they are the best, and goes on to the next epoch.
  private func finishEpoch(
    _ position: inout TrainingPosition, _ best: BestParameters, _ checkpoints: Checkpoints?,
    _ blocks: [StateBlock], _ progress: Progress
  ) throws(PipelineError) {
    if let parameter = network.firstNotFinite {
      throw .notFinite(parameter, step: position.stepCount, saved: checkpoints?.savedStep)
    }
    let bestSoFar = position.bestNDCG
    var measured: (ndcg: Double, hitRate: Double)?
    var isStopped = false
    let isBest = step.withAverage {
      switch validation.measure(network, until: { checkpoints?.isValidationOver() ?? false }) {
      case .nothing: break
      case .measured(let ndcg, let hitRate): measured = (ndcg, hitRate)
      case .stopped: isStopped = true
      }
      let isBest = !isStopped && (measured.map { $0.ndcg > bestSoFar } ?? true)
      if isBest { best.take() }
      return isBest
    }
    position.averagedStep = position.stepCount
    if isStopped { try checkpoints?.stop(position, network, blocks) }
    if isBest {
      position.bestNDCG = measured?.ndcg ?? bestSoFar
      position.bestEpoch = position.epoch
    }
    let losses = StepLosses(means: position.lossSums.mapValues { $0 / Double(position.batch) })
    position.log += try logLine(position, losses, measured, isBest: isBest)
    let validated = measured.map { ", validation NDCG@10 \(rounded($0.ndcg))" } ?? ""
    progress.advance(detail: "loss \(rounded(losses.recommendation))\(validated)")
    position.epoch += 1
    position.batch = 0
    position.lossSums = [:]
  }

  /// Measures the finished parameters.
  ///
  /// - Throws: `PipelineError` `.temporaryFailure` when the program was asked to stop.
  private func measure(
    _ validation: Validation, _ position: TrainingPosition, _ checkpoints: Checkpoints?,
    _ blocks: [StateBlock]
  ) throws(PipelineError) -> (ndcg: Double, hitRate: Double)? {
    switch validation.measure(network, until: { checkpoints?.isValidationOver() ?? false }) {
    case .nothing: return nil
    case .measured(let ndcg, let hitRate): return (ndcg, hitRate)
    case .stopped:
      try checkpoints?.stop(position, network, blocks)
      return nil
    }
  }

  private func logLine(
    _ position: TrainingPosition, _ losses: StepLosses,
    _ measured: (ndcg: Double, hitRate: Double)?, isBest: Bool
  ) throws(PipelineError) -> [UInt8] {
    var line: [String: JSONValue] = [
      "epoch": JSONValue(position.epoch), "step": JSONValue(position.stepCount),
      "isBest": JSONValue(isBest),
    ]
    if let measured {
      line["validationNdcg@10"] = JSONValue(measured.ndcg)
      line["validationHr@10"] = JSONValue(measured.hitRate)
    }
    for part in losses.parts { line[part.name] = JSONValue(part.value) }
    return try JSONValue.object(line).json(isPretty: false) + [0x0A]
  }

  private func rounded(_ value: Double) -> String {
    "\((value * 10_000).rounded() / 10_000)"
  }
}
