internal import Clustering
internal import Dataset
internal import Numerics
internal import Quantizers
internal import ShardIO

/// What a person or a program wants to know of a set of codes.
struct CodeReport {
  /// The largest groups that are listed, and the items shown of each.
  static let listedGroupCount = 10
  static let listedItemCount = 5

  let items: TokenizedItems
  let statistics: CodeStatistics
  let catalogue: Catalogue
  /// The number of items whose vector another item has as well; nil without vectors.
  let duplicateCount: Int?
  /// Purity of prefixes of one, two, … codes against the categories; nil where there are none.
  let purities: [Double]?
  /// The first two principal components of the item vectors, shape `[items, 2]`; nil without vectors.
  let map: Matrix?
  /// What changed against an earlier run, where there is one.
  var churn: Churn?
  /// How well a frozen tokenizer fits; nil for one that was learned here.
  var drift: FrozenEncoding.Drift?
  /// What was done about equal tuples; nil for nothing.
  var collisionChange: CollisionChange?
  /// Limits that the codes do not keep to.
  var findings: [LintFinding] = []

  /// - Parameters:
  ///   - items: the codes.
  ///   - catalogue: the items.
  ///   - vectors: the item vectors, row = item; nil where there are none.
  ///   - threads: the largest number of threads.
  init(_ items: TokenizedItems, _ catalogue: Catalogue, _ vectors: Matrix?, threads: Int) {
    self.items = items
    self.catalogue = catalogue
    duplicateCount = vectors.map(duplicateVectorCount)
    map = vectors.map { vectors in
      let plane = PrincipalComponents(vectors, count: min(2, vectors.columns), threads: threads)
        .project(vectors, threads: threads)
      return plane.columns == 2
        ? plane
        : Matrix(rows: plane.rows, columns: 2, values: plane.values.flatMap { [$0, 0] })
    }
    statistics = CodeStatistics(items.codes, levelSizes: items.levelSizes)
    purities = prefixPurities(
      items.codes, levelCount: items.levelSizes.count, catalogue.categories)
  }

  /// The share of items whose vector another item has as well; nil without vectors.
  var duplicateShare: Double? {
    duplicateCount.map { Double($0) / Double(max(1, statistics.itemCount)) }
  }

  /// The report with stable keys; levels are in order, shares lie in 0...1, entropies are in nats.
  var json: JSONValue {
    var members = statistics.jsonMembers
    members["levels"] = .array(
      statistics.levels.indices.map { level in
        var counts = statistics.levels[level].jsonMembers
        if items.hasVectors {
          counts["residual"] = JSONValue(items.residuals[level] / items.variance)
        }
        if level < items.fits.count {
          counts["iterations"] = JSONValue(items.fits[level].iterationCount)
          counts["revivals"] = JSONValue(items.fits[level].revivalCount)
          counts["relocations"] = JSONValue(items.fits[level].relocationCount)
        }
        return .object(counts)
      })
    members["largestGroups"] = .array(
      statistics.groups.prefix(Self.listedGroupCount).map(groupJSON))
    if items.hasVectors {
      members["quantization"] = .object([
        "variance": JSONValue(items.variance),
        "visibleShare": JSONValue(items.visibleShare),
        "relativeError": JSONValue(items.relativeError),
      ])
    }
    members["autoencoder"] = items.decoderError.map { error in
      .object([
        "decoderError": JSONValue(error),
        "epochs": .array(items.epochs.map(\.json)),
      ])
    }
    members["duplicateVectors"] = duplicateCount.map { JSONValue($0) }
    members["prefixPurities"] = purities.map { .array($0.map { JSONValue($0) }) }
    members["churn"] = churn?.json
    members["drift"] = drift?.json
    members["collisionChange"] = collisionChange?.json
    return .object(members)
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

extension AutoencoderEpoch {
  /// The losses for reports.
  var json: JSONValue {
    .object([
      "reconstruction": JSONValue(reconstruction),
      "quantization": JSONValue(quantization),
      "uniqueness": JSONValue(uniqueness),
      "supervision": JSONValue(supervision),
      "tagAlignment": JSONValue(tagAlignment),
      "total": JSONValue(total),
      "revivals": JSONValue(revivedCount),
    ])
  }
}

extension LevelStatistics {
  /// The counts of a level for reports.
  var jsonMembers: [String: JSONValue] {
    [
      "size": JSONValue(usage.count),
      "used": JSONValue(usedCount),
      "utilization": JSONValue(utilization),
      "entropy": JSONValue(entropy),
      "normalizedEntropy": JSONValue(normalizedEntropy),
      "perplexity": JSONValue(perplexity),
      "largestShare": JSONValue(largestShare),
    ]
  }
}

extension CodeStatistics {
  /// The counts for reports.
  var jsonMembers: [String: JSONValue] {
    [
      "items": JSONValue(itemCount),
      "levels": .array(levels.map { .object($0.jsonMembers) }),
      "collisions": .object([
        "rate": JSONValue(collisionRate),
        "items": JSONValue(collidingCount),
        "distinctTuples": JSONValue(distinctCount),
        "groups": JSONValue(groups.count),
        "largestGroup": JSONValue(groups.first?.items.count ?? min(1, itemCount)),
      ]),
    ]
  }
}
