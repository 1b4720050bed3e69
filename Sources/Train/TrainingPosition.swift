import Model
import ShardIO

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
  /// The steps taken when the average of the parameters was last made up.
  var averagedStep = 0
  /// The sums of the losses over the batches of the epoch that are done, by part.
  var lossSums: [String: Double] = [:]
  /// The epoch with the best validation so far, 0 for none.
  var bestEpoch = 0
  /// Its NDCG@10.
  var bestNDCG = -1.0
  /// The training log so far.
  var log: [UInt8] = []

  /// The epochs that are done.
  var epochCount: Int { epoch - 1 }

  /// Whether nothing is left to train.
  func isFinished(_ schedule: ScheduleOptions) -> Bool {
    epochCount >= schedule.epochs || epochCount - bestEpoch >= schedule.patience
  }
}

extension TrainingPosition {
  static let kind = "position"
  static let sumsKind = "loss-sums"
  static let logName = "training-log.jsonl"

  /// The numbers as tables; the log is a file of its own.
  var tables: [Table] {
    let sums = lossSums.sorted { $0.key < $1.key }
    return [
      Table(
        kind: Self.kind, rowCount: 1,
        columns: [
          .fixed("epoch", [UInt64(epoch)]), .fixed("batch", [UInt64(batch)]),
          .fixed("step", [UInt64(stepCount)]),
          .fixed("averaged_step", [UInt64(averagedStep)]), .fixed("best_epoch", [UInt64(bestEpoch)]),
          .fixed("best_ndcg", [bestNDCG]),
        ]),
      Table(
        kind: Self.sumsKind, rowCount: sums.count,
        columns: [.strings("part", sums.map(\.key)), .fixed("sum", sums.map(\.value))]),
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
    averagedStep = try number("averaged_step")
    bestEpoch = try number("best_epoch")
    bestNDCG = try table.fixed("best_ndcg", as: Double.self).first ?? -1
    let sums = try input.table(Self.sumsKind)
    for (part, sum) in zip(try sums.strings("part"), try sums.fixed("sum", as: Double.self)) {
      lossSums[part] = sum
    }
    log = try input.file(Self.logName)
  }
}
