import Metrics
import ShardIO

/// The evaluated runs of one model against those of another, on the same users.
struct SeedComparison {
  /// The ranks of each run under one protocol, all of the same cases.
  let own: [CaseRanks]
  let others: [CaseRanks]
  /// The user of each case.
  let users: [Int]
  let metrics: [Metric]
  let bootstrap: Bootstrap
  let threads: Int

  /// Compares the runs on the cases of a group.
  ///
  /// - Returns: the number of users, and one comparison a metric; nil for a group without users.
  func differences(_ group: CaseGroup) -> (userCount: Int, results: [SeededDifference])? {
    let runs = own + others
    let width = metrics.count
    var sample = Bootstrap.Sample(columnCount: runs.count * width)
    var sums = [Double](repeating: 0, count: runs.count * width)
    for (place, position) in runs[0].cases.enumerated() where group.contains(position) {
      let values = runs.flatMap { run in
        metrics.map {
          $0.value(
            rank: run.ranks[place], candidateCount: run.candidateCounts[place])
        }
      }
      for (column, value) in values.enumerated() { sums[column] += value }
      sample.add(values, user: users[position])
    }
    guard sample.userCount > 0 else { return nil }
    let resampled = bootstrap.means(of: sample, threads: threads)
    let results = metrics.indices.map { metric in
      let columns = runs.indices.map { run in
        (
          mean: sums[run * width + metric] / Double(sample.eventCount),
          resampled: resampled[run * width + metric]
        )
      }
      return bootstrap.compareRuns(
        Array(columns[..<own.count]), Array(columns[own.count...]))
    }
    return (sample.userCount, results)
  }
}

extension SeededDifference {
  /// The comparison for programs.
  var json: JSONValue {
    [
      "value": .number(value), "other": .number(other), "difference": .number(mean),
      "interval": interval.json, "p-bootstrap": .number(bootstrapPValue),
      "deviation": deviation.map { .number($0) } ?? .null,
      "otherDeviation": otherDeviation.map { .number($0) } ?? .null,
    ]
  }
}
