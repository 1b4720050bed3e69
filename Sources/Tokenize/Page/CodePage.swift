internal import Dataset
internal import Numerics

/// The code report as one HTML file that needs nothing else: pictures, and what each code means.
struct CodePage {
  /// The codes of a level that are described.
  static let describedCodeCount = 256

  let report: CodeReport
  /// The first two principal components of the item vectors, shape `[items, 2]`.
  let map: Matrix

  /// The page.
  var html: String {
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><title>Code report</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <style>
    \(codePageStyle)
    </style></head><body>
    <h1>Code report</h1>
    <p>\(summary)</p>
    \(notes)
    <h2>Levels</h2>
    \(levelTable)
    <div class="figures">
    \(report.statistics.levels.indices.map(usageFigure).joined(separator: "\n"))
    \(groupFigure)
    </div>
    <h2>Map</h2>
    \(mapFigure)
    <h2>What the codes mean</h2>
    <p class="faint">Words are those that tell the items with a code from all items; the category is the most frequent
    most specific one. The \(Self.describedCodeCount) most used codes of each level.</p>
    \(meanings)
    <h2>Largest groups with equal codes</h2>
    \(groupTable)
    </body></html>

    """
  }

  private var summary: String {
    let statistics = report.statistics
    return """
      \(statistics.itemCount) items with \(statistics.distinctCount) different tuples of \
      \(report.items.levelSizes.count) codes. \(percent(statistics.collisionRate)) of the items share theirs with \
      another item; \(report.duplicateCount) have the same vector as another. Centre plus codes miss \
      \(percent(report.items.relativeError)) of the variance of the item vectors.
      """
  }

  private var notes: String {
    report.notes.map { "<p class=\"faint\">\(escaped($0, limit: 2000))</p>" }
      .joined(separator: "\n")
  }

  private var levelTable: String {
    let rows = report.statistics.levels.enumerated().map { index, level in
      [
        "\(index + 1)", "\(level.usage.count)", percent(level.utilization),
        decimal(level.entropy, 3), percent(level.normalizedEntropy), decimal(level.perplexity, 1),
        percent(level.largestShare), percent(report.items.residuals[index] / report.items.variance),
      ]
    }
    return htmlTable(
      [
        "level", "codes", "used", "entropy (nats)", "of its maximum", "perplexity", "largest code",
        "variance left",
      ], rows)
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
            ? "" : "\(escaped(code.category)) (\(percent(code.categoryShare)))",
        ]
      }
      return """
        <details\(level == 0 ? " open" : "")><summary>Level \(level + 1)</summary>
        \(htmlTable(["code", "items", "words", "category"], rows))
        </details>
        """
    }.joined(separator: "\n")
  }

  private var groupTable: String {
    let groups = report.statistics.groups.prefix(CodeReport.listedGroupCount)
    guard !groups.isEmpty else { return "<p>None: every item has a tuple of its own.</p>" }
    let rows = groups.map { group in
      let names = group.items.prefix(CodeReport.listedItemCount).map { item in
        let title = report.catalogue.titles[item]
        return escaped(title.isEmpty ? report.catalogue.itemIDs[item] : title)
      }
      return [
        group.codes.map(String.init).joined(separator: "-"), "\(group.items.count)",
        names.joined(separator: "<br>"),
      ]
    }
    return htmlTable(["codes", "items", "which"], rows)
  }
}
