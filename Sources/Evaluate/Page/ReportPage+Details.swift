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
          values?["\(key)@\(cut)"]?.numberValue.map { decimal($0, 4) } ?? "–"
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

  /// The curves of the training and the chosen epoch.
  var training: String {
    let lines = report["training"]?.arrayValue ?? []
    guard lines.count > 1 else { return "" }
    let steps = lines.map { "\($0["epoch"]?.integerValue ?? 0)" }
    let best = lines.lastIndex { $0["isBest"]?.boolValue == true }
    let mark = best.map { (step: $0, label: "chosen: epoch \(steps[$0])") }
    let losses = lines[0].objectValue?.keys.filter { key in
      !["epoch", "step", "isBest"].contains(key) && !key.hasPrefix("validation")
    }.sorted()
    func curve(_ key: String) -> [Double?] { lines.map { $0[key]?.numberValue } }
    var figures = [
      LineChart(
        title: "Validation", caption: "NDCG@10 after each epoch, full ranking",
        series: [("validation", curve("validationNdcg@10"))], steps: steps, mark: mark
      ).svg
    ]
    for loss in losses ?? [] {
      figures.append(
        LineChart(
          title: "Loss: \(loss)", caption: "mean over the epoch", series: [(loss, curve(loss))],
          steps: steps, mark: mark, startsAtZero: false
        ).svg)
    }
    return "<h2>Training</h2>\n<div class=\"figures\">\(figures.joined(separator: "\n"))</div>"
  }

  /// How the codes are used.
  var codes: String {
    guard let report = report["codes"], let levels = report["levels"]?.arrayValue else { return "" }
    let rows = levels.enumerated().map { index, level in
      [
        "\(index + 1)", "\(level["size"]?.integerValue ?? 0)",
        "\(level["used"]?.integerValue ?? 0)", share(level["utilization"]),
        decimal(level["perplexity"]?.numberValue ?? .nan, 1), share(level["largestShare"]),
        share(level["residual"]),
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

  private func share(_ value: JSONValue?) -> String {
    value?.numberValue.map { "\(decimal(100 * $0, 1)) %" } ?? "–"
  }

  /// Users, what they were given, and what they took.
  var examples: String {
    let users = report["examples"]?.arrayValue ?? []
    guard !users.isEmpty else { return "" }
    return """
      <h2>Examples</h2>
      <p>The first users of each kind. A reason names the latest item of the history that shares the most leading codes with
      the recommended one.</p>
      \(users.map { example($0) }.joined(separator: "\n"))
      """
  }

  private func example(_ user: JSONValue) -> String {
    let history = (user["history"]?.arrayValue ?? []).map { "<li>\(title($0))</li>" }
    let truth = user["truth"]
    let list = (user["list"]?.arrayValue ?? []).map { item in
      let reason = item["because"].map { because in
        let levels = because["sharedLevels"]?.integerValue ?? 0
        return "shares \(levels) code\(levels == 1 ? "" : "s") with \(title(because))"
      }
      let isTruth = item["isTruth"]?.boolValue == true
      return [
        "<span\(isTruth ? " class=\"hit\"" : "")>\(title(item))</span>", codeText(item),
        reason ?? "",
      ]
    }
    let length = user["historyLength"]?.integerValue ?? 0
    return """
      <div class="user"><h3>\(escaped(user["kind"]?.stringValue ?? "")): \
      user \(escaped(short(user["user_id"]?.stringValue ?? "")))</h3>
      <p>Took next: <b>\(truth.map { title($0) } ?? "")</b> \(truth.map { codeText($0) } ?? ""),
      at rank \(rank(truth?["rank"]?.numberValue ?? .nan)).</p>
      <p class="dim">History, \(length) events, the last ones:</p><ol>\(history.joined())</ol>
      \(htmlTable(header: ["recommended", "codes", "why"], rows: list, isText: true))
      </div>
      """
  }

  private func rank(_ value: Double) -> String {
    value == value.rounded() ? decimal(value, 0) : decimal(value, 1)
  }

  /// The title of an item, or its id.
  private func title(_ item: JSONValue) -> String {
    let title = item["title"]?.stringValue ?? ""
    return escaped(short(title.isEmpty ? item["item_id"]?.stringValue ?? "" : title))
  }

  private func short(_ text: String) -> String {
    text.count > 80 ? "\(text.prefix(79))…" : text
  }

  /// The codes of an item and what the first one stands for.
  private func codeText(_ item: JSONValue) -> String {
    let codes = (item["codes"]?.arrayValue ?? []).compactMap(\.integerValue).map(String.init)
    guard !codes.isEmpty else { return "" }
    let words = item["words"]?.stringValue ?? ""
    return "<code>\(codes.joined(separator: "·"))</code> <small>\(escaped(short(words)))</small>"
  }

  /// The data, its filters and its split.
  var dataCard: String {
    let stage = report["stages"]?["preprocess"]
    return """
      <h2>Data</h2>
      <p>The split is by time within each user: what is predicted lies after everything the model was trained on of the
      same user, but other users' training events may be later. Popularity is counted on training events only.</p>
      <div class="figures"><div>\(definitions("Counts", stage?["counters"]))</div>
      <div>\(definitions("Options", stage?["configuration"]))</div></div>
      """
  }

  /// The options of the stages, and the manifests by which they can be told.
  var runCard: String {
    let cards = ["tokenize", "train"].compactMap { stage -> String? in
      guard let entry = report["stages"]?[stage] else { return nil }
      return "<div>\(definitions("Options of \(stage)", entry["configuration"]))</div>"
    }
    let manifests = ["preprocess", "tokenize", "train"].compactMap { stage -> [String]? in
      guard let hash = report["stages"]?[stage]?["manifest"]?.stringValue else { return nil }
      return [stage, "<code>\(escaped(hash))</code>"]
    }
    let version = report["program"]?.stringValue ?? ""
    return """
      <h2>Run</h2>
      <p>Program version \(escaped(version)). The same inputs, options and seed give this page again, byte for byte.</p>
      <div class="figures">\(cards.joined(separator: "\n"))</div>
      <h3>Manifests</h3>
      \(htmlTable(header: ["stage", "checksum"], rows: manifests, isText: true))
      """
  }

  private func definitions(_ title: String, _ value: JSONValue?) -> String {
    let rows = (value?.objectValue ?? [:]).sorted { $0.key < $1.key }.map { key, value in
      [escaped(key), escaped(plain(value))]
    }
    guard !rows.isEmpty else { return "" }
    return "<h3>\(escaped(title))</h3>" + htmlTable(header: ["name", "value"], rows: rows)
  }

  private func plain(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): short(text)
    case .integer(let number): grouped(number)
    case .number(let number): "\(number)"
    case .bool(let flag): flag ? "yes" : "no"
    case .array(let elements): elements.map { plain($0) }.joined(separator: " ")
    case .object(let members):
      members.sorted { $0.key < $1.key }.map { "\($0.key): \(plain($0.value))" }
        .joined(separator: ", ")
    case .null: "–"
    }
  }
}
