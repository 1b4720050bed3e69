import CommandSupport
import Kernels
import Model
import ShardIO

/// Epochs, validation after each, early stopping, and the best parameters at the end.
struct TrainingLoop {
  let network: Network
  let step: TrainingStep
  let examples: TrainingExamples
  let validation: Validation
  let schedule: ScheduleOptions

  /// What a finished training leaves.
  struct Outcome {
    var log: [UInt8] = []
    var epochCount = 0
    var bestEpoch = 0
    var bestNDCG = -1.0
    var stepCount = 0
    var positions = 0
    var seconds = 0.0

    var counters: [String: JSONValue] {
      [
        "epochs": JSONValue(epochCount), "bestEpoch": JSONValue(bestEpoch),
        "steps": JSONValue(stepCount), "validationNdcg@10": JSONValue(bestNDCG),
      ]
    }
    /// Real positions trained a second, validation left out.
    var positionsPerSecond: Double { (Double(positions) / max(seconds, 1e-9)).rounded() }
  }

  /// Trains to the end and leaves the parameters of the best epoch in the network.
  ///
  /// - Throws: ``PipelineError`` `.internalError` when a loss or, after an epoch, a parameter is no finite number.
  func run(isQuiet: Bool) throws(PipelineError) -> Outcome {
    var outcome = Outcome()
    let best = Snapshot(network)
    let progress = Progress("training", total: schedule.epochs, isQuiet: isQuiet)
    for epoch in 1...schedule.epochs {
      let losses = try runEpoch(epoch, &outcome)
      if let parameter = network.firstNotFinite {
        throw .notFinite(parameter, step: outcome.stepCount)
      }
      let measured = validation.measure(network)
      let isBest = validation.count == 0 || measured.ndcg > outcome.bestNDCG
      if isBest {
        outcome.bestNDCG = measured.ndcg
        outcome.bestEpoch = epoch
        best.take(network)
      }
      outcome.epochCount = epoch
      outcome.log += try logLine(epoch, outcome.stepCount, losses, measured, isBest: isBest)
      progress.advance(
        detail:
          "loss \(rounded(losses.recommendation)), validation NDCG@10 \(rounded(measured.ndcg))")
      if epoch - outcome.bestEpoch >= schedule.patience { break }
    }
    progress.finish()
    best.restore(network)
    return outcome
  }

  /// One pass over all sequences; the mean losses of its steps.
  private func runEpoch(
    _ epoch: Int, _ outcome: inout Outcome
  ) throws(PipelineError) -> StepLosses {
    let start = ContinuousClock.now
    var sums: [String: Double] = [:]
    let batches = examples.batches(epoch: epoch, size: schedule.batchSize)
    let rates = schedule.rates(stepsPerEpoch: batches.count)
    for members in batches {
      let batch = examples.batch(members, epoch: epoch)
      step.learningRate = rates.rate(step: outcome.stepCount)
      let losses = step.run(batch, number: outcome.stepCount)
      outcome.stepCount += 1
      outcome.positions += batch.tokenCount
      for part in losses.parts {
        guard part.value.isFinite else {
          throw .diverged(
            step: outcome.stepCount, part: part.name, parameter: network.firstNotFinite)
        }
        sums[part.name, default: 0] += part.value
      }
    }
    let elapsed = (ContinuousClock.now - start).components
    outcome.seconds += Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    return StepLosses(means: sums.mapValues { $0 / Double(batches.count) })
  }

  private func logLine(
    _ epoch: Int, _ steps: Int, _ losses: StepLosses, _ measured: (ndcg: Double, hitRate: Double),
    isBest: Bool
  ) throws(PipelineError) -> [UInt8] {
    var line: [String: JSONValue] = [
      "epoch": JSONValue(epoch), "step": JSONValue(steps), "isBest": JSONValue(isBest),
      "validationNdcg@10": JSONValue(measured.ndcg), "validationHr@10": JSONValue(measured.hitRate),
    ]
    for part in losses.parts { line[part.name] = JSONValue(part.value) }
    return try JSONValue.object(line).json(isPretty: false) + [0x0A]
  }

  private func rounded(_ value: Double) -> String {
    "\((value * 10_000).rounded() / 10_000)"
  }
}

/// A copy of all parameters.
private struct Snapshot {
  private let parameters: AlignedBuffer
  private let tables: [AlignedBuffer]

  init(_ network: Network) {
    parameters = AlignedBuffer(count: network.parameters.count)
    tables = network.tables.map { AlignedBuffer(count: $0.values.count) }
    take(network)
  }

  func take(_ network: Network) {
    parameters.copy(from: network.parameters)
    for (copy, table) in zip(tables, network.tables) { copy.copy(from: table.values) }
  }

  func restore(_ network: Network) {
    network.parameters.copy(from: parameters)
    for (copy, table) in zip(tables, network.tables) { table.values.copy(from: copy) }
  }
}
