internal import ShardIO
internal import TextOutput

/// What a run did, for people: counts, groups, thresholds and warnings.
struct PreprocessReport {
  let counters: [String: JSONValue]
  let configuration: [String: JSONValue]

  init(_ counters: [String: JSONValue], _ configuration: [String: JSONValue]) {
    self.counters = counters
    self.configuration = configuration
  }

  /// The rows of the report, in the order of the work.
  private static let lines: [(key: String, label: String)] = [
    ("rowsRead", "rows read"), ("rowsBad", "bad rows left out"),
    ("rowsBelowRating", "rows below the rating"),
    ("rowsOutsideWindow", "rows outside of the date window"),
    ("rowsOfOtherEvents", "rows of other kinds of events"),
    ("usersRead", "users read"), ("itemsRead", "items read"),
    ("itemRows", "items in the item file"), ("itemRowsWithText", "items with a text there"),
    ("vectorRows", "vectors in the file"),
    ("eventsWithoutItem", "events of items without a row or a vector"),
    ("eventsTooWeak", "events of users and items below the weight"),
    ("eventsRepeated", "repeated events"), ("eventsOutsideCore", "events outside of the core"),
    ("eventsBeyondHistory", "events beyond the maximum history"),
    ("users", "users"), ("items", "items"), ("interactions", "interactions"),
    ("eventsTied", "events that share their time with another of the user"),
    ("trainEvents", "train events"), ("validEvents", "valid events"),
    ("testEvents", "test events"),
    ("validTargetsTied", "first valid targets with the time of the event before"),
    ("testTargetsTied", "first test targets with the time of the event before"),
    ("pairsPpmi", "positive pairs by ppmi"),
    ("pairsDecay", "positive pairs by decay"),
    ("vectorWidth", "numbers in an item's vector"),
    ("vectorsFromText", "vectors made from texts"),
  ]

  private func number(_ key: String) -> Int64 { counters[key]?.integerValue ?? 0 }

  /// The report as Markdown.
  var markdown: String {
    var lines = ["# Preprocess", "", "| what | count |", "|---|---:|"]
    for (key, label) in Self.lines where counters[key] != nil {
      lines.append("| \(label) | \(number(key)) |")
    }
    lines += [
      "", "| group | items | share of items | train events | share of train events |",
      "|---|---:|---:|---:|---:|",
    ]
    lines.append(group("head, the most popular \(percent(headShare)) in train", "head"))
    let threshold = configuration["tailThreshold"]?.integerValue ?? 0
    lines.append(group("tail, fewer than \(threshold) train events", "tail"))
    for label in ["cold", "1-9", "10-29", "30-59", "60-99", "100+"] {
      lines.append(group("\(label) train events", label))
    }
    if let line = timeLine { lines += ["", line] }
    if let share = counters["eventsTiedShare"]?.numberValue {
      lines += [
        "",
        "\(percent(share)) of the events share their time with another of the user; \(tieWords).",
      ]
    }
    if let explained = counters["textExplains"]?.numberValue {
      lines += [
        "",
        """
        Texts explain \(percent(explained)) of the variance of the given vectors, each predicted from all others.
        """,
      ]
    }
    for warning in warnings { lines += ["", "Warning: \(TextField.markdown(warning))"] }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What a reader of later numbers should know.
  var warnings: [String] {
    var warnings: [String] = []
    if counters["testEventsBeforeLastTrainEvent"] != nil {
      let count = number("testEventsBeforeLastTrainEvent")
      let total = max(number("testEvents"), 1)
      warnings.append(
        """
        the split goes by position, so train holds events of other users that are later than what is predicted: \
        \(count) of \(number("testEvents")) test events (\(percent(Double(count) / Double(total)))) are earlier than the \
        last train event. Use --split time for an honest forecast.
        """)
    }
    if let share = counters["eventsTiedShare"]?.numberValue, share > Self.tieLimit {
      warnings.append(tieWarning(share))
    }
    warnings += doubts
    if number("rowsBad") > 0 { warnings.append("\(number("rowsBad")) bad rows were left out.") }
    return warnings
  }

  /// Above this share of tied events a reader is warned.
  static let tieLimit = 0.05

  private var goesByHash: Bool { configuration["ties"]?.stringValue != TieRule.file.rawValue }

  private var tieWords: String {
    goesByHash
      ? "they are put in an order of chance (--ties hash)"
      : "they keep the order of the rows (--ties file)"
  }

  private func tieWarning(_ share: Double) -> String {
    let what = "\(percent(share)) of the events share their time with another of the user. "
    return what
      + (goesByHash
        ? "Which of them comes last, and so what is held out, is chance; use --ties file if the rows are in order."
        : """
        Their order is that of the rows: where the rows are sorted by anything but time, models learn that order and the \
        metrics mislead.
        """)
  }

  /// What is probably not as the user thinks it is.
  var doubts: [String] {
    let alike = (counters["alikeWarnings"]?.arrayValue ?? []).compactMap(\.stringValue)
    return timeWarnings + alike + [textWarning].compactMap(\.self)
  }

  private var headShare: Double { configuration["headShare"]?.numberValue ?? 0 }

  private func group(_ label: String, _ name: String) -> String {
    let group = counters["groups"]?[name]
    func count(_ key: String) -> Int64 { group?[key]?.integerValue ?? 0 }
    func share(_ key: String) -> String { percent(group?[key]?.numberValue ?? 0) }
    return "| \(label) | \(count("items")) | \(share("shareOfItems")) "
      + "| \(count("trainEvents")) | \(share("shareOfTrainEvents")) |"
  }

  /// A share with one decimal.
  private func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }
}
