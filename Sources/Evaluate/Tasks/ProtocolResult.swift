import Metrics
import ShardIO

/// The metrics of all groups under one protocol.
struct ProtocolResult: Sendable {
  /// The metrics of one group.
  struct GroupResult: Sendable, Equatable {
    /// The number of users in it.
    let userCount: Int
    /// The number of targets in it.
    let eventCount: Int
    /// The mean of each metric over the targets; empty for a group without users.
    let means: [Double]
    /// The bootstrap interval of each headline metric, by key.
    let intervals: [String: ClosedRange<Double>]
  }

  let protocolKind: RankingProtocol
  /// One result a group, in the order of the groups.
  let groups: [GroupResult]

  /// Averages the metrics over the targets of each group; every target counts once.
  ///
  /// - Parameters:
  ///   - kind: the protocol.
  ///   - ranks: the ranks under it.
  ///   - users: the user of each case; nil where each case is a user.
  ///   - groups: who is averaged together.
  ///   - metrics: what is averaged; the headline metrics get intervals.
  ///   - bootstrap: makes the intervals; nil for none.
  ///   - threads: threads to use.
  init(
    _ kind: RankingProtocol, _ ranks: CaseRanks, users: [Int]? = nil, groups: [CaseGroup],
    metrics: [Metric],
    bootstrap: Bootstrap? = nil, threads: Int = 1
  ) {
    protocolKind = kind
    self.groups = groups.map { group in
      GroupResult(group, ranks, users, metrics: metrics, bootstrap: bootstrap, threads: threads)
    }
  }

  /// Metrics by group key: `"overall": {"users": …, "ndcg@10": …}`; null where a group has no users.
  func json(groups keys: [String], metrics: [Metric]) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for (key, group) in zip(keys, groups) {
      var values: [String: JSONValue] = [
        "users": JSONValue(group.userCount), "events": JSONValue(group.eventCount),
      ]
      for (index, metric) in metrics.enumerated() {
        values[metric.key] = group.means.isEmpty ? .null : .number(group.means[index])
      }
      values["intervals"] = .object(group.intervals.mapValues { $0.json })
      members[key] = .object(values)
    }
    return .object(members)
  }
}

extension ProtocolResult.GroupResult {
  /// Averages over the targets of one group, in one pass and in memory that does not grow with them.
  fileprivate init(
    _ group: CaseGroup, _ ranks: CaseRanks, _ users: [Int]?, metrics: [Metric],
    bootstrap: Bootstrap?, threads: Int
  ) {
    let headline = metrics.filter(\.isHeadline)
    var sums = [Double](repeating: 0, count: metrics.count)
    var sample = Bootstrap.Sample(columnCount: headline.count)
    var count = 0
    var (userCount, lastUser) = (0, -1)
    for (place, position) in ranks.cases.enumerated() where group.contains(position) {
      let (rank, candidates) = (ranks.ranks[place], ranks.candidateCounts[place])
      let user = users?[position] ?? position
      count += 1
      userCount += user == lastUser ? 0 : 1
      lastUser = user
      for (index, metric) in metrics.enumerated() {
        sums[index] += metric.value(rank: rank, candidateCount: candidates)
      }
      guard bootstrap != nil else { continue }
      sample.add(headline.map { $0.value(rank: rank, candidateCount: candidates) }, user: user)
    }
    self.userCount = userCount
    eventCount = count
    means = count > 0 ? sums.map { $0 / Double(count) } : []
    var intervals: [String: ClosedRange<Double>] = [:]
    if let bootstrap, count > 0 {
      for (metric, means) in zip(headline, bootstrap.means(of: sample, threads: threads)) {
        intervals[metric.key] = bootstrap.interval(of: means)
      }
    }
    self.intervals = intervals
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

extension ClosedRange<Double> {
  /// The bounds as an array of two.
  var json: JSONValue { [.number(lowerBound), .number(upperBound)] }
}
