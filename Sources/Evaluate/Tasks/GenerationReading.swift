import Dataset
import Models
import Retrieval
import ShardIO

/// What only a model that makes codes can show: how well it makes each digit, and hits by code beside hits by item.
struct GenerationReading {
  /// How many items a list has at most; a target beyond it counts as not found.
  let listLimit: Int
  /// The share of the cases whose first items include one with the codes of the target, its own or an equal one; nil without codes.
  let codeHitRate: Double?
  /// Each digit where those before it are known; empty for a model that makes none.
  let digits: [DigitReading]

  /// Reads all cases, a block at a time.
  ///
  /// - Returns: nil for a model that makes no lists.
  init?(
    _ cases: EvaluationCases, _ found: CaseRanker.Result, _ inputs: EvaluationInputs, threads: Int
  ) {
    guard case .lists(let model) = inputs.trained.model.scoring else { return nil }
    listLimit = model.listLimit
    codeHitRate = inputs.codes.map { codes in
      let hits = cases.targets.indices.count { index in
        let tuple = codes.tuple(of: Int(cases.targets[index]))
        return found.firstItems[index].contains { codes.tuple(of: Int($0)).elementsEqual(tuple) }
      }
      return Double(hits) / Double(max(1, cases.count))
    }
    var sums: [DigitReading] = []
    if let read = inputs.diagnostics.digits {
      var next = 0
      while next < cases.count {
        let block = CaseRanker.block(from: next, of: cases.historyLengths)
        next = block.upperBound
        let readings = read(
          cases.histories(block, in: inputs.data.sequences), Array(cases.targets[block]), threads)
        let share = Double(block.count) / Double(cases.count)
        if sums.isEmpty { sums = readings.map { _ in DigitReading(accuracy: 0, meanRank: 0) } }
        for (level, reading) in readings.enumerated() {
          sums[level].accuracy += share * reading.accuracy
          sums[level].meanRank += share * reading.meanRank
        }
      }
    }
    digits = sums
  }

  /// The reading as it stands in report.json.
  var json: JSONValue {
    [
      "listLimit": JSONValue(listLimit),
      "codeHr@\(CaseRanker.firstCount)": codeHitRate.map { .number($0) } ?? .null,
      "digits": .array(
        digits.map { ["accuracy": .number($0.accuracy), "meanRank": .number($0.meanRank)] }),
    ]
  }
}
