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
  }

  let protocolKind: RankingProtocol
  /// One result a group, in the order of the groups.
  let groups: [GroupResult]

  /// Averages the metrics over the users of each group; every user counts once.
  init(
    _ kind: RankingProtocol, _ ranks: CaseRanks, groups: [CaseGroup], metrics: [Metric]
  ) {
    protocolKind = kind
    let values = metrics.map { metric in
      ranks.ranks.indices.map { index in
        metric.value(rank: ranks.ranks[index], candidateCount: ranks.candidateCounts[index])
      }
    }
    self.groups = groups.map { group in
      let members = ranks.cases.indices.filter { group.contains[ranks.cases[$0]] }
      guard !members.isEmpty else { return GroupResult(userCount: 0, means: []) }
      return GroupResult(
        userCount: members.count,
        means: values.map { column in
          members.reduce(0) { $0 + column[$1] } / Double(members.count)
        })
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
      members[key] = .object(values)
    }
    return .object(members)
  }
}
