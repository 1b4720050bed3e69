import Foundation
import Page
import ShardIO
import TextOutput

/// The parts of report.md beyond the metric tables; each is empty where the report has nothing to say.
struct ReportMarkdown {
  let report: JSONValue

  /// Everything after the metric tables, in the order of report.html.
  var sections: String {
    [
      baselines, intervals, differences, gates, generation, training, codes, examples, stages,
      times,
    ]
    .filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// The intervals of the headline metrics, of all users and of head and tail.
  private var intervals: String {
    var table = TextTable(header: ["protocol, group", "metric", "value", "from", "to"])
    for kind in RankingProtocol.allCases {
      for group in ["overall", "head", "tail"] {
        let values = report["protocols"]?[kind.rawValue]?[group]
        for (key, range) in members(values?["intervals"]) {
          let bounds = range.arrayValue ?? []
          guard bounds.count == 2 else { continue }
          table.rows.append(
            ["\(kind.title), \(group)", key, text(values?[key]), text(bounds[0]), text(bounds[1])])
        }
      }
    }
    return section("95 % intervals", table)
  }

  /// What needs no training, on the same users and candidates.
  private var baselines: String {
    var table = TextTable(
      header: ["baseline, group", "metric", "baseline", "difference", "from", "to"])
    for baseline in Baseline.allCases {
      let entry = report["baselines"]?[baseline.rawValue]
      for (group, metrics) in members(entry?["differences"]) {
        for (metric, found) in members(metrics) {
          let bounds = found["interval"]?.arrayValue ?? []
          table.rows.append(
            ["\(baseline.title), \(group)", metric]
              + [
                entry?["values"]?[group]?[metric], found["difference"], bounds.first, bounds.last,
              ].map(text))
        }
      }
    }
    return section("The model minus what needs no training, full ranking", table)
  }

  /// This run minus the other one.
  private var differences: String {
    var table = TextTable(
      header: [
        "protocol, group", "metric", "difference", "from", "to", "better", "worse", "p bootstrap",
        "p sign test",
      ])
    for kind in RankingProtocol.allCases {
      let groups = report["against"]?["protocols"]?[kind.rawValue]
      for group in report["groups"]?.arrayValue ?? [] {
        guard let key = group["key"]?.stringValue, let metrics = groups?[key] else { continue }
        for (metric, entry) in members(metrics) {
          let bounds = entry["interval"]?.arrayValue ?? []
          table.rows.append(
            ["\(kind.title), \(group["title"]?.stringValue ?? key)", metric]
              + [entry["difference"], bounds.first, bounds.last].map(text)
              + [entry["wins"], entry["losses"]].map(plain)
              + [entry["p-bootstrap"], entry["p-sign-test"]].map(probability))
        }
      }
    }
    return section("Against the other run", table)
  }

  private var gates: String {
    let levels = report["gates"]?["overall"]?.arrayValue?.count ?? 0
    var table = TextTable(header: ["group"] + (0..<levels).map { "level \($0 + 1)" })
    for group in report["groups"]?.arrayValue ?? [] {
      guard let key = group["key"]?.stringValue,
        let weights = report["gates"]?[key]?.arrayValue
      else { continue }
      table.rows.append([group["title"]?.stringValue ?? key] + weights.map(text))
    }
    return section("Gate: weight of each level", table)
  }

  private var generation: String {
    guard let found = report["generation"] else { return "" }
    var table = TextTable(header: ["digit", "accuracy", "mean rank of the true code"])
    for (level, digit) in (found["digits"]?.arrayValue ?? []).enumerated() {
      table.rows.append(["\(level + 1)", text(digit["accuracy"]), text(digit["meanRank"])])
    }
    let hits = CaseRanker.firstCount
    return section("Digits, where those before are known", table)
      + "\nLists have at most \(plain(found["listLimit"])) items; a target beyond counts as not found. "
      + "Hits at \(hits) by code: \(text(found["codeHr@\(hits)"])).\n"
  }

  private var training: String {
    let lines = report["training"]?.arrayValue ?? []
    let columns = members(lines.first).map(\.key).filter { $0 != "epoch" && $0 != "isBest" }
    return section(
      "Training",
      TextTable(
        header: ["epoch"] + columns,
        rows: lines.map { line in
          let isBest = line["isBest"]?.boolValue == true
          return ["\(plain(line["epoch"]))\(isBest ? " (best so far)" : "")"]
            + columns.map { $0 == "step" ? plain(line[$0]) : text(line[$0]) }
        }))
  }

  private var codes: String {
    guard let codes = report["codes"] else { return "" }
    let columns = ["size", "used", "utilization", "perplexity", "largestShare", "residual"]
    let rows = (codes["levels"]?.arrayValue ?? []).enumerated().map { index, level in
      ["\(index + 1)"] + columns.map { text(level[$0]) }
    }
    let collisions = codes["collisions"]
    return section("Codes", TextTable(header: ["level"] + columns, rows: rows))
      + "\nItems that share all codes: \(text(collisions?["rate"])); largest group: \(plain(collisions?["largestGroup"])).\n"
  }

  /// What examples were given, and why.
  private var examples: String {
    let users = report["examples"]?.arrayValue ?? []
    guard !users.isEmpty else { return "" }
    let parts = users.map { user in
      let history = (user["history"]?.arrayValue ?? []).map { "\(name($0))\(attention($0))" }
      let list = (user["list"]?.arrayValue ?? []).enumerated().map { index, item in
        let because = item["because"].map { because in
          "; shares \(plain(because["sharedLevels"])) codes with \(name(because))\(attention(because))"
        }
        let mark = item["isTruth"]?.boolValue == true ? " **(the truth)**" : ""
        return "\(index + 1). \(name(item))\(mark)\(codes(item))\(because ?? "")"
      }
      return """
        ### \(plain(user["kind"])): user \(TextField.markdown(plain(user["user_id"])))

        Took next: \(user["truth"].map(name) ?? ""), at rank \(text(user["truth"]?["rank"])). \
        \(plain(user["historyLength"])) events before it, the last ones: \(history.joined(separator: "; ")).

        \(list.joined(separator: "\n"))
        """
    }
    return "## Examples\n\n" + parts.joined(separator: "\n\n") + "\n"
  }

  private var stages: String {
    ["preprocess", "tokenize", "train"].compactMap { stage -> String? in
      guard let entry = report["stages"]?[stage] else { return nil }
      let rows =
        (members(entry["counters"]) + members(entry["configuration"]))
        .map { [$0.key, plain($0.value)] } + [["manifest", plain(entry["manifest"])]]
      return section("Stage \(stage)", TextTable(header: ["name", "value"], rows: rows))
    }.joined(separator: "\n")
  }

  private var times: String {
    guard let times = report["times"]?.objectValue else {
      return "## Times and memory\n\nNot known: give `--run-times`.\n"
    }
    let rows = (RunTimes.stages + ["evaluate"]).map { stage in
      let entry = times[stage]
      return [
        stage, entry.map { text($0["seconds"]) } ?? "not known",
        entry.map { plain($0["peakMegabytes"]) } ?? "not known",
      ]
    }
    return section(
      "Times and memory", TextTable(header: ["stage", "seconds", "peak MiB"], rows: rows))
  }

  // MARK: - Text

  private func section(_ title: String, _ table: TextTable) -> String {
    table.rows.isEmpty ? "" : "## \(title)\n\n\(table.markdown)\n"
  }

  private func members(_ value: JSONValue?) -> [(key: String, value: JSONValue)] {
    (value?.objectValue ?? [:]).sorted { $0.key < $1.key }
  }

  private func name(_ item: JSONValue) -> String {
    let title = item["title"]?.stringValue ?? ""
    return TextField.markdown(title.isEmpty ? plain(item["item_id"]) : title, startsLine: true)
  }

  private func codes(_ item: JSONValue) -> String {
    let codes = (item["codes"]?.arrayValue ?? []).map(plain)
    return codes.isEmpty ? "" : ", codes \(codes.joined(separator: "·"))"
  }

  private func attention(_ item: JSONValue) -> String {
    let parts = members(item["attention"]).map { "\(text($0.value)) \($0.key)" }
    return parts.isEmpty ? "" : " (attention \(parts.joined(separator: ", ")))"
  }

  /// Four decimals, whole numbers as they are, or a dash where there is no value.
  private func text(_ value: JSONValue?) -> String {
    if let whole = value?.integerValue { return "\(whole)" }
    return value?.numberValue.map { String(format: "%.4f", $0) } ?? "-"
  }

  /// A p-value; none is zero.
  private func probability(_ value: JSONValue?) -> String {
    (value?.numberValue).map { $0 < 0.001 ? "< 0.001" : text(value) } ?? "-"
  }

  private func plain(_ value: JSONValue?) -> String {
    switch value {
    case .string(let text): text
    case .integer(let number): "\(number)"
    case .number(let number): significant(number, 6)
    case .literal(let text): text
    case .bool(let flag): flag ? "yes" : "no"
    case .array(let elements): elements.map { plain($0) }.joined(separator: " ")
    case .object: members(value).map { "\($0.key): \(plain($0.value))" }.joined(separator: ", ")
    case .null, nil: "-"
    }
  }
}
