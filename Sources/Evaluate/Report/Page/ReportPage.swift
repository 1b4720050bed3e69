import Page
import ShardIO

/// report.html: one file that shows a report.json to people, without scripts and without anything from the network.
struct ReportPage {
  let report: JSONValue
  /// The metric that pictures show.
  let metric: String

  /// Prepares the page of a report; pictures show NDCG at 10, or at the last cut if there is no 10.
  init(_ report: JSONValue) {
    self.report = report
    let keys = (report["metrics"]?.arrayValue ?? []).compactMap(\.stringValue)
    let cut = keys.contains("ndcg@10") ? "ndcg@10" : keys.last { $0.hasPrefix("ndcg@") }
    metric = cut ?? "mrr"
  }

  /// The whole page.
  var html: String {
    HTMLPage(
      title: title, subtitle: subtitle,
      sections: [
        headline, glance, examples, comparison, pictures, accuracy, lists, training, gates,
        generation, codes,
        dataCard, runCard,
      ]
    ).html
  }

  private var title: String {
    let model = modelName.isEmpty ? "a model" : "'\(modelName)'"
    return report["title"]?.stringValue.map { "\($0): evaluation of \(model)" }
      ?? "Evaluation of \(model)"
  }

  private var subtitle: String {
    let users = countedUsers(report)
    let items = grouped(report["items"]?.integerValue ?? 0)
    let counters = report["stages"]?["preprocess"]?["counters"]
    let events = counters?["trainEvents"]?.integerValue.map { ", \(grouped($0)) training events" }
    let run = report["stages"]?["train"]?["manifest"]?.stringValue.map { ", run \($0.prefix(8))" }
    return "\(report["split"]?.stringValue ?? "") split, \(users), \(items) items"
      + (events ?? "") + (run ?? "")
  }

  // MARK: - Values

  /// The results of a group under a protocol.
  func results(_ kind: RankingProtocol, _ group: String) -> JSONValue? {
    report["protocols"]?[kind.rawValue]?[group]
  }

  /// The results of the other run.
  func otherResults(_ kind: RankingProtocol, _ group: String) -> JSONValue? {
    report["against"]?["values"]?[kind.rawValue]?[group]
  }

  /// A value of the report, and that of the other run below it.
  func beside(_ value: JSONValue?, _ other: JSONValue?, _ text: (JSONValue?) -> String) -> String {
    text(value) + (report["against"] == nil ? "" : "<small>other: \(text(other))</small>")
  }

  /// The groups of a section, as (key, title).
  func groups(_ section: CaseGroup.Section) -> [(key: String, title: String)] {
    (report["groups"]?.arrayValue ?? []).compactMap { group in
      guard group["section"]?.stringValue == section.rawValue, let key = group["key"]?.stringValue
      else { return nil }
      return (key, Self.shortened(group["title"]?.stringValue ?? key))
    }
  }

  /// A long title, cut at its end.
  private static func shortened(_ title: String) -> String {
    title.count > 80 ? "\(title.prefix(79))…" : title
  }

  /// A metric with four decimals, and its interval below it.
  func cell(_ values: JSONValue?, _ key: String) -> String {
    guard let value = values?[key]?.numberValue else { return "–" }
    return decimal(value, 4) + interval(values, key).map { "<small>\($0)</small>" }.joined()
  }

  /// The cell of a group, with the value of the other run below it.
  func cell(_ kind: RankingProtocol, _ group: String, _ key: String) -> String {
    let own = cell(results(kind, group), key)
    guard report["against"] != nil else { return own }
    let other = otherResults(kind, group)?[key]?.numberValue.map { decimal($0, 4) } ?? "–"
    return "\(own)<small>other: \(other)</small>"
  }

  /// The interval of a metric in words; empty where there is none.
  func interval(_ values: JSONValue?, _ key: String) -> [String] {
    guard let range = range(values, key) else { return [] }
    return ["\(decimal(range.lowerBound, 4))–\(decimal(range.upperBound, 4))"]
  }

  /// The interval of a metric.
  func range(_ values: JSONValue?, _ key: String) -> ClosedRange<Double>? {
    guard let bounds = values?["intervals"]?[key]?.arrayValue?.compactMap(\.numberValue),
      bounds.count == 2, bounds[0] <= bounds[1]
    else { return nil }
    return bounds[0]...bounds[1]
  }

  /// A metric's name as people write it: `NDCG@10`.
  func name(_ key: String) -> String { key.uppercased() }
}
