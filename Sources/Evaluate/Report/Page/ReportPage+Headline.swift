import Page
import ShardIO

extension ReportPage {
  /// The first screen: how good the model is, and whether it beats what needs no training.
  var headline: String {
    guard let value = results(.full, "overall")?[metric]?.numberValue else { return tiles }
    let range = interval(results(.full, "overall"), metric).map { ", 95 % interval \($0)" }.joined()
    let verdicts = comparisons.map { "<li>\($0.sentence)</li>" }
    return """
      <p class="verdict"><b>\(name(metric)) \(decimal(value, 4))</b>\(range), full ranking of \
      \(countedUsers(report)).</p>
      \(verdicts.isEmpty ? "" : "<ul>\(verdicts.joined(separator: "\n"))</ul>")
      \(tiles)
      """
  }

  /// What decides at a glance: baselines, kinds of targets, length of the history, validation.
  var glance: String {
    let figures = [baselineBars, kindBars, lengthCurve, validationCurve].filter { !$0.isEmpty }
    guard !figures.isEmpty else { return "" }
    return "<h2>At a glance</h2>\n<div class=\"figures\">\(figures.joined(separator: "\n"))</div>"
  }

  /// The model against each baseline, the best one first.
  private var comparisons: [(key: Baseline, value: Double, sentence: String)] {
    guard let own = results(.full, "overall")?[metric]?.numberValue else { return [] }
    return Baseline.allCases.compactMap { baseline in
      guard let entry = report["baselines"]?[baseline.rawValue],
        let value = entry["values"]?["overall"]?[metric]?.numberValue
      else { return nil }
      return (baseline, value, sentence(own, value, baseline, entry["differences"]))
    }.sorted { $0.value > $1.value }
  }

  private func sentence(
    _ own: Double, _ value: Double, _ baseline: Baseline, _ differences: JSONValue?
  ) -> String {
    let numbers = "\(decimal(own, 4)) against \(decimal(value, 4))"
    let bounds = differences?["overall"]?[metric]?["interval"]?.arrayValue?.compactMap(
      \.numberValue)
    guard let bounds, bounds.count == 2 else {
      return "\(numbers) of <b>\(baseline.title)</b>, without an interval"
    }
    let interval =
      "difference \(signed(own - value)), 95 % interval \(signed(bounds[0])) to \(signed(bounds[1]))"
    let verdict =
      bounds[0] > 0 ? "better than" : bounds[1] < 0 ? "worse than" : "not told apart from"
    return "<b>\(verdict) \(baseline.title)</b>: \(numbers), \(interval)"
  }

  private var baselineBars: String {
    guard let own = results(.full, "overall"), let value = own[metric]?.numberValue,
      !comparisons.isEmpty
    else { return "" }
    let bars = [BarChart.Bar(value: value, interval: range(own, metric))]
    return BarChart(
      title: "Against what needs no training", caption: "\(name(metric)), full ranking",
      series: [""],
      rows: [("this model", modelName, bars)]
        + comparisons.map { ($0.key.title, "", [BarChart.Bar(value: $0.value)]) }
    ).svg
  }

  /// Head and tail, seen and unseen steps, beside the best baseline.
  private var kindBars: String {
    let shown = ["head", "tail", "transition-seen", "transition-unseen"]
    let kinds = (groups(.popularity) + groups(.transition)).filter { shown.contains($0.key) }
    guard let best = comparisons.first else { return "" }
    let values = report["baselines"]?[best.key.rawValue]?["values"]
    return BarChart(
      title: "By kind of target",
      caption: "\(name(metric)), full ranking; a step is the pair of last item and target",
      series: ["this model", best.key.title],
      rows: kinds.map { key, title in
        let own = results(.full, key)
        let bars = [own, values?[key]].map { found in
          found?[metric]?.numberValue.map {
            BarChart.Bar(value: $0, interval: range(found, metric))
          }
        }
        return (
          title.replacing("transition", with: "step"),
          "\(grouped(own?["users"]?.integerValue ?? 0)) users", bars
        )
      }
    ).svg
  }

  /// The kind of the model, as its manifest says it.
  var modelName: String {
    report["stages"]?["train"]?["configuration"]?["model"]?.stringValue ?? ""
  }

  /// Whether items have codes.
  var hasCodes: Bool { report["codes"] != nil }
}
