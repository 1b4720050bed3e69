internal import Page
public import ShardIO
internal import SystemPackage

extension NightFolder {
  /// The page of one night, in its folder.
  public static let pageName = "night.html"

  /// How a night ended and why, with what the gate compared, for people.
  ///
  /// - Parameters:
  ///   - night: a night that has ended.
  ///   - record: how it ended.
  ///   - gate: the limits that it was held to.
  /// - Returns: one HTML file.
  /// - Throws: `PipelineError` if the report of the night is damaged.
  public func page(
    _ night: String, _ record: NightRecord, _ gate: NightGate
  ) throws(PipelineError) -> String {
    let evaluation = try StageInput(
      directory: folder(night).appending("4-evaluate"), expecting: "evaluate")
    let report = try JSONValue(
      parsing: try evaluation.file("report.json"), path: evaluation.directory.string)
    let reasons = record.reasons.map { "<li>\(escaped($0))</li>" }.joined()
    let outcome =
      record.isPublished
      ? "<p class=\"verdict\">Published.</p>"
      : "<p class=\"verdict\">Refused; what was published stays.</p><ul>\(reasons)</ul>"
    let start = record.isWarm ? "from the published model" : "from nothing"
    let codes = record.hasFrozenCodes ? "codebooks of the published night" : "codebooks of its own"
    return HTMLPage(
      title: "Night \(night)", subtitle: "trained \(start), \(codes)",
      sections: [
        outcome, accuracy(report, gate), limits(report, gate),
        """
        <p><a href="4-evaluate/report.html">The report of this night</a>\(
          report["against"] == nil ? "" : ", <a href=\"published/4-evaluate/report.html\">that of the published model on the same data</a>"
        ), <a href="../../history.html">all nights</a></p>
        """,
      ]
    ).html
  }

  /// NDCG@10 by group, beside the published model's and the limit.
  private func accuracy(_ report: JSONValue, _ gate: NightGate) -> String {
    let key = "ndcg@10"
    let against = report["against"]
    let rows = NightGate.groups.compactMap { group -> [String]? in
      guard let value = report["protocols"]?["full"]?[group]?[key]?.numberValue else { return nil }
      let entry = against?["protocols"]?["full"]?[group]?[key]
      let bounds = (entry?["interval"]?.arrayValue ?? []).compactMap(\.numberValue)
      let before = against?["values"]?["full"]?[group]?[key]?.numberValue
      let limit = gate.maximumDrops.first { $0.group == group }?.share
      return [
        group, decimal(value, 4), before.map { decimal($0, 4) } ?? "–",
        entry?["difference"]?.numberValue.map(signed) ?? "–",
        bounds.count == 2 ? "\(signed(bounds[0])) to \(signed(bounds[1]))" : "–",
        limit.map { "\(decimal(100 * $0, 1)) %" } ?? "–",
      ]
    }
    return "<h2>NDCG@10 on the new data</h2>"
      + htmlTable(
        header: [
          "group", "this night", "published", "difference", "95 % interval", "largest fall",
        ],
        rows: rows)
  }

  /// What else the gate looks at.
  private func limits(_ report: JSONValue, _ gate: NightGate) -> String {
    func percent(_ value: Double?) -> String { value.map { "\(decimal(100 * $0, 1)) %" } ?? "–" }
    let popularity =
      report["baselines"]?["popularity"]?["values"]?["overall"]?["ndcg@10"]?.numberValue
    return "<h2>Other limits</h2>"
      + htmlTable(
        header: ["what", "found", "limit"],
        rows: [
          [
            "NDCG@10 of popularity, which the model must exceed",
            popularity.map { decimal($0, 4) } ?? "–", "",
          ],
          [
            "share of the catalogue in lists of ten",
            percent(report["lists"]?["coverage@10"]?.numberValue),
            gate.minimumCoverage.map { "at least \(percent($0))" } ?? "none",
          ],
          [
            "users whose first ten items are another set",
            percent(report["against"]?["listChange"]?["changedShare"]?.numberValue),
            gate.maximumChangedShare.map { "at most \(percent($0))" } ?? "none",
          ],
        ])
  }
}
