internal import Dataset
internal import Numerics
internal import Page

/// The code report as one HTML file that needs nothing else: pictures, and what each code means.
struct CodePage {
  /// The codes of a level that are described.
  static let describedCodeCount = 256

  let report: CodeReport

  /// The page.
  var html: String {
    let statistics = report.statistics
    return HTMLPage(
      title: "Code report",
      subtitle: """
        \(grouped(Int64(statistics.itemCount))) items, \(report.items.levelSizes.count) levels, \
        \(grouped(Int64(statistics.distinctCount))) different tuples
        """,
      sections: [
        "<p>\(summary)</p>", notes, "<h2>Levels</h2>", levelTable,
        """
        <div class="figures">
        \(statistics.levels.indices.map(usageFigure).joined(separator: "\n"))
        \(groupFigure)
        </div>
        """,
        report.map.map { "<h2>Map</h2>\n" + mapFigure($0) } ?? "",
        """
        <h2>What the codes mean</h2>
        <p class="dim">Words are those that tell the items with a code from all items; the category is the most frequent
        most specific one. The \(Self.describedCodeCount) most used codes of each level.</p>
        """,
        meanings, "<h2>Largest groups with equal codes</h2>", groupTable,
      ]
    ).html
  }

  private var summary: String {
    """
    \(percent(report.statistics.collisionRate)) of the items share their codes with another item. \
    \(report.vectorSummary)
    """
  }

  private var notes: String {
    report.notes.map { "<p class=\"dim\">\(escaped($0, limit: 2000))</p>" }
      .joined(separator: "\n")
  }

  private var levelTable: String {
    let rows = report.statistics.levels.enumerated().map { index, level in
      [
        "\(index + 1)", "\(level.usage.count)", percent(level.utilization),
        decimal(level.entropy, 3), percent(level.normalizedEntropy), decimal(level.perplexity, 1),
        percent(level.largestShare),
      ] + report.varianceLeft(index)
    }
    return htmlTable(
      header: [
        "level", "codes", "used", "entropy (nats)", "of its maximum", "perplexity", "largest code",
      ] + report.varianceLeftHeader, rows: rows)
  }

  private var meanings: String {
    let descriptions = CodeDescriptions(report.catalogue)
    return report.items.levelSizes.indices.map { level in
      let described = descriptions.describe(
        report.items, level: level, limit: Self.describedCodeCount)
      let rows = described.map { code in
        [
          "\(code.code)", "\(code.usage)", escaped(code.words.joined(separator: ", "), limit: 120),
          code.category.isEmpty
            ? "" : "\(escaped(code.category, limit: 80)) (\(percent(code.categoryShare)))",
        ]
      }
      return folded(
        "Level \(level + 1)", isOpen: level == 0,
        htmlTable(header: ["code", "items", "words", "category"], rows: rows, isText: true))
    }.joined(separator: "\n")
  }

  private var groupTable: String {
    let groups = report.statistics.groups.prefix(CodeReport.listedGroupCount)
    guard !groups.isEmpty else { return "<p>None: every item has a tuple of its own.</p>" }
    let rows = groups.map { group in
      let names = group.items.prefix(CodeReport.listedItemCount).map { item in
        let title = report.catalogue.titles[item]
        return escaped(title.isEmpty ? report.catalogue.itemIDs[item] : title, limit: 80)
      }
      return [
        group.codes.map(String.init).joined(separator: "-"), "\(group.items.count)",
        names.joined(separator: "<br>"),
      ]
    }
    return htmlTable(header: ["codes", "items", "which"], rows: rows, isText: true)
  }
}
