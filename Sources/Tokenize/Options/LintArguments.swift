internal import ArgumentParser
internal import ShardIO

/// The limits that codes must keep to; codes that do not are not written, and the exit status is 65.
struct LintArguments: ParsableArguments {
  @Option(help: "Least share of a level's codes that some item has.")
  var minUtilization: Double?

  @Option(help: "Least entropy of a level, as a share of its maximum.")
  var minEntropy: Double?

  @Option(help: "Least perplexity of a level.")
  var minPerplexity: Double?

  @Option(help: "Largest share of the items that one code of a level may have.")
  var maxCodeShare: Double?

  @Option(help: "Largest share of items that have the same codes as another item.")
  var maxCollisionRate: Double?

  @Option(help: "Most items with the same codes.")
  var maxGroupSize: Int?

  @Option(help: "Largest share of items that have the same vector as another item.")
  var maxDuplicateShare: Double?

  @Option(help: "Least purity of the first code against the items' most specific category.")
  var minPurity: Double?

  func validate() throws {
    let shares = [
      ("min-utilization", minUtilization), ("min-entropy", minEntropy),
      ("max-code-share", maxCodeShare), ("max-collision-rate", maxCollisionRate),
      ("max-duplicate-share", maxDuplicateShare), ("min-purity", minPurity),
    ]
    for (name, value) in shares {
      guard let value, !(0...1).contains(value) else { continue }
      throw ValidationError("'--\(name)' must be from 0 to 1, not \(value).")
    }
  }

  /// Whether a limit is about categories or vectors.
  var needsData: Bool { minPurity != nil || maxDuplicateShare != nil }

  /// The limits in one value.
  var limits: LintLimits {
    LintLimits(
      minimumUtilization: minUtilization, minimumEntropy: minEntropy,
      minimumPerplexity: minPerplexity, maximumCodeShare: maxCodeShare,
      maximumCollisionRate: maxCollisionRate, maximumGroupSize: maxGroupSize,
      maximumDuplicateShare: maxDuplicateShare, minimumPurity: minPurity)
  }
}
