import Page
import ShardIO
import TextOutput

/// A report in a few lines: the model beside what needs no training.
struct ReportBrief {
  private let report: JSONValue
  /// The metric whose values by kind of target are shown.
  private let metric: String
  private let columns: [String]

  /// Takes NDCG, hit rate and MRR at 10, or at the longest cut if there is no 10.
  init(_ report: JSONValue, metrics: [String]) {
    self.report = report
    let ndcg = metrics.contains("ndcg@10") ? "ndcg@10" : metrics.last { $0.hasPrefix("ndcg@") }
    metric = ndcg ?? "mrr"
    columns = ndcg.map { [$0, $0.replacing("ndcg", with: "hr"), "mrr"] } ?? ["mrr"]
  }

  /// At most nine lines.
  var text: String {
    let kinds = [
      ("head", "head"), ("tail", "tail"), ("transition-seen", "seen"),
      ("transition-unseen", "unseen"),
    ]
    func cells(_ values: JSONValue?) -> [String] {
      columns.map { number(values?["overall"]?[$0]) }
        + kinds.map { number(values?[$0.0]?[metric]) }
    }
    let model = report["stages"]?["train"]?["configuration"]?["model"]?.stringValue ?? "this model"
    var table = TextTable(
      header: ["full ranking"] + columns.map { $0.uppercased() } + kinds.map(\.1))
    table.rows.append([model] + cells(report["protocols"]?["full"]))
    for baseline in Baseline.allCases.reversed() {
      guard let entry = report["baselines"]?[baseline.rawValue] else { continue }
      table.rows.append([baseline.title] + cells(entry["values"]))
    }
    let title = report["title"]?.stringValue.map { "\(visible($0)): " } ?? ""
    let users = countedUsers(report)
    let items = grouped(report["items"]?.integerValue ?? 0)
    let withHistory = number(
      report["protocols"]?[RankingProtocol.fullWithHistory.rawValue]?["overall"]?[metric])
    return """
      \(title)\(report["split"]?.stringValue ?? "") split, \(users), \(items) items; \(metric.uppercased()) with the history among the candidates \(withHistory)
      \(table.plain)
      head, tail: by popularity of the target; seen, unseen: its step from the last item in training; all of \(metric.uppercased())
      """
  }

  private func number(_ value: JSONValue?) -> String {
    value?.numberValue.map { decimal($0, 4) } ?? "-"
  }
}

/// The users, and the targets where users have several, in words.
func countedUsers(_ report: JSONValue) -> String {
  let users = report["users"]?.integerValue ?? 0
  let events = report["events"]?.integerValue ?? users
  return "\(grouped(users)) users" + (events > users ? ", \(grouped(events)) events" : "")
}
