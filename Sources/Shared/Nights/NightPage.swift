internal import Page
public import ShardIO

/// The history of a RUN for people, and for programs that watch it.
public struct NightPage: Sendable {
  private let title: String
  private let nights: [JSONValue]
  private let lines: [JSONValue]
  private let kept: Set<String>

  /// A page of the lines of the history.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - lines: of the history, the oldest first.
  ///   - kept: the nights whose folders are still there, which the page links to.
  public init(title: String, _ lines: [JSONValue], kept: Set<String> = []) {
    self.title = title
    self.lines = lines
    self.kept = kept
    nights = lines.filter { $0["event"] == "night" }
  }

  /// One HTML file: curves over the nights, then a table, the newest first; refused nights are marked.
  public var html: String {
    // The day alone, since names are too long to stand side by side.
    let steps = nights.map {
      "\(name($0).dropFirst(5).prefix(5))\($0["published"] == true ? "" : " ✗")"
    }
    func values(_ key: String, per unit: Double = 1) -> [Double?] {
      nights.map { $0[key]?.numberValue.map { $0 / unit } }
    }
    func values(_ keys: [String], of key: String) -> [Double?] {
      nights.map { night in
        let found = keys.compactMap { night[key]?[$0]?.numberValue }
        return found.isEmpty ? nil : found.reduce(0, +)
      }
    }
    let accuracy = NightGate.groups.map { group in
      LineChart(
        title: "NDCG@10, \(group)",
        caption:
          "of each night with its 95 % interval, and of the model published before it on the same users; ✗ refused",
        series: [
          ("the night", values("ndcg@10 \(group)")),
          ("published before", values("published ndcg@10 \(group)")),
        ], intervals: nights.map { interval($0["interval \(group)"]) }, steps: steps
      ).svg
    }
    let curves: [(title: String, caption: String, series: [(name: String, values: [Double?])])] = [
      ("Data", "interactions", [("interactions", values("interactions"))]),
      (
        "Users and items", "after the filters",
        [("users", values("users")), ("items", values("items"))]
      ),
      (
        "Change of the catalogue",
        "items that are new, and items that are gone since the published night",
        [
          ("new", values(["borrowedItems", "freshItems"], of: "carriedItems")),
          ("gone", values(["droppedItems"], of: "carriedItems")),
        ]
      ),
      (
        "Drift of the codes", "error of new items / error at the fit",
        [("drift", values(["ratio"], of: "drift"))]
      ),
      (
        "Lists", "percent of the first ten items that the published model has there, too",
        [("kept", values("keptShare", per: 0.01))]
      ),
      ("Time", "seconds of the night", [("seconds", values("seconds"))]),
      (
        "Memory", "megabytes of the largest program, and of the night on the disk",
        [("memory", values("peakMemory", per: 1e6)), ("disk", values("bytes", per: 1e6))]
      ),
      ("Training", "epochs", [("epochs", values("epochs"))]),
    ]
    let others = curves.map { curve in
      LineChart(
        title: curve.title, caption: curve.caption, series: curve.series, steps: steps
      ).svg
    }
    let rows = lines.reversed().map { line in
      line["event"] == "rollback"
        ? [
          escaped(line["time"]?.stringValue ?? ""), "rolled back",
          escaped("from \(line["from"]?.stringValue ?? "") to \(line["to"]?.stringValue ?? "")"),
          "", "",
        ]
        : [
          link(name(line)), line["published"] == true ? "published" : "refused",
          escaped(
            (line["reasons"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: "; ")),
          line["ndcg@10 overall"]?.numberValue.map { decimal($0, 4) } ?? "–",
          line["seconds"]?.numberValue.map { decimal($0, 0) } ?? "–",
        ]
    }
    return HTMLPage(
      title: title, subtitle: "\(nights.count) nights",
      sections: [
        "<div class=\"figures\">\((accuracy + others).joined(separator: "\n"))</div>",
        "<h2>Nights, the newest first</h2>",
        htmlTable(
          header: ["night", "outcome", "why", "NDCG@10", "seconds"], rows: Array(rows), isText: true
        ),
      ]
    ).html
  }

  /// The state of the newest night for Prometheus' textfile collector.
  public func prometheus(published: String?, now: Int64) -> String {
    guard let last = nights.last else { return "" }
    func metric(_ name: String, _ help: String, _ value: Double?) -> String {
      guard let value else { return "" }
      return "# HELP h2rec_\(name) \(help)\n# TYPE h2rec_\(name) gauge\nh2rec_\(name) \(value)\n"
    }
    let age = published.flatMap(NightFolder.seconds).map { Double(now - $0) }
    return metric(
      "night_published", "1 if the newest night was published", last["published"] == true ? 1 : 0)
      + metric("night_seconds", "how long the newest night took", last["seconds"]?.numberValue)
      + metric("night_bytes", "what the newest night takes on the disk", last["bytes"]?.numberValue)
      + metric("night_ndcg10", "NDCG@10 of the newest night", last["ndcg@10 overall"]?.numberValue)
      + metric("published_age_seconds", "time since the published night began", age)
  }

  private func name(_ line: JSONValue) -> String { line["night"]?.stringValue ?? "" }

  private func link(_ night: String) -> String {
    kept.contains(night)
      ? "<a href=\"runs/\(escaped(night))/\(NightFolder.pageName)\">\(escaped(night))</a>"
      : escaped(night)
  }

  private func interval(_ value: JSONValue?) -> ClosedRange<Double>? {
    let bounds = (value?.arrayValue ?? []).compactMap(\.numberValue)
    return bounds.count == 2 && bounds[0] <= bounds[1] ? bounds[0]...bounds[1] : nil
  }
}
