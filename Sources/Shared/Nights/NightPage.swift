internal import Page
public import ShardIO

/// The history of a RUN for people, and for programs that watch it.
public struct NightPage: Sendable {
  private let title: String
  private let nights: [JSONValue]
  private let lines: [JSONValue]

  /// A page of the lines of the history.
  public init(title: String, _ lines: [JSONValue]) {
    self.title = title
    self.lines = lines
    nights = lines.filter { $0["event"] == "night" }
  }

  /// One HTML file: curves over the nights, then a table, the newest first; refused nights are marked.
  public var html: String {
    // The day alone, since names are too long to stand side by side.
    let steps = nights.map {
      "\(name($0).dropFirst(5).prefix(5))\($0["published"] == true ? "" : " ✗")"
    }
    func values(_ key: String) -> [Double?] { nights.map { $0[key]?.numberValue } }
    let accuracy = ["overall", "head", "tail"].map { group in
      LineChart(
        title: "NDCG@10, \(group)",
        caption: "of each night, and of the model published before it on the same users; ✗ refused",
        series: [
          ("the night", values("ndcg@10 \(group)")),
          ("published before", values("published ndcg@10 \(group)")),
        ], steps: steps
      ).svg
    }
    let curves: [(key: String, title: String, caption: String, unit: Double)] = [
      ("interactions", "Data", "interactions", 1), ("seconds", "Time", "seconds of the night", 1),
      ("bytes", "Size", "megabytes of the night", 1e6), ("epochs", "Training", "epochs", 1),
    ]
    let others = curves.map { curve in
      LineChart(
        title: curve.title, caption: curve.caption,
        series: [(curve.caption, values(curve.key).map { $0.map { $0 / curve.unit } })],
        steps: steps
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
          escaped(name(line)), line["published"] == true ? "published" : "refused",
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
}
