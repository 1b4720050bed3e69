internal import Foundation

/// How two models differ on the same users, with what chance alone would do.
public struct PairedDifference: Sendable, Equatable {
  /// The mean of first − second over the users.
  public let mean: Double
  /// The bootstrap interval of the mean.
  public let interval: ClosedRange<Double>
  /// Two-sided p-value of the paired bootstrap: twice the smaller share of resamples on one side of 0.
  public let bootstrapPValue: Double
  /// Events for which the first model is better.
  public let winCount: Int
  /// Events for which the second model is better.
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
    var sample = DifferenceSample(columnCount: differences.count)
    for user in 0..<(differences.first?.count ?? 0) { sample.add(differences.map { $0[user] }) }
    return compare(sample, threads: threads)
  }

  /// Compares two models by the differences of users that were added one after another.
  ///
  /// - Parameters:
  ///   - sample: at least one user.
  ///   - threads: threads to use.
  /// - Returns: one comparison a column.
  public func compare(_ sample: DifferenceSample, threads: Int) -> [PairedDifference] {
    means(of: sample.values, threads: threads).enumerated().map { column, means in
      let (wins, losses) = (sample.wins[column], sample.losses[column])
      // One is added to both parts: the sample itself is one of the resamples (Davison and Hinkley 1997, 4.2.3).
      let below = Double(means.count { $0 <= 0 } + 1) / Double(means.count + 1)
      let above = Double(means.count { $0 >= 0 } + 1) / Double(means.count + 1)
      return PairedDifference(
        mean: sample.sums[column] / Double(sample.values.eventCount), interval: interval(of: means),
        bootstrapPValue: min(1, 2 * min(below, above)), winCount: wins, lossCount: losses,
        signTestPValue: signTest(wins: wins, losses: losses))
    }
  }
}

/// The differences of users, first − second, in memory that does not grow with them.
public struct DifferenceSample: Sendable {
  var values: Bootstrap.Sample
  var sums: [Double]
  var wins: [Int]
  var losses: [Int]

  /// Starts without users.
  public init(columnCount: Int) {
    values = Bootstrap.Sample(columnCount: columnCount)
    sums = [Double](repeating: 0, count: columnCount)
    wins = [Int](repeating: 0, count: columnCount)
    losses = wins
  }

  /// The number of users added.
  public var userCount: Int { values.userCount }

  /// Adds the differences of an event, one a column; the events of a user follow one another.
  public mutating func add(_ differences: [Double], user: Int? = nil) {
    values.add(differences, user: user)
    for (column, difference) in differences.enumerated() {
      sums[column] += difference
      if difference > 0 { wins[column] += 1 }
      if difference < 0 { losses[column] += 1 }
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
