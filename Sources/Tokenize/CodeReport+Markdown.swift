internal import Dataset
internal import Foundation

extension CodeReport {
  /// The report for a person to read.
  var markdown: String {
    """
    # Code report

    \(statistics.itemCount) items, \(codes.levelSizes.count) levels. \
    \(statistics.distinctCount) different tuples; \(percent(statistics.collisionRate)) of the items share \
    theirs with another item (\(statistics.collidingCount) items in \(statistics.groups.count) groups). \
    Centre plus codes miss \(percent(codes.relativeError)) of the variance of the item vectors.

    ## Levels

    | level | codes | used | utilisation | entropy (nats) | of its maximum | perplexity | largest code | variance left |
    |---|---|---|---|---|---|---|---|---|
    \(statistics.levels.indices.map(levelRow).joined(separator: "\n"))

    Variance left: of the \(percent(codes.variancePreserved / codes.variance)) that the quantiser sees.

    ## Largest groups with equal codes

    \(groupTable)

    """
  }

  private func levelRow(_ level: Int) -> String {
    let counts = statistics.levels[level]
    let cells = [
      "\(level + 1)", "\(counts.usage.count)", "\(counts.usedCount)", percent(counts.utilization),
      decimal(counts.entropy, 3), percent(counts.normalizedEntropy), decimal(counts.perplexity, 1),
      percent(counts.largestShare), percent(codes.levels[level].residual / codes.variancePreserved),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  private var groupTable: String {
    guard !statistics.groups.isEmpty else { return "None: every item has a tuple of its own." }
    let rows = statistics.groups.prefix(Self.listedGroupCount).map { group in
      let names = group.items.prefix(Self.listedItemCount).map { item in
        let title = catalogue.titles[item]
        return tableText(title.isEmpty ? catalogue.itemIDs[item] : title)
      }
      let rest = group.items.count - names.count
      return "| \(group.codes.map(String.init).joined(separator: "-")) | \(group.items.count) | "
        + names.joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "") + " |"
    }
    return "| codes | items | which |\n|---|---|---|\n" + rows.joined(separator: "\n")
  }
}

/// A share as a percentage with two decimals.
private func percent(_ share: Double) -> String { decimal(100 * share, 2) + " %" }

/// A number with a fixed count of decimals, with a point in every locale.
private func decimal(_ value: Double, _ places: Int) -> String {
  String(format: "%.\(places)f", value)
}

/// Text that cannot break a table: one line of at most 60 characters, without bars and markup brackets.
private func tableText(_ text: String) -> String {
  let line = text.prefix(60).map { character -> Character in
    character.isNewline || "|<>[]`".contains(character) ? " " : character
  }
  return String(line) + (text.count > 60 ? "…" : "")
}
