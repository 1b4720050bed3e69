import Foundation
import ShardIO
import TextOutput

/// The metric tables of a report.json, for the terminal and for report.md.
struct ReportTables {
  /// The kinds of metric that the tables show; report.json has more.
  private static let shown = ["hr@", "ndcg@", "mrr"]

  let split: String
  let userCount: Int64
  /// Targets; nil where each user has one.
  let eventCount: Int64?
  let itemCount: Int64
  /// The candidate set in words, and the metrics of the groups; the details are for readers with more room than a terminal.
  let protocols: [(candidates: String, table: TextTable, details: TextTable)]
  /// What the lists look like beyond accuracy.
  let lists: TextTable
  /// Title and rule of each group.
  let rules: [(title: String, rule: String)]

  /// Reads a report.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if it has not the form of a report.
  init(_ report: JSONValue, path: String) throws(PipelineError) {
    guard report["format"]?.integerValue == EvaluationReport.formatVersion,
      let split = report["split"]?.stringValue, let users = report["users"]?.integerValue,
      let items = report["items"]?.integerValue, let groups = report["groups"]?.arrayValue,
      let metrics = report["metrics"]?.arrayValue?.compactMap(\.stringValue)
    else { throw .notAReport(path) }
    self.split = split
    userCount = users
    itemCount = items
    rules = groups.map { ($0["title"]?.stringValue ?? "", $0["rule"]?.stringValue ?? "") }
    lists = Self.listTable(report["lists"])
    let events = report["events"]?.integerValue ?? users
    let hasSeveral = events > users
    eventCount = hasSeveral ? events : nil
    brief = ReportBrief(report, metrics: metrics).text
    let columns = metrics.filter { key in Self.shown.contains { key.hasPrefix($0) } }
    protocols = RankingProtocol.allCases.compactMap { kind in
      guard let results = report["protocols"]?[kind.rawValue] else { return nil }
      func table(_ isWanted: (JSONValue) -> Bool) -> TextTable {
        var table = TextTable(
          header: ["group", "users"] + (hasSeveral ? ["events"] : []) + columns)
        for group in groups where isWanted(group) {
          guard let key = group["key"]?.stringValue, let values = results[key] else { continue }
          table.rows.append(
            [group["title"]?.stringValue ?? key, "\(values["users"]?.integerValue ?? 0)"]
              + (hasSeveral ? ["\(values["events"]?.integerValue ?? 0)"] : [])
              + columns.map { Self.text(values[$0]) })
        }
        return table
      }
      let details = [CaseGroup.Section.grid, .category, .period].map(\.rawValue)
      func isDetail(_ group: JSONValue) -> Bool {
        details.contains(group["section"]?.stringValue ?? "")
      }
      return (
        report["candidates"]?[kind.rawValue]?.stringValue ?? kind.rawValue,
        table { !isDetail($0) }, table(isDetail)
      )
    }
  }

  /// The end of a run: the model beside what needs no training, in at most ten lines.
  let brief: String

  /// The tables for a terminal.
  var plain: String {
    let events = eventCount.map { ", \($0) events" } ?? ""
    let title = "\(split) split, \(userCount) users\(events), \(itemCount) items"
    return ([title] + protocols.map { "\($0.candidates)\n\n\($0.table.plain)" })
      .joined(separator: "\n\n")
  }

  /// The tables as a page of Markdown, with the numbers of the rest of the report.
  func markdown(of report: JSONValue) -> String {
    var text =
      "# Evaluation\n\nSplit: \(split). Users: \(userCount).\(eventCount.map { " Events: \($0)." } ?? "") Items: \(itemCount).\n"
    text += "Ties count half: rank = 1 + greater + equal / 2; a hit when the rank is at most k.\n"
    for (candidates, table, details) in protocols {
      let title = candidates.prefix(1).uppercased() + candidates.dropFirst()
      text += "\n## \(title)\n\n\(table.markdown)\n\n\(details.markdown)\n"
    }
    text += "\n## Lists\n\n\(lists.markdown)\n"
    text += "\n\(ReportMarkdown(report: report).sections)"
    text += "\n## Groups\n\n"
    for (title, rule) in rules {
      text += "- **\(TextField.markdown(title))**: \(TextField.markdown(rule))\n"
    }
    return text
  }

  /// One row a metric of lists, one column a length of list.
  private static func listTable(_ lists: JSONValue?) -> TextTable {
    let keys = lists?.objectValue?.keys.sorted() ?? []
    let cutoffs = Set(keys.compactMap { $0.split(separator: "@").last.flatMap { Int($0) } })
      .sorted()
    let names = Set(keys.compactMap { $0.split(separator: "@").first }).sorted()
    return TextTable(
      header: ["lists"] + cutoffs.map { "@\($0)" },
      rows: names.map { name in
        [String(name)] + cutoffs.map { text(lists?["\(name)@\($0)"]) }
      })
  }

  /// Four digits, or a dash where there is no value.
  private static func text(_ value: JSONValue?) -> String {
    value?.numberValue.map { String(format: "%.4f", $0) } ?? "-"
  }
}
