import Ranking
import ShardIO

/// The metrics of all groups under one protocol.
struct ProtocolResult: Sendable {
  /// The metrics of one group.
  struct GroupResult: Sendable, Equatable {
    /// The number of users in it.
    let userCount: Int
    /// The mean of each metric over the users; empty for a group without users.
    let means: [Double]
    /// The bootstrap interval of each headline metric, by key.
    let intervals: [String: ClosedRange<Double>]
  }

  let protocolKind: RankingProtocol
  /// One result a group, in the order of the groups.
  let groups: [GroupResult]

  /// Averages the metrics over the users of each group; every user counts once.
  ///
  /// - Parameters:
  ///   - kind: the protocol.
  ///   - ranks: the ranks under it.
  ///   - groups: who is averaged together.
  ///   - metrics: what is averaged; the headline metrics get intervals.
  ///   - bootstrap: makes the intervals; nil for none.
  ///   - threads: threads to use.
  init(
    _ kind: RankingProtocol, _ ranks: CaseRanks, groups: [CaseGroup], metrics: [Metric],
    bootstrap: Bootstrap? = nil, threads: Int = 1
  ) {
    protocolKind = kind
    let values = metrics.map { ranks.values(of: $0) }
    self.groups = groups.map { group in
      let members = ranks.cases.indices.filter { group.contains[ranks.cases[$0]] }
      guard !members.isEmpty else { return GroupResult(userCount: 0, means: [], intervals: [:]) }
      var intervals: [String: ClosedRange<Double>] = [:]
      if let bootstrap {
        let headline = metrics.indices.filter { metrics[$0].isHeadline }
        let means = bootstrap.means(
          of: headline.map { index in members.map { values[index][$0] } }, threads: threads)
        for (index, means) in zip(headline, means) {
          intervals[metrics[index].key] = bootstrap.interval(of: means)
        }
      }
      return GroupResult(
        userCount: members.count,
        means: values.map { column in
          members.reduce(0) { $0 + column[$1] } / Double(members.count)
        }, intervals: intervals)
    }
  }

  /// Metrics by group key: `"overall": {"users": …, "ndcg@10": …}`; null where a group has no users.
  func json(groups keys: [String], metrics: [Metric]) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for (key, group) in zip(keys, groups) {
      var values: [String: JSONValue] = ["users": JSONValue(group.userCount)]
      for (index, metric) in metrics.enumerated() {
        values[metric.key] = group.means.isEmpty ? .null : .number(group.means[index])
      }
      values["intervals"] = .object(group.intervals.mapValues { $0.json })
      members[key] = .object(values)
    }
    return .object(members)
  }
}

extension Metric {
  /// Whether tables and pictures show the metric; report.json has all of them.
  var isHeadline: Bool {
    switch kind {
    case .hitRate, .ndcg, .reciprocalRank: true
    case .precision, .averagePrecision, .areaUnderCurve: false
    }
  }
}

extension CaseRanks {
  /// The metric of every case.
  func values(of metric: Metric) -> [Double] {
    zip(ranks, candidateCounts).map { metric.value(rank: $0, candidateCount: $1) }
  }
}

extension ClosedRange<Double> {
  /// The bounds as an array of two.
  var json: JSONValue { [.number(lowerBound), .number(upperBound)] }
}
