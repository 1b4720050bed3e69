internal import Dataset
internal import ShardIO
internal import SystemPackage

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
  /// The steps taken when the EMA of the parameters was last made up.
  var averagedStep = 0
  /// The sums of the losses over the batches of the epoch that are done, in the order of the objectives.
  var losses: [LossSum] = []
  /// What these batches weigh together in the means of the epoch; follows from their number, and is not saved.
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
          .fixed("step", [UInt64(stepCount)]),
          .fixed("averaged_step", [UInt64(averagedStep)]),
          .fixed("best_epoch", [UInt64(bestEpoch)]),
          .fixed("best_metric", [bestMetric]),
        ]),
      Table(
        kind: Self.sumsKind, rowCount: losses.count,
        columns: [.strings("part", losses.map(\.name)), .fixed("sum", losses.map(\.sum))]),
    ]
  }

  /// What is known of a training without its checkpoint.
  struct Rules {
    let epochs: Int
    /// The batches of an epoch.
    let batches: Int
    /// Whether there is anything to validate.
    let hasTargets: Bool
    /// The key of the metric that decides which epoch is the best.
    let metricKey: String
    /// The largest value that it can have.
    var metricLimit = Double.infinity
    /// The names that losses may have.
    let lossNames: Set<String>
    /// Whether a value of that metric is better than the best one.
    var isBetter: (_ value: Double, _ best: Double) -> Bool = { $0 > $1 }
  }

  /// Reads what ``tables`` and the log became, if it can have become of this training.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  init(_ input: StageInput, _ rules: Rules) throws(PipelineError) {
    let table = try input.table(Self.kind)
    let place = TableRules(input, Self.kind)
    try place.requireRows(table.rowCount, 1, one: "checkpoint")
    func number(_ name: String) throws(PipelineError) -> Int {
      try place.requireWidth(table, name)
      let value = try table.fixed(name, as: UInt64.self)[0]
      guard value < 1 << 62 else {
        throw place.broken("\(value) in '\(name)'", row: 0, expected: "a number below 2⁶²")
      }
      return Int(value)
    }
    epoch = try number("epoch")
    batch = try number("batch")
    stepCount = try number("step")
    averagedStep = try number("averaged_step")
    bestEpoch = try number("best_epoch")
    try place.requireWidth(table, "best_metric")
    bestMetric = try table.fixed("best_metric", as: Double.self)[0]
    try requirePlace(rules, place)
    let recorded = input.manifest.counters["step"]?.integerValue
    guard recorded == Int64(stepCount) else {
      throw place.broken(
        "step \(stepCount)", row: 0, expected: "that of the manifest, \(recorded ?? 0)")
    }
    let sums = try input.table(Self.sumsKind)
    let sumRules = TableRules(input, Self.sumsKind)
    let parts = try sums.strings("part")
    try sumRules.requireUnique(parts, "part")
    try sumRules.requireWidth(sums, "sum")
    for (row, (part, sum)) in zip(parts, try sums.fixed("sum", as: Double.self)).enumerated() {
      guard sum.isFinite else {
        throw sumRules.broken("\(sum) in 'sum'", row: row, expected: "a finite number")
      }
      losses.append(LossSum(name: part, sum: sum))
    }
    guard Set(parts).isSubset(of: rules.lossNames), batch == 0 || !parts.isEmpty else {
      throw sumRules.broken(
        "the parts \(parts.map { quoted($0) }.joined(separator: ", "))",
        expected: "those of the losses of a step")
    }
    log = try input.file(Self.logName)
    try requireLog(rules, input)
  }

  /// Requires that the numbers are those of one moment of a training.
  private func requirePlace(_ rules: Rules, _ place: TableRules) throws(PipelineError) {
    guard epoch >= 1, epochCount <= rules.epochs, batch <= rules.batches,
      stepCount == epochCount * rules.batches + batch
    else {
      throw place.broken(
        "epoch \(epoch), batch \(batch), step \(stepCount)", row: 0,
        expected: "a place of \(rules.epochs) epochs of \(rules.batches) batches")
    }
    guard averagedStep == epochCount * rules.batches || averagedStep == stepCount else {
      throw place.broken(
        "averaged step \(averagedStep)", row: 0, expected: "that of the end of an epoch")
    }
    let isMeasured = rules.hasTargets && bestEpoch > 0
    guard bestEpoch <= epochCount, bestEpoch > 0 || epochCount == 0,
      isMeasured
        ? bestMetric.isFinite && bestMetric >= 0 && bestMetric <= rules.metricLimit
        : bestMetric == -1
    else {
      throw place.broken(
        "best epoch \(bestEpoch) with metric \(bestMetric)", row: 0,
        expected: "an epoch that is done, with a metric that is finite and from 0"
          + (rules.metricLimit.isFinite ? " to \(rules.metricLimit)" : ""))
    }
  }

  /// Requires a line of the log for each epoch that is done, with the best one where it is.
  private func requireLog(_ rules: Rules, _ input: StageInput) throws(PipelineError) {
    let path = input.directory.appending(Self.logName).string
    let lines = log.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.count == epochCount + 1, lines.last?.isEmpty == true else {
      throw .badLog(path, line: nil, expected: "a line for each of \(epochCount) epochs")
    }
    for (index, line) in lines.dropLast().enumerated() {
      let value = try JSONValue(parsing: Array(line), path: path)
      guard value["epoch"]?.integerValue == Int64(index + 1),
        value["step"]?.integerValue == Int64((index + 1) * rules.batches),
        let isBest = value["isBest"]?.boolValue, isBest || index + 1 != bestEpoch
      else {
        throw .badLog(path, line: index + 1, expected: "epoch \(index + 1) as it was logged")
      }
      let metric = value[rules.metricKey]?.numberValue
      if rules.hasTargets {
        guard let metric, !rules.isBetter(metric, bestMetric),
          index + 1 != bestEpoch || metric == bestMetric
        else {
          throw .badLog(
            path, line: index + 1, expected: "a metric no better than the best, \(bestMetric)")
        }
      }
    }
  }
}
