import Page
import ShardIO

extension ReportPage {
  /// The data, its filters and its split.
  var dataCard: String {
    let stage = report["stages"]?["preprocess"]
    return """
      <h2>Data</h2>
      <p>\(split(stage)) \(predicted) Popularity is counted on training events only.</p>
      \(leakWarning(stage?["counters"]))
      <div class="figures"><div>\(definitions("Counts", stage?["counters"]))</div>
      <div>\(definitions("Options", stage?["configuration"]))</div></div>
      """
  }

  /// Which events of a part are predicted, in words.
  private var predicted: String {
    report["stages"]?["evaluate"]?["configuration"]?["heldOut"]?.stringValue == "first"
      ? "The first event of a part is predicted."
      : "Each event of a part is predicted, after all events before it."
  }

  /// How the events were split, in words.
  private func split(_ stage: JSONValue?) -> String {
    switch stage?["configuration"]?["split"]?.stringValue {
    case "time":
      return
        "The split is by two dates: nothing after a date is seen by anything trained before it."
    case "last":
      let count = stage?["configuration"]?["heldOut"]?.integerValue ?? 1
      return """
        The last \(count) events of each user are the test part, the \(count) before them the validation part.
        """
    default:
      return "The last event of each user is the test, the one before it the validation."
    }
  }

  /// How much of the future of other users the model has seen.
  private func leakWarning(_ counters: JSONValue?) -> String {
    guard let early = counters?["testEventsBeforeLastTrainEvent"]?.integerValue, early > 0,
      let all = counters?["testEvents"]?.numberValue, all > 0
    else { return "" }
    return """
      <p class="warning"><b>Mind:</b> \(grouped(early)) of the \(grouped(Int64(all))) test events \
      (\(decimal(100 * Double(early) / all, 1)) %) are earlier than the last training event of some other user, so the model has \
      seen what was popular later. A split by time (<code>--split time</code>) has no such events.</p>
      """
  }

  /// The options of the stages, and the manifests by which they can be told.
  var runCard: String {
    let cards = ["tokenize", "train", "evaluate"].compactMap { stage -> String? in
      guard let entry = report["stages"]?[stage] else { return nil }
      let counts = stage == "train" ? definitions("Counts of train", entry["counters"]) : ""
      return "<div>\(definitions("Options of \(stage)", entry["configuration"]))\(counts)</div>"
    }
    let manifests = ["preprocess", "tokenize", "train"].compactMap { stage -> [String]? in
      guard let hash = report["stages"]?[stage]?["manifest"]?.stringValue else { return nil }
      let version = report["stages"]?[stage]?["version"]?.stringValue ?? "–"
      return [stage, escaped(version), "<code>\(escaped(hash))</code>"]
    }
    let ran = (RunTimes.stages + ["evaluate"]).filter { report["stages"]?[$0] != nil }
    let times = ran.map { stage -> [String] in
      let entry = report["times"]?[stage]
      let resumed = entry?["resumedStep"]?.integerValue.map {
        "<small>went on from step \(grouped($0)); the time is that of all processes, the memory of the last</small>"
      }
      return [
        stage + (resumed ?? ""),
        entry?["seconds"]?.numberValue.map { decimal($0, 1) } ?? "not known",
        entry?["peakMegabytes"]?.integerValue.map { grouped($0) } ?? "not known",
      ]
    }
    let timeTable =
      report["times"] == nil
      ? """
      <p>Times and memory are not known: they differ between equal runs, so no stage stores them. <code>make TIMES=1</code>
      shows them here, and so does <code>--run-times</code>.</p>
      """
      : htmlTable(header: ["stage", "seconds", "peak memory, MiB"], rows: times)
        + "<p class=\"dim\">Of evaluate: until this page was made.</p>"
    let version = report["program"]?.stringValue ?? ""
    return """
      <h2>Run</h2>
      <p>Program version \(escaped(version)). The same inputs, options and seed give this page again, byte for
      byte\(report["times"] == nil ? "" : ", but for the times below").</p>
      \(unreadEvents)
      <div class="figures">\(cards.joined(separator: "\n"))</div>
      <h3>Manifests</h3>
      \(htmlTable(header: ["stage", "program version", "checksum of the manifest"], rows: manifests, isText: true))
      <h3>Times and memory</h3>
      \(timeTable)
      """
  }

  /// How much of the histories training did not read.
  private var unreadEvents: String {
    guard let share = report["stages"]?["train"]?["counters"]?["trainEventShare"]?.numberValue,
      share < 0.95
    else { return "" }
    return """
      <p class="warning"><b>Mind:</b> training read \(decimal(100 * share, 0)) % of the train events; the rest is cut off by \
      <code>--max-length</code>. <code>--windows all</code> reads every event.</p>
      """
  }

  private func definitions(_ title: String, _ value: JSONValue?) -> String {
    let rows = (value?.objectValue ?? [:]).sorted { $0.key < $1.key }.map { key, value in
      [escaped(key), escaped(plain(value))]
    }
    guard !rows.isEmpty else { return "" }
    return folded(title, htmlTable(header: ["name", "value"], rows: rows, isText: true))
  }

  /// A number with at most six digits that count.
  func compact(_ number: Double) -> String { significant(number, 6) }

  private func plain(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): short(text)
    case .integer(let number): grouped(number)
    case .number(let number): compact(number)
    case .literal(let text): text
    case .bool(let flag): flag ? "yes" : "no"
    case .array(let elements): elements.map { plain($0) }.joined(separator: " ")
    case .object(let members):
      members.sorted { $0.key < $1.key }.map { "\($0.key): \(plain($0.value))" }
        .joined(separator: ", ")
    case .null: "–"
    }
  }
}
