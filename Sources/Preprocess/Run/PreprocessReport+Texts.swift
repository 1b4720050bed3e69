internal import ShardIO

extension PreprocessReport {
  /// What the texts of the items lack.
  var textWarning: String? {
    guard let itemCount = counters["itemRows"]?.integerValue, itemCount > 0,
      configuration["text"]?.stringValue == TextTemplate.usual
    else { return nil }
    let withText = counters["itemRowsWithText"]?.integerValue ?? 0
    let unused = (counters["itemFieldsUnused"]?.arrayValue ?? []).compactMap(\.stringValue)
    let found = counters["itemFields"]?.objectValue ?? [:]
    let missing = ItemRole.allCases.filter { found[$0.rawValue] == nil }.map(\.rawValue)
    let fields = unused.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
    let remedy =
      unused.isEmpty ? "" : " Fields in no text: \(fields); --text names what texts are made of."
    if withText == 0 { return "no item of the item file has a text.\(remedy)" }
    if !missing.isEmpty, !unused.isEmpty {
      return
        "no field of the item file was taken for \(missing.joined(separator: " and ")).\(remedy)"
    }
    if withText < itemCount {
      return "\(itemCount - withText) of \(itemCount) items of the item file have no text."
    }
    return nil
  }
}
