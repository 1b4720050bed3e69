internal import Foundation
internal import Numerics

/// How two models differ on the same users when each was trained from several seeds.
public struct SeededDifference: Sendable, Equatable {
  /// The mean of the first model over users and seeds.
  public let value: Double
  /// The mean of the second model over users and seeds.
  public let other: Double
  /// The deviation of the first model's runs, n − 1 in the denominator; nil for one run.
  public let deviation: Double?
  /// The deviation of the second model's runs; nil for one run.
  public let otherDeviation: Double?
  /// The bootstrap interval of first − second, over users and seeds.
  public let interval: ClosedRange<Double>
  /// Two-sided p-value of the bootstrap: twice the smaller share of resamples on one side of 0.
  public let bootstrapPValue: Double

  /// First − second.
  public var mean: Double { value - other }
}

extension Bootstrap {
  /// Compares the runs of two models by resampling the users, alike for all runs, and the runs of each model.
  ///
  /// Drawing n runs with replacement has (n − 1) / n of the variance of their mean, which is little of it for three seeds; the
  /// deviations of drawn means are stretched to make up for that (Efron and Tibshirani 1993, chapter 6, for the factor).
  /// A model with one run adds no chance of the training.
  ///
  /// - Parameters:
  ///   - own: the values of the first model's runs: for each the mean, and the means of resampled users.
  ///   - others: the same of the second model, for the same resamples.
  /// - Returns: the comparison.
  /// - Precondition: a run or more of each model, as many resamples of all.
  public func compareRuns(
    _ own: [(mean: Double, resampled: [Double])], _ others: [(mean: Double, resampled: [Double])]
  ) -> SeededDifference {
    precondition(!own.isEmpty && !others.isEmpty, "no run")
    let count = own[0].resampled.count
    precondition(
      (own + others).allSatisfy { $0.resampled.count == count }, "resamples of unequal number")
    let differences = (0..<count).map { place in
      let random = CounterRandom(seed: seed, stream: Self.runStream + UInt64(place))
      return drawn(own.map { $0.resampled[place] }, random, 0)
        - drawn(others.map { $0.resampled[place] }, random, UInt64(own.count))
    }
    let below = Double(differences.count { $0 <= 0 } + 1) / Double(count + 1)
    let above = Double(differences.count { $0 >= 0 } + 1) / Double(count + 1)
    return SeededDifference(
      value: average(own.map(\.mean)), other: average(others.map(\.mean)),
      deviation: deviation(own.map(\.mean)), otherDeviation: deviation(others.map(\.mean)),
      interval: interval(of: differences), bootstrapPValue: min(1, 2 * min(below, above)))
  }

  /// Apart from the streams of the users' resamples.
  private static let runStream: UInt64 = 1 << 40

  /// The mean of as many values drawn with replacement as there are, its deviation stretched.
  private func drawn(_ values: [Double], _ random: CounterRandom, _ first: UInt64) -> Double {
    let center = average(values)
    guard values.count > 1 else { return center }
    let sum = values.indices.reduce(0) {
      $0 + values[random.integer(below: values.count, first + UInt64($1))]
    }
    let count = Double(values.count)
    return center + (sum / count - center) * (count / (count - 1)).squareRoot()
  }

  private func average(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  private func deviation(_ values: [Double]) -> Double? {
    guard values.count > 1 else { return nil }
    let center = average(values)
    let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
    return (squares / Double(values.count - 1)).squareRoot()
  }
}
