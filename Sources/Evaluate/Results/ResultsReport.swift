import Metrics
import Page
import ShardIO
import TextOutput

/// The tables of all data sets, as JSON, Markdown and HTML.
struct ResultsReport {
  let tables: [ResultsTable]
  let plan: ResultsPlan
  let against: String

  var json: JSONValue {
    [
      "format": 1, "against": .string(against),
      "runs": JSONValue(plan.runs.count), "planned": JSONValue(plan.planned),
      "seconds": .number(plan.cost.measured), "wholeSeconds": .number(plan.cost.whole),
      "datasets": .array(tables.map(\.json)),
    ]
  }

  var markdown: String {
    let parts = tables.map { table in
      """
      ## \(TextField.markdown(table.dataset))

      \(remark(table))

      \(TextTable(header: header, rows: rows(table)).markdown)
      """
    }
    return "# Results\n\n\(note)\n\n\(parts.joined(separator: "\n\n"))\n"
  }

  var html: String {
    HTMLPage(
      title: "Results", subtitle: note,
      sections: tables.map { table in
        """
        <h2>\(escaped(table.dataset))</h2>
        <p>\(escaped(remark(table)))</p>
        \(htmlTable(header: header, rows: rows(table).map { $0.map { escaped($0) } }))
        <div class="figures">\(bars(table))</div>
        """
      }
    ).html
  }

  // MARK: - Text

  private var header: [String] {
    ["model", "seeds", "HR@10", "NDCG@10", "head", "tail"]
      + ResultsTable.groupKeys.map { "\($0) − \(against)" }
  }

  private var note: String {
    let cost = plan.cost
    let missing =
      plan.runs.count == plan.planned
      ? "" : "; all \(plan.planned) cost about \(duration(cost.whole)) at their mean"
    return """
      Full ranking, the history left out; head and tail by popularity of the target, NDCG@10. ± is the deviation over \
      seeds; differences of NDCG@10 from '\(against)' with 95 % intervals over users and seeds. \(plan.runs.count) runs took \
      \(duration(cost.measured))\(missing).
      """
  }

  private func remark(_ table: ResultsTable) -> String {
    let users = grouped(Int64(table.userCounts["overall"] ?? 0))
    let compared =
      table.rows.contains { $0.model == against }
      ? "" : "; '\(against)' has no run on these data, so there are no differences"
    return "\(users) users, \(grouped(Int64(table.itemCount))) items\(compared)."
  }

  private func rows(_ table: ResultsTable) -> [[String]] {
    let groups = ResultsTable.groupKeys
    let columns = [("overall", "hr@10")] + groups.map { ($0, "ndcg@10") }
    return table.rows.map { row in
      [row.model, "\(row.seeds.count)"]
        + columns.map { group, metric in
          row.results[group]?[metric].map { found in
            decimal(found.value, 4) + (found.deviation.map { " ± \(decimal($0, 4))" } ?? "")
          } ?? "-"
        }
        + groups.map { group in
          guard row.isCompared, let found = row.results[group]?["ndcg@10"] else { return "-" }
          let (low, high) = (found.interval.lowerBound, found.interval.upperBound)
          return "\(signed(found.mean)), \(signed(low)) to \(signed(high))"
        }
    }
      + table.references.map { reference in
        [reference.title, "-"]
          + columns.map { group, metric in
            reference.values[group]?[metric]?.numberValue.map { decimal($0, 4) } ?? "-"
          } + groups.map { _ in "-" }
      }
  }

  private func bars(_ table: ResultsTable) -> String {
    let models = table.rows.compactMap { row in
      row.results["overall"]?["ndcg@10"].map { found in
        let spread = found.deviation.map { found.value - $0...found.value + $0 }
        return (
          label: row.model, remark: "",
          bars: [BarChart.Bar?.some(BarChart.Bar(value: found.value, interval: spread))]
        )
      }
    }
    let references = table.references.compactMap { reference in
      reference.values["overall"]?["ndcg@10"]?.numberValue.map { value in
        (
          label: reference.title, remark: "", bars: [BarChart.Bar?.some(BarChart.Bar(value: value))]
        )
      }
    }
    return BarChart(
      title: table.dataset, caption: "NDCG@10, full ranking; whiskers: deviation over seeds",
      series: [""], rows: models + references
    ).svg
  }

  /// Seconds, minutes or hours, with one decimal.
  private func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: "\(decimal(seconds, 0)) s"
    case ..<7200: "\(decimal(seconds / 60, 1)) min"
    default: "\(decimal(seconds / 3600, 1)) h"
    }
  }
}
