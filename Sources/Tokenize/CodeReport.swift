internal import Dataset
internal import ShardIO

/// What a person or a program wants to know of a set of codes.
struct CodeReport {
  /// The largest groups that are listed, and the items shown of each.
  static let listedGroupCount = 10
  static let listedItemCount = 5

  let codes: ResidualCodes
  let statistics: CodeStatistics
  let catalogue: Catalogue

  init(_ codes: ResidualCodes, _ catalogue: Catalogue) {
    self.codes = codes
    self.catalogue = catalogue
    statistics = CodeStatistics(codes.codes, levelSizes: codes.levelSizes)
  }

  /// The report with stable keys; levels are in order, shares lie in 0...1, entropies are in nats.
  var json: JSONValue {
    .object([
      "items": JSONValue(statistics.itemCount),
      "levels": .array(statistics.levels.indices.map(levelJSON)),
      "collisions": .object([
        "rate": .number(statistics.collisionRate),
        "items": JSONValue(statistics.collidingCount),
        "distinctTuples": JSONValue(statistics.distinctCount),
        "groups": JSONValue(statistics.groups.count),
        "largestGroup": JSONValue(
          statistics.groups.first?.items.count ?? min(1, statistics.itemCount)),
      ]),
      "largestGroups": .array(statistics.groups.prefix(Self.listedGroupCount).map(groupJSON)),
      "quantization": .object([
        "variance": .number(codes.variance),
        "variancePreserved": .number(codes.variancePreserved / codes.variance),
        "relativeError": .number(codes.relativeError),
      ]),
    ])
  }

  private func levelJSON(_ level: Int) -> JSONValue {
    let counts = statistics.levels[level]
    let fit = codes.levels[level]
    return .object([
      "size": JSONValue(counts.usage.count),
      "used": JSONValue(counts.usedCount),
      "utilization": .number(counts.utilization),
      "entropy": .number(counts.entropy),
      "normalizedEntropy": .number(counts.normalizedEntropy),
      "perplexity": .number(counts.perplexity),
      "largestShare": .number(counts.largestShare),
      "residual": .number(fit.residual / codes.variancePreserved),
      "iterations": JSONValue(fit.iterationCount),
      "revivals": JSONValue(fit.revivalCount),
      "relocations": JSONValue(fit.relocationCount),
    ])
  }

  private func groupJSON(_ group: CodeGroup) -> JSONValue {
    .object([
      "codes": .array(group.codes.map { JSONValue($0) }),
      "count": JSONValue(group.items.count),
      "items": .array(
        group.items.prefix(Self.listedItemCount).map { item in
          .object([
            "id": .string(catalogue.itemIDs[item]), "title": .string(catalogue.titles[item]),
          ])
        }),
    ])
  }
}
