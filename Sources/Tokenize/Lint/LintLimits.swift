internal import ShardIO

/// What good codes must keep to; nil for no limit.
struct LintLimits: Sendable, Equatable {
  /// The least share of the codes of a level that some item has.
  var minimumUtilization: Double?
  /// The least entropy of a level, as a share of its largest value.
  var minimumEntropy: Double?
  /// The least exp(entropy) of a level.
  var minimumPerplexity: Double?
  /// The largest share of the items that one code of a level may have.
  var maximumCodeShare: Double?
  /// The largest share of items that share their tuple with another item.
  var maximumCollisionRate: Double?
  /// The most items with equal tuples.
  var maximumGroupSize: Int?
  /// The largest share of items whose vector another item has as well.
  var maximumDuplicateShare: Double?
  /// The least purity of the first code against the items' categories.
  var minimumPurity: Double?
}

/// One limit that codes do not keep to.
struct LintFinding: Sendable, Equatable {
  /// The name of the option that sets the limit, without dashes in front.
  var rule: String
  /// 1-based; nil where all levels together are meant.
  var level: Int?
  var value: Double
  var limit: Double
  var message: String

  /// The finding for reports.
  var json: JSONValue {
    .object([
      "rule": .string(rule), "level": level.map { JSONValue($0) } ?? .null,
      "value": JSONValue(value), "limit": JSONValue(limit), "message": .string(message),
    ])
  }
}

extension LintLimits {
  /// Refuses limits that nothing can be compared with.
  ///
  /// - Parameters:
  ///   - data: the output of h2rec-preprocess, for the message.
  ///   - hasVectors: whether it has vectors.
  ///   - hasCategories: whether some item has a category.
  /// - Throws: `PipelineError` `.configuration`.
  func requireGrounds(
    _ data: String, hasVectors: Bool, hasCategories: Bool
  ) throws(PipelineError) {
    if maximumDuplicateShare != nil, !hasVectors {
      throw .noGrounds("max-duplicate-share", "the items have no vectors", data)
    }
    if minimumPurity != nil, !hasCategories {
      throw .noGrounds("min-purity", "the items have no categories", data)
    }
  }

  /// Compares codes with the limits.
  ///
  /// - Parameters:
  ///   - statistics: the codes, counted.
  ///   - duplicateShare: the share of items whose vector is another's; nil where there are no vectors.
  ///   - purity: the purity of the first code; nil where there are no categories.
  ///   - isNumbered: whether the last level only numbers equal codes, and is no codebook to be looked at.
  /// - Returns: what is wrong, level by level, then overall.
  func findings(
    _ statistics: CodeStatistics, duplicateShare: Double?, purity: Double?,
    isNumbered: Bool = false
  ) -> [LintFinding] {
    var found: [LintFinding] = []
    for (index, level) in statistics.levels.dropLast(isNumbered ? 1 : 0).enumerated() {
      let place = index + 1
      found.atLeast(
        minimumUtilization, level.utilization, "min-utilization", place,
        "the share of level \(place)'s codes in use")
      found.atLeast(
        minimumEntropy, level.normalizedEntropy, "min-entropy", place,
        "the entropy of level \(place)'s codes, as a share of its maximum,")
      found.atLeast(
        minimumPerplexity, level.perplexity, "min-perplexity", place,
        "the perplexity of level \(place)")
      found.atMost(
        maximumCodeShare, level.largestShare, "max-code-share", place,
        "the share of the items with level \(place)'s most frequent code")
    }
    found.atMost(
      maximumCollisionRate, statistics.collisionRate, "max-collision-rate", nil,
      "the share of items with another item's codes")
    found.atMost(
      maximumGroupSize.map(Double.init), Double(statistics.groups.first?.items.count ?? 1),
      "max-group-size", nil, "the number of items in the largest group with equal codes")
    if let duplicateShare {
      found.atMost(
        maximumDuplicateShare, duplicateShare, "max-duplicate-share", nil,
        "the share of items with another item's vector")
    }
    if let purity {
      found.atLeast(
        minimumPurity, purity, "min-purity", nil, "the purity of the first code")
    }
    return found
  }
}

extension [LintFinding] {
  fileprivate mutating func atLeast(
    _ limit: Double?, _ value: Double, _ rule: String, _ level: Int?, _ what: String
  ) {
    guard let limit, value < limit else { return }
    add(limit, value, rule, level, "\(what) is \(text(value)), expected at least \(text(limit))")
  }

  fileprivate mutating func atMost(
    _ limit: Double?, _ value: Double, _ rule: String, _ level: Int?, _ what: String
  ) {
    guard let limit, value > limit else { return }
    add(limit, value, rule, level, "\(what) is \(text(value)), expected at most \(text(limit))")
  }

  private mutating func add(
    _ limit: Double, _ value: Double, _ rule: String, _ level: Int?, _ message: String
  ) {
    append(LintFinding(rule: rule, level: level, value: value, limit: limit, message: message))
  }

  /// A number with at most four decimals, a whole one without any.
  private func text(_ value: Double) -> String {
    let rounded = (value * 10_000).rounded() / 10_000
    return Int(exactly: rounded).map(String.init) ?? String(rounded)
  }
}

extension PipelineError {
  /// A limit that cannot be checked.
  fileprivate static func noGrounds(
    _ option: String, _ reason: String, _ data: String
  ) -> PipelineError {
    PipelineError(
      .configuration, "'--\(option)' cannot be checked: \(reason)", at: .init(path: data),
      note: "leave the limit out, or give h2rec-preprocess what it needs")
  }

  /// Codes that do not keep to the limits; the first finding is the message, the others are the note.
  static func badCodes(_ findings: [LintFinding], _ path: String) -> PipelineError {
    let others = findings.dropFirst().prefix(19).map(\.message)
    let more = findings.count - 1 - others.count
    let rest = others + (more > 0 ? ["and \(more) more"] : [])
    return PipelineError(
      .dataFormat, findings.first?.message ?? "", at: .init(path: path),
      note: rest.isEmpty ? nil : rest.joined(separator: "; "))
  }
}
