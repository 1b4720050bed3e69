/// A metric that is a mean over users, under the key it has in report.json.
public struct Metric: Sendable, Hashable {
  /// What is measured.
  public enum Kind: String, Sendable, CaseIterable {
    /// Hit rate; recall for one target a user.
    case hitRate = "hr"
    /// Precision.
    case precision
    /// Normalised discounted cumulative gain.
    case ndcg
    /// Mean average precision.
    case averagePrecision = "map"
    /// Mean reciprocal rank, without a cut.
    case reciprocalRank = "mrr"
    /// Area under the curve.
    case areaUnderCurve = "auc"
  }

  /// What is measured.
  public let kind: Kind
  /// The length of the list; 0 for the kinds without a cut.
  public let cutoff: Int

  /// The key, for example `ndcg@10` or `mrr`.
  public var key: String { cutoff == 0 ? kind.rawValue : "\(kind.rawValue)@\(cutoff)" }

  /// A metric.
  ///
  /// - Parameters:
  ///   - kind: what is measured.
  ///   - cutoff: the length of the list, ≥ 1; 0 for the kinds without a cut.
  public init(kind: Kind, cutoff: Int) {
    self.kind = kind
    self.cutoff = cutoff
  }

  /// All metrics at some cuts, in the order in which reports show them.
  ///
  /// - Parameters:
  ///   - kinds: what to measure.
  ///   - cutoffs: the lengths of list, for the kinds that have a cut.
  /// - Returns: the metrics, kind by kind.
  public static func all(of kinds: [Kind], at cutoffs: [Int]) -> [Metric] {
    kinds.flatMap { kind in
      switch kind {
      case .reciprocalRank, .areaUnderCurve: [Metric(kind: kind, cutoff: 0)]
      case .hitRate, .precision, .ndcg, .averagePrecision:
        cutoffs.map { Metric(kind: kind, cutoff: $0) }
      }
    }
  }

  /// The value of one user.
  ///
  /// - Parameters:
  ///   - rank: mid-rank of the target, ≥ 1.
  ///   - candidateCount: the number of candidates, the target included.
  /// - Returns: the number whose mean over users is the metric.
  public func value(rank: Double, candidateCount: Int) -> Double {
    switch kind {
    case .hitRate: hitRate(rank, cutoff)
    case .precision: Metrics.precision(rank, cutoff)
    case .ndcg: Metrics.ndcg(rank, cutoff)
    case .averagePrecision: Metrics.averagePrecision(rank, cutoff)
    case .reciprocalRank: Metrics.reciprocalRank(rank)
    case .areaUnderCurve: Metrics.areaUnderCurve(rank, candidateCount: candidateCount)
    }
  }
}
