internal import Dataset
internal import Page
internal import Quantizers
internal import TextOutput

extension CodeReport {
  /// The report for a person to read.
  var markdown: String {
    """
    # Code report

    \(statistics.itemCount) items, \(items.levelSizes.count) levels. \
    \(statistics.distinctCount) different tuples; \(percent(statistics.collisionRate)) of the items share \
    theirs with another item (\(statistics.collidingCount) items in \(statistics.groups.count) groups). \
    \(vectorSummary)

    ## Levels

    \(levelTable)

    \(notes.joined(separator: "\n\n"))

    ## Largest groups with equal codes

    \(groupTable)

    """
  }

  /// How the codes stand to the item vectors.
  var vectorSummary: String {
    guard let duplicateCount else {
      return """
        The items have no vectors, so it cannot be shown how well the codes stand for them, and new items cannot be \
        encoded.
        """
    }
    return """
      \(duplicateCount) items have the same vector as another. Centre plus codes miss \
      \(percent(items.relativeError)) of the variance of the item vectors.
      """
  }

  /// What else there is to say, a paragraph each.
  var notes: [String] {
    var notes: [String] = []
    if items.hasVectors {
      notes.append("The codes were learned on \(percent(items.visibleShare)) of the variance.")
    }
    if let error = items.decoderError, let last = items.epochs.last {
      // Epochs count in shares of what the levels before the network's leave.
      let isCoarse = (items.network?.firstLevel ?? 0) > 0
      let missed = last.reconstruction * (isCoarse ? items.residuals[0] / items.variance : 1)
      notes.append(
        """
        The autoencoder learned for \(items.epochs.count) epochs; in the last one its codes missed \
        \(percent(missed)) of the variance, at the end \(percent(error)). The code vectors above are means of \
        item vectors, level by level.
        """)
    }
    if let purities {
      notes.append(
        "Purity against the most specific category, by the number of codes: "
          + purities.map(percent).joined(separator: ", ") + ".")
    }
    if let change = collisionChange {
      notes.append(
        """
        Equal tuples (\(change.policy.rawValue)): \(percent(change.rateBefore)) of the items before, \
        \(percent(change.rateAfter)) after; \(change.movedCount) items moved
        """
          + (items.hasVectors
            ? """
            ; the error went from \(percent(change.relativeErrorBefore)) to \
            \(percent(change.relativeErrorAfter)) of the variance.
            """ : "."))
    }
    return notes + comparisons
  }

  /// What there is to say about an earlier run.
  private var comparisons: [String] {
    var notes: [String] = []
    if let drift {
      notes.append(
        """
        The codebooks are those of the previous run. The error is \(decimal(drift.ratio, 2)) times that at their fit \
        (\(drift.newCount) new items, \(drift.knownCount) known ones; the larger of the two counts), and \
        \(drift.movedCount) known items would get other codes now. \
        \(drift.isRefitAdvised ? "A new fit is advised" : "No new fit is needed"); the limits are \
        \(decimal(drift.limit, 2)) and \(percent(FrozenEncoding.Drift.movedLimit)) of the known items.
        """)
    }
    if let churn {
      notes.append(
        """
        Against the previous run: \(churn.sharedCount) items in both, \(churn.addedCount) new, \
        \(churn.removedCount) gone. Changed, by the number of codes: all \(list(churn.all)); \
        head \(list(churn.head)); tail \(list(churn.tail)).
        """)
    }
    return notes
  }

  private func list(_ shares: Churn.Shares) -> String {
    shares.values.map(percent).joined(separator: ", ")
  }

  private var levelTable: String {
    let rows = statistics.levels.enumerated().map { level, counts in
      [
        "\(level + 1)", "\(counts.usage.count)", "\(counts.usedCount)", percent(counts.utilization),
        decimal(counts.entropy, 3), percent(counts.normalizedEntropy),
        decimal(counts.perplexity, 1), percent(counts.largestShare),
      ] + varianceLeft(level)
    }
    return TextTable(
      header: [
        "level", "codes", "used", "utilisation", "entropy (nats)", "of its maximum", "perplexity",
        "largest code",
      ] + varianceLeftHeader, rows: rows
    ).markdown
  }

  /// The column of what the levels leave of the vectors, where there are any.
  var varianceLeftHeader: [String] { items.hasVectors ? ["variance left"] : [] }

  /// The cell of a level in that column.
  func varianceLeft(_ level: Int) -> [String] {
    items.hasVectors ? [percent(items.residuals[level] / items.variance)] : []
  }

  private var groupTable: String {
    guard !statistics.groups.isEmpty else { return "None: every item has a tuple of its own." }
    let rows = statistics.groups.prefix(Self.listedGroupCount).map { group in
      let names = group.items.prefix(Self.listedItemCount).map { item in
        let title = catalogue.titles[item]
        return shortened(title.isEmpty ? catalogue.itemIDs[item] : title)
      }
      let rest = group.items.count - names.count
      return [
        group.codes.map(String.init).joined(separator: "-"), "\(group.items.count)",
        names.joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : ""),
      ]
    }
    return TextTable(header: ["codes", "items", "which"], rows: rows).markdown
  }
}

/// A share as a percentage with two decimals.
func percent(_ share: Double) -> String { decimal(100 * share, 2) + " %" }

/// Text cut after 60 characters.
private func shortened(_ text: String) -> String {
  text.count > 60 ? "\(text.prefix(60))…" : text
}
