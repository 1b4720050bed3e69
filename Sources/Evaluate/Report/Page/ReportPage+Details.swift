import Page
import ShardIO

extension ReportPage {
  /// What lists look like beyond accuracy.
  var lists: String {
    let values = report["lists"]
    let cutoffs = (report["metrics"]?.arrayValue ?? []).compactMap(\.stringValue)
      .filter { $0.hasPrefix("ndcg@") }.map { String($0.dropFirst(5)) }
    let rows = Self.listMetrics.map { key, meaning in
      ["\(key)<small>\(escaped(meaning))</small>"]
        + cutoffs.map { cut in
          beside(values?["\(key)@\(cut)"], report["against"]?["lists"]?["\(key)@\(cut)"]) {
            $0?.numberValue.map { decimal($0, 4) } ?? "–"
          }
        }
    }
    return """
      <h2>Lists</h2>
      <p>What the lists of the evaluated users look like, whether they are right or not.</p>
      \(htmlTable(header: ["of the lists"] + cutoffs.map { "first \($0)" }, rows: rows))
      """
  }

  /// The metrics of lists and what they say.
  private static let listMetrics = [
    ("coverage", "share of the catalogue that is in some list"),
    ("gini", "0: all items alike, 1: always the same ones"),
    ("entropy", "of the items in the lists, in nats"),
    ("popularity", "train interactions of the items"),
    ("tail", "share of the places that tail items hold"),
    ("novelty", "surprise in bits: rarer items are more novel"),
    ("diversity", "1 − mean text similarity within a list"),
    ("personalization", "1 − mean overlap of two users' lists"),
    ("calibration", "distance from the history's mix of categories, 0 is the same"),
  ]

  /// The validation metric after each epoch.
  var validationCurve: String {
    let curves = TrainingCurves(report)
    let series = curves.series("validationNdcg@10")
    guard curves.isShown, series.contains(where: { $0.values.contains { $0 != nil } }) else {
      return ""
    }
    return LineChart(
      title: "Validation", caption: "NDCG@10 after each epoch, full ranking", series: series,
      steps: curves.steps, mark: curves.mark
    ).svg
  }

  /// The losses of the training and the chosen epoch.
  var training: String {
    let curves = TrainingCurves(report)
    guard curves.isShown else { return "" }
    let configuration = report["stages"]?["train"]?["configuration"]
    let figures = curves.losses.map { loss in
      let series = curves.series(loss)
      let weight = configuration?["\(loss)Weight"]?.numberValue
      let values = series.first?.values.compactMap(\.self) ?? []
      var caption = "mean over the epoch"
      if let weight { caption += ", counts \(compact(weight)) times in the sum" }
      // Every epoch measures it on batches of one make, so a rise is no matter of scale.
      if weight != nil, let first = values.first, let last = values.last, last > first {
        caption += "; it rises because the other losses outweigh it"
      }
      return LineChart(
        title: "Loss: \(loss)", caption: caption, series: series, steps: curves.steps,
        mark: curves.mark, startsAtZero: false
      ).svg
    }
    return "<h2>Training</h2>\n<div class=\"figures\">\(figures.joined(separator: "\n"))</div>"
  }

  /// How the codes are used.
  var codes: String {
    guard let report = report["codes"], let levels = report["levels"]?.arrayValue else { return "" }
    let others = self.report["against"]?["codes"]?["levels"]?.arrayValue ?? []
    let rows = levels.enumerated().map { index, level in
      let other: JSONValue? = index < others.count ? others[index] : .none
      func whole(_ value: JSONValue?) -> String { "\(value?.integerValue ?? 0)" }
      return ["\(index + 1)"]
        + ["size", "used"].map { beside(level[$0], other?[$0], whole) } + [
          beside(level["utilization"], other?["utilization"], share),
          beside(level["perplexity"], other?["perplexity"]) {
            $0?.numberValue.map { decimal($0, 1) } ?? "–"
          },
          beside(level["largestShare"], other?["largestShare"], share),
          beside(level["residual"], other?["residual"], share),
        ]
    }
    let collisions = report["collisions"]
    return """
      <h2>Codes</h2>
      <p>\(share(collisions?["rate"])) of the items share all their codes with another item; the largest such group has
      \(collisions?["largestGroup"]?.integerValue ?? 0) items. Perplexity is the number of equally used codes with the same
      entropy; what is left is the variance of the item vectors that the levels so far miss.</p>
      \(htmlTable(
        header: ["level", "codes", "used", "share used", "perplexity", "largest code", "left"],
        rows: rows))
      """
  }

  /// How well each digit is made.
  var generation: String {
    guard let found = report["generation"] else { return "" }
    let rows = (found["digits"]?.arrayValue ?? []).enumerated().map { level, digit in
      [
        "\(level + 1)", share(digit["accuracy"]),
        digit["meanRank"]?.numberValue.map { decimal($0, 1) } ?? "–",
      ]
    }
    let hits = CaseRanker.firstCount
    return """
      <h2>Digits</h2>
      <p>The model makes the codes of an item digit by digit and keeps to those that some item has, so that every list holds
      items alone. It has at most \(found["listLimit"]?.integerValue ?? 0) of them; a target beyond counts as not found. Hits at
      \(hits) by code, an item with the codes of the target counting too: \(share(found["codeHr@\(hits)"])). Below, each digit
      where those before it are known.</p>
      \(htmlTable(header: ["digit", "right", "mean rank of the true code"], rows: rows))
      """
  }

  /// How the gate weighs the levels.
  var gates: String {
    guard let gates = report["gates"], let overall = gates["overall"]?.arrayValue else { return "" }
    func weights(_ key: String) -> [Double] {
      (gates[key]?.arrayValue ?? []).compactMap(\.numberValue)
    }
    let levels = overall.indices.map { "level \($0 + 1)" }
    let (head, tail) = (weights("head"), weights("tail"))
    let chart = BarChart(
      title: "Weight of each level", caption: "mean over the users, by what they took next",
      series: ["head items", "tail items"],
      rows: levels.indices.map { level in
        (
          levels[level], level == 0 ? "coarsest" : "",
          [head, tail].map { $0.isEmpty ? nil : BarChart.Bar(value: $0[level]) }
        )
      })
    let rows = CaseGroup.Section.allCases.flatMap { groups($0) }.compactMap {
      key, title -> [String]? in
      let others = report["against"]?["gates"]?[key]?.arrayValue ?? []
      return weights(key).isEmpty
        ? nil
        : [escaped(title)]
          + weights(key).enumerated().map { level, weight in
            let other = level < others.count ? others[level].numberValue : nil
            return decimal(weight, 4)
              + (other.map { "<small>other: \(decimal($0, 4))</small>" } ?? "")
          }
    }
    return """
      <h2>Gate</h2>
      <p>What the gate gives to each level of the semantic ID at the end of a user's history; the weights of a user add
      up to 1. The gate sees the history alone, not the target by which the groups are made.</p>
      <div class="figures">\(chart.svg)</div>
      \(folded("All groups", htmlTable(header: ["group"] + levels, rows: rows)))
      """
  }

  /// A share in per cent.
  func share(_ value: JSONValue?) -> String {
    value?.numberValue.map { "\(decimal(100 * $0, 1)) %" } ?? "–"
  }
}
