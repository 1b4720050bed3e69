internal import ArgumentParser
internal import ShardIO

/// The options that say how codes are learned.
struct QuantizerArguments: ParsableArguments {
  @Option(
    help: "Codes of each level, coarsest first; as many levels as numbers.",
    transform: LevelSizes.init(parsing:))
  var codebooks = LevelSizes([256, 256, 256, 256])

  @Option(help: "Principal components the vectors are reduced to before; 0 keeps them as they are.")
  var pca = 128

  @Option(help: "Largest number of k-means iterations a level.")
  var iterations = 25

  @Option(help: "k-means searches a level; the one with the smallest error counts.")
  var restarts = 1

  @Option(help: "Items that all but the last two iterations look at; 0 for all of them.")
  var sampleSize = 0

  @Flag(help: "Move the codes of a level towards equal use, at the price of a larger error.")
  var balanced = false

  func validate() throws {
    guard pca >= 0 else { throw ValidationError("'--pca' must not be negative, not \(pca).") }
    guard (1...10_000).contains(iterations) else {
      throw ValidationError("'--iterations' must be from 1 to 10000, not \(iterations).")
    }
    guard (1...1000).contains(restarts) else {
      throw ValidationError("'--restarts' must be from 1 to 1000, not \(restarts).")
    }
    guard sampleSize == 0 || sampleSize >= codebooks.values.max() ?? 0 else {
      throw ValidationError(
        "'--sample-size' must be 0 or at least the size of a level, not \(sampleSize).")
    }
  }

  /// The options with everything resolved.
  func options(seed: UInt64) -> QuantizerOptions {
    QuantizerOptions(
      levelSizes: codebooks.values, componentCount: pca, iterationCount: iterations, seed: seed,
      restartCount: restarts, sampleSize: sampleSize, isBalanced: balanced)
  }

  /// The options as the manifest has them.
  var configuration: [String: JSONValue] {
    [
      "codebooks": .array(codebooks.values.map { JSONValue($0) }),
      "pca": JSONValue(pca),
      "iterations": JSONValue(iterations),
      "restarts": JSONValue(restarts),
      "sampleSize": JSONValue(sampleSize),
      "balanced": .bool(balanced),
    ]
  }
}
