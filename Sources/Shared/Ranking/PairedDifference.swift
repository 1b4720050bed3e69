internal import Foundation

/// How two models differ on the same users, with what chance alone would do.
public struct PairedDifference: Sendable, Equatable {
  /// The mean of first − second over the users.
  public let mean: Double
  /// The bootstrap interval of the mean.
  public let interval: ClosedRange<Double>
  /// Two-sided p-value of the paired bootstrap: twice the smaller share of resamples on one side of 0.
  public let bootstrapPValue: Double
  /// Users for whom the first model is better.
  public let winCount: Int
  /// Users for whom the second model is better.
  public let lossCount: Int
  /// Two-sided p-value of the sign test: a win is as likely as a loss; equal users do not count.
  public let signTestPValue: Double
}

extension Bootstrap {
  /// Compares two models user by user.
  ///
  /// - Parameters:
  ///   - differences: for each metric one difference a user, first − second; all of the same length, at least 1.
  ///   - threads: threads to use.
  /// - Returns: one comparison a metric.
  public func compare(_ differences: [[Double]], threads: Int) -> [PairedDifference] {
    zip(differences, means(of: differences, threads: threads)).map { column, means in
      let wins = column.count { $0 > 0 }
      let losses = column.count { $0 < 0 }
      // One is added to both parts: the sample itself is one of the resamples (Davison and Hinkley 1997, 4.2.3).
      let below = Double(means.count { $0 <= 0 } + 1) / Double(means.count + 1)
      let above = Double(means.count { $0 >= 0 } + 1) / Double(means.count + 1)
      return PairedDifference(
        mean: column.reduce(0, +) / Double(column.count), interval: interval(of: means),
        bootstrapPValue: min(1, 2 * min(below, above)), winCount: wins, lossCount: losses,
        signTestPValue: signTest(wins: wins, losses: losses))
    }
  }
}

/// The two-sided p-value of so many wins and losses when both are equally likely: an exact binomial tail.
///
/// - Parameters:
///   - wins: ≥ 0.
///   - losses: ≥ 0.
/// - Returns: 1 when there are none.
public func signTest(wins: Int, losses: Int) -> Double {
  let count = wins + losses
  guard count > 0 else { return 1 }
  // Terms of the tail from its largest on, in logarithms: 2⁻ⁿ underflows from n = 1075.
  func logTerm(_ successes: Int) -> Double {
    lgamma(Double(count + 1)) - lgamma(Double(successes + 1))
      - lgamma(Double(count - successes + 1))
      - Double(count) * log(2.0)
  }
  var tail = 0.0
  for successes in stride(from: min(wins, losses), through: 0, by: -1) {
    let term = exp(logTerm(successes))
    tail += term
    if term < tail * 1e-17 { break }
  }
  return min(1, 2 * tail)
}
