internal import Foundation

// All metrics of the project are defined here, on the 1-based mid-rank of one target a user (leave-one-out): a tie counts
// half, so a rank is a whole number or a whole number and a half. At rank k + 1/2 the target ties with one item for the places
// k and k + 1: it is not among the first k. A model that gives all n candidates the same score puts every target at (n + 1) / 2,
// which is no hit when n ≥ 2k; an optimistic rank would call it perfect.

/// 1 when the target is among the first `k`, else 0: hit rate, which for one target a user is recall.
///
/// - Parameters:
///   - rank: mid-rank of the target, ≥ 1; a hit when `rank` ≤ `k`.
///   - k: length of the list.
/// - Returns: 0 or 1.
public func hitRate(_ rank: Double, _ k: Int) -> Double {
  rank <= Double(k) ? 1 : 0
}

/// The share of the first `k` places that are targets: hit rate / k for one target a user.
///
/// - Parameters:
///   - rank: mid-rank of the target, ≥ 1.
///   - k: length of the list.
/// - Returns: 0 or 1 / k.
public func precision(_ rank: Double, _ k: Int) -> Double {
  hitRate(rank, k) / Double(k)
}

/// Normalised discounted cumulative gain: 1 / log₂(1 + rank) when `rank` ≤ `k`, else 0.
///
/// One relevant item of gain 1, whose ideal place is the first, so the ideal gain is 1 (Järvelin and Kekäläinen 2002).
/// The discount is read at the fractional rank of a tie.
///
/// - Parameters:
///   - rank: mid-rank of the target, ≥ 1.
///   - k: length of the list.
/// - Returns: 0 to 1.
public func ndcg(_ rank: Double, _ k: Int) -> Double {
  rank <= Double(k) ? 1 / log2(1 + rank) : 0
}

/// 1 / rank, without a cut: the mean over users is MRR.
///
/// - Parameter rank: mid-rank of the target, ≥ 1.
/// - Returns: above 0, at most 1.
public func reciprocalRank(_ rank: Double) -> Double {
  1 / rank
}

/// Precision averaged over the relevant places of the first `k`: 1 / rank when `rank` ≤ `k`, else 0; the mean is MAP@k.
///
/// - Parameters:
///   - rank: mid-rank of the target, ≥ 1.
///   - k: length of the list.
/// - Returns: 0 to 1.
public func averagePrecision(_ rank: Double, _ k: Int) -> Double {
  rank <= Double(k) ? 1 / rank : 0
}

/// The probability that the target stands before a candidate drawn at random, a tie counting half: the area under the
/// receiver operating characteristic of one user.
///
/// - Parameters:
///   - rank: mid-rank of the target, ≥ 1.
///   - candidateCount: the number of candidates, the target included; ½ is returned when there is no other.
/// - Returns: 0 to 1.
public func areaUnderCurve(_ rank: Double, candidateCount: Int) -> Double {
  guard candidateCount > 1 else { return 0.5 }
  // Not found: how far behind the list is not known.
  guard rank.isFinite else { return 0 }
  return (Double(candidateCount) - rank) / Double(candidateCount - 1)
}
