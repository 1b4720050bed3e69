import Metrics
import ShardIO

/// Everything that report.json says; the other forms of the report are made from it.
struct EvaluationReport {
  /// Raised when a key changes its meaning or goes away; new keys do not raise it.
  static let formatVersion: Int64 = 1

  let split: Split
  let metrics: [Metric]
  let groups: [CaseGroup]
  let results: [ProtocolResult]
  /// The number of items that a target competes with, smallest and largest, by protocol.
  let negativeCounts: [RankingProtocol: ClosedRange<Int>]
  /// Whether items of the history are candidates too.
  var allowsRepeats = false
  let itemCount: Int
  /// Users who have a target.
  let userCount: Int
  /// Targets.
  let eventCount: Int
  /// What the earlier stages recorded: configuration and counters by stage.
  var stages: [String: JSONValue]
  /// The name of data and run, as the user wrote it; nil for none.
  var title: String?
  /// What needs no training, on the same users.
  var baselines: [BaselineResult] = []
  /// The comparison with another run.
  var comparison: RunComparison?
  /// What the lists look like beyond accuracy.
  var lists: [(key: String, value: Double?)] = []
  /// Mean gate weights by group, of a model with a gate.
  var gates: JSONValue?
  /// What only a model that makes codes can show.
  var generation: JSONValue?
  /// The lines of the training log.
  var training: [JSONValue] = []
  /// The report of the codes, for a model with codes.
  var codes: JSONValue?
  /// What the stages took, where it is known.
  var times: JSONValue?
  /// A few users with their lists.
  var examples: JSONValue = []

  /// The report as JSON.
  var json: JSONValue {
    var protocols: [String: JSONValue] = [:]
    for result in results {
      protocols[result.protocolKind.rawValue] = result.json(
        groups: groups.map(\.key), metrics: metrics)
    }
    var members: [String: JSONValue] = [
      "format": .integer(Self.formatVersion),
      "program": .string(programVersion),
      "split": .string(split.rawValue),
      "users": JSONValue(userCount),
      "events": JSONValue(eventCount),
      "items": JSONValue(itemCount),
      "metrics": .array(metrics.map { .string($0.key) }),
      "groups": .array(
        groups.map { group in
          [
            "key": .string(group.key), "title": .string(group.title), "rule": .string(group.rule),
            "section": .string(group.section.rawValue),
          ]
        }),
      "candidates": .object(
        Dictionary(
          uniqueKeysWithValues: results.map { result in
            (result.protocolKind.rawValue, .string(candidates(of: result.protocolKind)))
          })),
      "ties": "mid-rank: 1 + greater + equal / 2; a hit when the rank is at most k",
      "protocols": .object(protocols),
      "stages": .object(stages),
    ]
    members["lists"] = .object(
      Dictionary(
        uniqueKeysWithValues: lists.map { ($0.key, $0.value.map(JSONValue.number) ?? .null) }))
    members["title"] = title.map { .string($0) }
    members["baselines"] = .object(
      Dictionary(uniqueKeysWithValues: baselines.map { ($0.baseline.rawValue, $0.json) }))
    members["against"] = comparison?.json
    members["gates"] = gates
    members["generation"] = generation
    members["training"] = .array(training)
    members["codes"] = codes
    members["times"] = times
    members["examples"] = examples
    return .object(members)
  }

  /// The candidate set in words.
  private func candidates(of kind: RankingProtocol) -> String {
    switch kind {
    case .full:
      let history = allowsRepeats ? "the user's history among them" : "the user's history excluded"
      return "full ranking: all \(itemCount) items, \(history)"
    case .fullWithHistory:
      return "full with history: all \(itemCount) items, the user's history among them"
    case .negatives:
      return
        "stored negatives: the target and \(count(kind)) items outside the user's whole history"
    case .popular:
      return """
        popular negatives: the target and \(count(kind)) items outside the user's whole history, drawn in proportion \
        to their train events
        """
    }
  }

  private func count(_ kind: RankingProtocol) -> String {
    let range = negativeCounts[kind] ?? 0...0
    return range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }
}
