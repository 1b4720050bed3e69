internal import ArgumentParser
internal import Clustering
internal import CommandSupport
internal import Numerics

/// How k-means looks for the codes of a level.
struct SearchOptions: ConfiguredOptions {
  @Option(help: "Largest number of k-means iterations a level.")
  var iterations = 25

  @Option(help: "k-means searches a level; the one with the smallest error counts.")
  var restarts = 1

  @Option(help: "Items that all but the last two iterations look at; 0 for all of them.")
  var sampleSize = 0

  @Flag(help: "Move the codes of a level towards equal use, at the price of a larger error.")
  var balanced = false

  static var fields: [OptionField<Self>] {
    [
      .integer("iterations", \.iterations, 1...10_000), .integer("restarts", \.restarts, 1...1000),
      .integer("sampleSize", \.sampleSize, 0...1_000_000_000), .flag("balanced", \.balanced),
    ]
  }

  func validate() throws { try validateRanges() }

  /// Refuses a sample that is smaller than a level.
  ///
  /// - Throws: `ValidationError`.
  func validate(for sizes: [Int]) throws {
    guard sampleSize == 0 || sampleSize >= sizes.max() ?? 0 else {
      throw ValidationError(
        "'--sample-size' must be 0 or at least the size of a level, not \(sampleSize).")
    }
  }

  /// The search of a level.
  ///
  /// - Parameters:
  ///   - level: the level, from 0; each draws from a stream of its own.
  ///   - size: its codes.
  ///   - seed: the seed of the run.
  /// - Returns: the search.
  func kMeans(level: Int, size: Int, seed: UInt64) -> KMeansOptions {
    var search = KMeansOptions(
      clusterCount: size, iterationCount: iterations,
      random: CounterRandom(seed: seed, stream: UInt64(level)))
    search.restartCount = restarts
    search.sampleSize = sampleSize
    search.isBalanced = balanced
    return search
  }
}
