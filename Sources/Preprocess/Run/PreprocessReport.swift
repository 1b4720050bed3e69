internal import ShardIO

/// What a run did, for people: counts, groups, thresholds and warnings.
struct PreprocessReport {
  private let counters: [String: JSONValue]
  private let configuration: [String: JSONValue]

  init(_ counters: [String: JSONValue], _ configuration: [String: JSONValue]) {
    self.counters = counters
    self.configuration = configuration
  }

  /// The rows of the report, in the order of the work.
  private static let lines: [(key: String, label: String)] = [
    ("rows_read", "rows read"), ("rows_bad", "bad rows left out"),
    ("rows_below_rating", "rows below the rating"),
    ("rows_outside_window", "rows outside of the date window"),
    ("rows_of_other_events", "rows of other kinds of events"),
    ("users_read", "users read"), ("items_read", "items read"),
    ("item_rows", "items in the item file"), ("item_rows_with_text", "items with a text there"),
    ("vector_rows", "vectors in the file"),
    ("events_without_item", "events of items without a row or a vector"),
    ("events_too_weak", "events of users and items below the weight"),
    ("events_repeated", "repeated events"), ("events_outside_core", "events outside of the core"),
    ("events_beyond_history", "events beyond the maximum history"),
    ("users", "users"), ("items", "items"), ("interactions", "interactions"),
    ("train_events", "train events"), ("valid_events", "valid events"),
    ("test_events", "test events"), ("pairs_ppmi", "positive pairs by ppmi"),
    ("pairs_decay", "positive pairs by decay"),
    ("vector_width", "numbers in an item's vector"),
    ("vectors_from_text", "vectors made from texts"),
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
    let threshold = configuration["tail_threshold"]?.integerValue ?? 0
    lines.append(group("tail, fewer than \(threshold) train events", "tail"))
    for label in ["cold", "1-9", "10-29", "30-59", "60-99", "100+"] {
      lines.append(group("\(label) train events", label))
    }
    if let explained = counters["text_explains"]?.numberValue {
      lines += [
        "",
        """
        Texts explain \(percent(explained)) of the variance of the given vectors, each predicted from all others.
        """,
      ]
    }
    for warning in warnings { lines += ["", "Warning: \(warning)"] }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What a reader of later numbers should know.
  var warnings: [String] {
    var warnings: [String] = []
    if counters["test_events_before_last_train_event"] != nil {
      let count = number("test_events_before_last_train_event")
      let total = max(number("test_events"), 1)
      warnings.append(
        """
        the split goes by position, so train holds events of other users that are later than what is predicted: \
        \(count) of \(number("test_events")) test events (\(percent(Double(count) / Double(total)))) are earlier than the \
        last train event. Use --split time for an honest forecast.
        """)
    }
    if number("rows_bad") > 0 { warnings.append("\(number("rows_bad")) bad rows were left out.") }
    return warnings
  }

  private var headShare: Double { configuration["head_share"]?.numberValue ?? 0 }

  private func group(_ label: String, _ name: String) -> String {
    let group = counters["groups"]?[name]
    func count(_ key: String) -> Int64 { group?[key]?.integerValue ?? 0 }
    func share(_ key: String) -> String { percent(group?[key]?.numberValue ?? 0) }
    return "| \(label) | \(count("items")) | \(share("share_of_items")) "
      + "| \(count("train_events")) | \(share("share_of_train_events")) |"
  }

  /// A share with one decimal.
  private func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }
}
