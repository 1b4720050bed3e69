import ShardIO

/// What one baseline reaches.
struct BaselineResult: Sendable {
  let baseline: Baseline
  /// How it scores, in words.
  let rule: String
  /// Metrics by group, under the full ranking.
  let values: JSONValue
  /// The model − the baseline by group and metric; nil without resamples.
  let differences: JSONValue?

  /// The entry of report.json.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "title": .string(baseline.title), "rule": .string(rule), "values": values,
    ]
    members["differences"] = differences
    return .object(members)
  }
}
