import Foundation
import Metrics
import Testing

@Suite struct MetricTests {
  /// The metric, the mid-rank, the number of candidates and the value of the user.
  static let table: [(Metric, rank: Double, candidates: Int, value: Double)] = [
    (Metric(kind: .hitRate, cutoff: 5), 1, 101, 1),
    (Metric(kind: .hitRate, cutoff: 5), 5, 101, 1),
    (Metric(kind: .hitRate, cutoff: 5), 6, 101, 0),
    (Metric(kind: .precision, cutoff: 5), 3, 101, 1.0 / 5),
    (Metric(kind: .precision, cutoff: 5), 6, 101, 0),
    (Metric(kind: .ndcg, cutoff: 10), 1, 101, 1),
    (Metric(kind: .ndcg, cutoff: 10), 3, 101, 1.0 / 2),
    (Metric(kind: .ndcg, cutoff: 10), 7, 101, 1.0 / 3),
    (Metric(kind: .ndcg, cutoff: 10), 11, 101, 0),
    (Metric(kind: .reciprocalRank, cutoff: 0), 4, 101, 1.0 / 4),
    (Metric(kind: .averagePrecision, cutoff: 5), 4, 101, 1.0 / 4),
    (Metric(kind: .averagePrecision, cutoff: 5), 6, 101, 0),
    (Metric(kind: .areaUnderCurve, cutoff: 0), 1, 101, 1),
    (Metric(kind: .areaUnderCurve, cutoff: 0), 26, 101, 3.0 / 4),
    (Metric(kind: .areaUnderCurve, cutoff: 0), 101, 101, 0),
    (Metric(kind: .areaUnderCurve, cutoff: 0), 1, 1, 1.0 / 2),
    // A target that a list does not hold.
    (Metric(kind: .hitRate, cutoff: 5), .infinity, 101, 0),
    (Metric(kind: .ndcg, cutoff: 10), .infinity, 101, 0),
    (Metric(kind: .reciprocalRank, cutoff: 0), .infinity, 101, 0),
    (Metric(kind: .averagePrecision, cutoff: 5), .infinity, 101, 0),
    (Metric(kind: .areaUnderCurve, cutoff: 0), .infinity, 101, 0),
    // A tie for places 5 and 6 is outside the first 5; a tie for 2 and 3 is read at its fraction.
    (Metric(kind: .hitRate, cutoff: 5), 5.5, 101, 0),
    (Metric(kind: .ndcg, cutoff: 5), 5.5, 101, 0),
    (Metric(kind: .averagePrecision, cutoff: 5), 5.5, 101, 0),
    (Metric(kind: .hitRate, cutoff: 5), 4.5, 101, 1),
    (Metric(kind: .ndcg, cutoff: 5), 2.5, 101, 1 / log2(3.5)),
    (Metric(kind: .reciprocalRank, cutoff: 0), 2.5, 101, 2.0 / 5),
    (Metric(kind: .averagePrecision, cutoff: 5), 2.5, 101, 2.0 / 5),
  ]

  @Test func `every metric has its hand-computed value`() {
    for (metric, rank, candidates, value) in Self.table {
      let computed = metric.value(rank: rank, candidateCount: candidates)
      #expect(computed == value, "\(metric.key) at rank \(rank)")
    }
  }

  @Test func `keys are stable`() {
    let metrics = Metric.all(of: [.hitRate, .ndcg, .reciprocalRank], at: [5, 10])
    #expect(metrics.map(\.key) == ["hr@5", "hr@10", "ndcg@5", "ndcg@10", "mrr"])
    let others = Metric.all(of: [.precision, .averagePrecision, .areaUnderCurve], at: [10])
    #expect(others.map(\.key) == ["precision@10", "map@10", "auc"])
  }
}
