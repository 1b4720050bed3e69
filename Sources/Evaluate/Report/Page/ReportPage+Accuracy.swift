import Page
import ShardIO

extension ReportPage {
  /// The numbers to remember.
  var tiles: String {
    let hitRate = metric.replacing("ndcg", with: "hr")
    let wanted: [(String, RankingProtocol, String, String)] = [
      ("\(name(metric)), full ranking", .full, "overall", metric),
      ("\(name(metric)), full with history", .fullWithHistory, "overall", metric),
      ("\(name(metric)) of tail items", .full, "tail", metric),
      ("\(name(hitRate)), full ranking", .full, "overall", hitRate),
      ("MRR, full ranking", .full, "overall", "mrr"),
      ("\(name(metric)), stored negatives", .negatives, "overall", metric),
      ("\(name(metric)), popular negatives", .popular, "overall", metric),
    ]
    let tiles = wanted.compactMap { title, kind, group, key -> String? in
      let values = results(kind, group)
      guard let value = values?[key]?.numberValue else { return nil }
      let range = interval(values, key).map { "95 %: \($0)" }.joined()
      let other = otherResults(kind, group)?[key]?.numberValue.map {
        "<small>other run: \(decimal($0, 4))</small>"
      }
      return """
        <div class="tile"><small>\(escaped(title))</small><b>\(decimal(value, 4))</b>\
        <small>\(range)</small>\(other ?? "")</div>
        """
    }
    return "<div class=\"tiles\">\(tiles.joined(separator: "\n"))</div>"
  }

  /// The tables of all protocols.
  var accuracy: String {
    let keys = (report["metrics"]?.arrayValue ?? []).compactMap(\.stringValue).filter { key in
      ["hr@", "ndcg@", "mrr"].contains { key.hasPrefix($0) }
    }
    let sections: [CaseGroup.Section] = [
      .overall, .popularity, .transition, .length, .ties, .period, .category,
    ]
    let hasSeveral = report["events"] != report["users"]
    let columns = ["users"] + (hasSeveral ? ["events"] : [])
    let targets =
      hasSeveral
      ? "Every held-out event is a target and counts once." : "Every user has one target."
    let tables = RankingProtocol.allCases.compactMap { kind -> String? in
      guard let candidates = report["candidates"]?[kind.rawValue]?.stringValue else { return nil }
      let rows = sections.flatMap { groups($0) }.map { key, title in
        let values = results(kind, key)
        return [escaped(title)] + columns.map { grouped(values?[$0]?.integerValue ?? 0) }
          + keys.map { cell(kind, key, $0) }
      }
      let heading = candidates.prefix(1).uppercased() + candidates.dropFirst()
      return folded(
        heading, htmlTable(header: ["group"] + columns + keys.map { name($0) }, rows: rows))
    }
    return """
      <h2>Accuracy</h2>
      <p>\(targets) Below a value stands its 95 % interval from resampling the users. Equal scores
      count half: rank = 1 + greater + equal / 2, a hit when the rank is at most k.</p>
      \(tables.joined(separator: "\n"))
      """
  }

  /// Head against tail, popularity, user length.
  var pictures: String {
    let caption = "\(name(metric)), full ranking, with 95 % intervals"
    let headTail = groups(.popularity).filter { ["head", "tail"].contains($0.key) }
    let seen = groups(.transition)
    let buckets = groups(.popularity).filter {
      $0.key.hasPrefix("popularity-") || $0.key == "cold"
    }
    let figures = [
      bars("Head and tail, seen and unseen steps", caption, groups(.overall) + headTail + seen),
      bars(
        "With the history among the candidates", "\(name(metric)), with 95 % intervals",
        groups(.overall) + headTail + seen, kind: .fullWithHistory),
      bars("By train interactions of the target", caption, buckets),
      bars(
        "Against stored negatives", "\(name(metric)), with 95 % intervals",
        groups(.overall) + headTail, kind: .negatives),
      bars(
        "Against popular negatives", "\(name(metric)), with 95 % intervals",
        groups(.overall) + headTail, kind: .popular),
      bars("By time of the target", caption, groups(.period)),
      bars("By category of the target", caption, groups(.category)),
    ].filter { !$0.isEmpty }
    return """
      <h2>Where it is strong</h2>
      <div class="figures">
      \(figures.joined(separator: "\n"))
      </div>
      \(grid)
      """
  }

  private func bars(
    _ title: String, _ caption: String, _ groups: [(key: String, title: String)],
    kind: RankingProtocol = .full
  ) -> String {
    guard !groups.isEmpty, report["protocols"]?[kind.rawValue] != nil else { return "" }
    func bar(_ values: JSONValue?) -> BarChart.Bar? {
      values?[metric]?.numberValue.map { BarChart.Bar(value: $0, interval: range(values, metric)) }
    }
    let hasOther = report["against"] != nil
    return BarChart(
      title: title, caption: caption, series: hasOther ? ["this run", "the other run"] : [""],
      rows: groups.map { key, title in
        let own = results(kind, key)
        let isPeriod = key.hasPrefix("period-") && title.contains(" to ")
        let name =
          isPeriod
          ? "from \(title.prefix { $0 != " " })"
          : title.replacing("popularity ", with: "").replacing("category ", with: "")
        let remark = "\(grouped(own?["users"]?.integerValue ?? 0)) users"
        let other = hasOther ? [bar(otherResults(kind, key))] : []
        return (name, remark, [bar(own)] + other)
      }
    ).svg
  }

  /// The metric by the number of events before the target.
  var lengthCurve: String {
    let lengths = groups(.length)
    func values(_ results: (String) -> JSONValue?) -> [Double?] {
      lengths.map { results($0.key)?[metric]?.numberValue }
    }
    var series = [("this run", values { results(.full, $0) })]
    if report["against"] != nil {
      series.append(("the other run", values { otherResults(.full, $0) }))
    }
    return LineChart(
      title: "By length of the history",
      caption: "\(name(metric)), full ranking, by events before the target", series: series,
      steps: lengths.map {
        $0.title.replacing("user length ", with: "").replacing("no history", with: "0")
      }
    ).svg
  }

  /// Head and tail by user length.
  private var grid: String {
    let cells = groups(.grid)
    guard !cells.isEmpty else { return "" }
    let kinds = RankingProtocol.allCases.filter { report["protocols"]?[$0.rawValue] != nil }
    let rows = cells.map { key, title in
      [escaped(title), grouped(results(.full, key)?["users"]?.integerValue ?? 0)]
        + kinds.map { cell($0, key, metric) }
    }
    return """
      \(folded(
        "Head and tail by length of the history",
        htmlTable(
          header: ["group", "users"] + kinds.map { "\(name(metric)), \($0.title)" }, rows: rows)))
      """
  }

  /// The differences to the other run.
  var comparison: String {
    guard let protocols = report["against"]?["protocols"] else { return "" }
    let shown = [
      CaseGroup.Section.overall, .popularity, .transition, .length, .ties, .period, .category,
    ]
    .flatMap { groups($0) }
    var comparisonCount = 0
    let tables = RankingProtocol.allCases.compactMap { kind -> String? in
      guard let differences = protocols[kind.rawValue] else { return nil }
      let rows = shown.compactMap { key, title -> [String]? in
        guard let entry = differences[key]?[metric] else { return nil }
        return row(title, key, kind, entry)
      }
      comparisonCount += rows.count
      let header = [
        "group", "users", "this run", "other run", "difference", "better / worse", "p, bootstrap",
        "p, sign test",
      ]
      let title = "\(kind.title.prefix(1).uppercased())\(kind.title.dropFirst())"
      let first = htmlTable(header: header, rows: Array(rows.prefix(3)))
      guard kind == .full else { return folded(title, htmlTable(header: header, rows: rows)) }
      return "<h3>\(title)</h3>\(first)"
        + folded("All \(rows.count) groups", htmlTable(header: header, rows: rows))
    }
    return """
      <h2>Against the other run</h2>
      <p>\(name(metric)), user by user on the same users: this run − the other run, the 95 % interval of the
      difference from a paired bootstrap, and the users for whom either is better. The sign test counts these users however
      small their difference is, so it can disagree with the interval. There are \(comparisonCount) comparisons: about
      \(decimal(Double(comparisonCount) / 20, 0)) of them would have p below 0.05 if the runs were equal. \(seedRemark)\(listChange)</p>
      \(tables.joined(separator: "\n"))
      """
  }

  /// What the intervals hold of the chance of a training.
  private var seedRemark: String {
    let count = report["against"]?["manifests"]?.arrayValue?.count ?? 1
    guard count > 1 else {
      return "Both runs have one training seed each, whose chance no interval holds."
    }
    return """
      The other values are means of \(count) runs, whose chance is in the intervals of the differences; this run has one
      training seed.
      """
  }

  /// How many users see other items first than in the other run.
  private var listChange: String {
    let change = report["against"]?["listChange"]
    guard let changed = change?["changedShare"]?.numberValue,
      let kept = change?["keptShare"]?.numberValue, let items = change?["items"]?.integerValue
    else { return "" }
    return """
       Of the first \(items) items of a list \(decimal(100 * kept, 1)) % are among the other run's first \(items);
      \(decimal(100 * changed, 1)) % of the lists have another set.
      """
  }

  private func row(
    _ title: String, _ key: String, _ kind: RankingProtocol, _ entry: JSONValue
  ) -> [String] {
    func number(_ name: String) -> Double { entry[name]?.numberValue ?? .nan }
    let bounds = (entry["interval"]?.arrayValue ?? []).compactMap(\.numberValue)
    let range = bounds.count == 2 ? "\(signed(bounds[0])) to \(signed(bounds[1]))" : ""
    return [
      escaped(title), grouped(results(kind, key)?["users"]?.integerValue ?? 0),
      decimal(results(kind, key)?[metric]?.numberValue ?? .nan, 4),
      decimal(otherResults(kind, key)?[metric]?.numberValue ?? .nan, 4),
      "\(signed(number("difference")))<small>\(range)</small>",
      "\(entry["wins"]?.integerValue ?? 0) / \(entry["losses"]?.integerValue ?? 0)",
      probability(number("p-bootstrap")), probability(number("p-sign-test")),
    ]
  }

  /// A p-value; none is zero.
  private func probability(_ value: Double) -> String {
    value < 0.001 ? "&lt; 0.001" : decimal(value, 3)
  }
}
