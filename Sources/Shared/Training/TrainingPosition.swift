internal import ShardIO

/// Where a training stands between two steps; with the blocks of floats, all that its future depends on.
///
/// Random draws are functions of the seed and of these numbers, so no generator has a state to keep.
struct TrainingPosition: Equatable {
  /// The epoch under way, from 1.
  var epoch = 1
  /// The batches of it that are done; all of them where only the validation is missing.
  var batch = 0
  /// The steps taken.
  var stepCount = 0
  /// The sums of the losses over the batches of the epoch that are done, in the order of the objectives.
  var losses: [LossSum] = []
  /// What these batches weigh together in the means of the epoch.
  var lossWeight = 0.0
  /// The epoch with the best validation so far, 0 for none.
  var bestEpoch = 0
  /// Its first metric.
  var bestMetric = -1.0
  /// The training log so far.
  var log: [UInt8] = []

  /// Adds a loss of a step.
  mutating func add(_ part: (name: String, value: Double), weight: Double) {
    if let index = losses.firstIndex(where: { $0.name == part.name }) {
      losses[index].sum += weight * part.value
    } else {
      losses.append(LossSum(name: part.name, sum: weight * part.value))
    }
  }

  /// The mean of each loss over the batches of the epoch that are done.
  var meanLosses: [(name: String, value: Double)] {
    losses.map { ($0.name, $0.sum / lossWeight) }
  }

  /// The epochs that are done.
  var epochCount: Int { epoch - 1 }

  /// Whether nothing is left to train.
  func isFinished(_ schedule: TrainingSchedule) -> Bool {
    epochCount >= schedule.epochs || isOutOfPatience(schedule)
  }

  /// Whether the last epochs were no better than the best.
  func isOutOfPatience(_ schedule: TrainingSchedule) -> Bool {
    epochCount - bestEpoch >= schedule.patience
  }
}

/// The sum of a loss over some steps.
struct LossSum: Equatable {
  /// The name of the objective.
  let name: String
  /// The sum.
  var sum: Double
}

extension TrainingPosition {
  static let kind = "position"
  static let sumsKind = "loss-sums"
  static let logName = "training-log.jsonl"

  /// The numbers as tables; the log is a file of its own.
  var tables: [Table] {
    [
      Table(
        kind: Self.kind, rowCount: 1,
        columns: [
          .fixed("epoch", [UInt64(epoch)]), .fixed("batch", [UInt64(batch)]),
          .fixed("step", [UInt64(stepCount)]), .fixed("best_epoch", [UInt64(bestEpoch)]),
          .fixed("best_metric", [bestMetric]), .fixed("loss_weight", [lossWeight]),
        ]),
      Table(
        kind: Self.sumsKind, rowCount: losses.count,
        columns: [.strings("part", losses.map(\.name)), .fixed("sum", losses.map(\.sum))]),
    ]
  }

  /// Reads what ``tables`` and the log became.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  init(_ input: StageInput) throws(PipelineError) {
    let table = try input.table(Self.kind)
    func number(_ name: String) throws(PipelineError) -> Int {
      guard let value = try table.fixed(name, as: UInt64.self).first, value < 1 << 62 else {
        throw .checkpointShape(Self.kind, input)
      }
      return Int(value)
    }
    epoch = try number("epoch")
    batch = try number("batch")
    stepCount = try number("step")
    bestEpoch = try number("best_epoch")
    bestMetric = try table.fixed("best_metric", as: Double.self).first ?? -1
    lossWeight = try table.fixed("loss_weight", as: Double.self).first ?? 0
    let sums = try input.table(Self.sumsKind)
    for (part, sum) in zip(try sums.strings("part"), try sums.fixed("sum", as: Double.self)) {
      losses.append(LossSum(name: part, sum: sum))
    }
    log = try input.file(Self.logName)
  }
}
