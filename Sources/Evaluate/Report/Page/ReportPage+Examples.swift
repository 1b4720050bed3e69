import Page
import ShardIO

extension ReportPage {
  /// Users, what they were given, and what they took.
  var examples: String {
    let users = report["examples"]?.arrayValue ?? []
    guard !users.isEmpty else { return "" }
    return """
      <h2>Examples</h2>
      <p>\(explanation)</p>
      \(users.prefix(2).map { example($0) }.joined(separator: "\n"))
      \(users.count > 2
        ? folded(
          "\(users.count - 2) more users",
          users.dropFirst(2).map { example($0) }.joined(separator: "\n"))
        : "")
      """
  }

  private var explanation: String {
    let reasons = """
      A reason names the latest item of the history that shares the most leading codes with the recommended one.
      """
    return """
      The first users of each kind. \(hasCodes ? reasons : "")
      Attention is what the last item's position gives to each item of the history in the encoder's last layer, by branch: where
      the model looks, not what would happen without the item.
      """
  }

  private func example(_ user: JSONValue) -> String {
    let truth = user["truth"]
    let list = (user["list"]?.arrayValue ?? []).map { item in
      let reason = item["because"].map { because in
        let levels = because["sharedLevels"]?.integerValue ?? 0
        let attention = attentionText(because).map { "<small>attention to it: \($0)</small>" }
        return "shares \(levels) code\(levels == 1 ? "" : "s") with \(title(because))"
          + (attention ?? "")
      }
      let isTruth = item["isTruth"]?.boolValue == true
      return ["<span\(isTruth ? " class=\"hit\"" : "")>\(title(item))</span>"]
        + (hasCodes ? [codeText(item), reason ?? ""] : [])
    }
    let length = user["historyLength"]?.integerValue ?? 0
    return """
      <div class="user"><h3>\(escaped(user["kind"]?.stringValue ?? "")): \
      user \(escaped(short(user["user_id"]?.stringValue ?? "")))</h3>
      <p>Took next: <b>\(truth.map { title($0) } ?? "")</b> \(truth.map { codeText($0) } ?? ""),
      \(place(truth?["rank"]?.numberValue)).</p>
      <p class="dim">History, \(length) events, the last ones:</p>
      \(history(user))
      \(htmlTable(header: ["recommended"] + (hasCodes ? ["codes", "why"] : []), rows: list, isText: true))
      </div>
      """
  }

  /// The end of the history, with the attention that each item gets where the model has attention.
  private func history(_ user: JSONValue) -> String {
    let items = user["history"]?.arrayValue ?? []
    let branches = items.last?["attention"]?.objectValue?.keys.sorted() ?? []
    guard !branches.isEmpty else {
      return "<ol>\(items.map { "<li>\(title($0))</li>" }.joined())</ol>"
    }
    func row(_ name: String, _ attention: JSONValue?) -> [String] {
      [name] + branches.map { share(attention?[$0]) }
    }
    var rows = items.map { row(title($0), $0["attention"]) }
    if let earlier = user["earlierAttention"] {
      rows.insert(row("<i>everything before</i>", earlier), at: 0)
    }
    return htmlTable(
      header: ["history, oldest first"] + branches.map { "attention, \($0) branch" }, rows: rows,
      isText: true)
  }

  /// The attention to an item, branch by branch.
  private func attentionText(_ item: JSONValue) -> String? {
    item["attention"]?.objectValue?.sorted { $0.key < $1.key }
      .map { "\(share($0.value)) \($0.key)" }.joined(separator: ", ")
  }

  /// Where the model ranked what the user took; nil for an item that it did not list at all.
  private func place(_ rank: Double?) -> String {
    guard let rank else { return "not in the list" }
    return "at rank \(decimal(rank, rank == rank.rounded() ? 0 : 1))"
  }

  /// The title of an item, or its id.
  private func title(_ item: JSONValue) -> String {
    let title = item["title"]?.stringValue ?? ""
    return escaped(short(title.isEmpty ? item["item_id"]?.stringValue ?? "" : title))
  }

  /// Text cut after 80 characters.
  func short(_ text: String) -> String {
    text.count > 80 ? "\(text.prefix(79))…" : text
  }

  /// The codes of an item, and the category that most items with its first code have.
  private func codeText(_ item: JSONValue) -> String {
    let codes = (item["codes"]?.arrayValue ?? []).compactMap(\.integerValue).map(String.init)
    guard !codes.isEmpty else { return "" }
    let words = item["words"]?.stringValue ?? ""
    let meaning =
      words.isEmpty ? "" : " <small>code \(codes[0]): mostly \(escaped(short(words)))</small>"
    return "<code>\(codes.joined(separator: "·"))</code>\(meaning)"
  }
}
