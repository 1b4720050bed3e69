internal import ArgumentParser
internal import ShardIO

/// The options that say how codes are learned.
struct QuantizerArguments: ParsableArguments {
  @Option(
    help: """
      How codes are learned: rq-kmeans (each level clusters what the levels before left), pq (a part of the \
      coordinates a level), opq (pq after a learned rotation), vq (whole vectors, a start of its own a level).
      """)
  var quantizer = QuantizerMethod.residual

  @Option(
    help: "Distance of each level, l2 or cosine, as a list; one for all levels.",
    transform: CodeDistance.list(parsing:))
  var distance = [CodeDistance.l2]

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
    guard distance.count == 1 || distance.count == codebooks.values.count else {
      throw ValidationError(
        "'--distance' lists \(distance.count) levels, '--codebooks' \(codebooks.values.count).")
    }
    guard quantizer == .residual || !distance.contains(.cosine) else {
      throw ValidationError("'--distance cosine' needs '--quantizer rq-kmeans'.")
    }
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
    var options = QuantizerOptions(
      levelSizes: codebooks.values, componentCount: pca, iterationCount: iterations, seed: seed)
    options.method = quantizer
    options.distances = codebooks.values.indices.map { distance[min($0, distance.count - 1)] }
    options.restartCount = restarts
    options.sampleSize = sampleSize
    options.isBalanced = balanced
    return options
  }

  /// The options as the manifest has them.
  var configuration: [String: JSONValue] {
    [
      "quantizer": .string(quantizer.rawValue),
      "codebooks": .array(codebooks.values.map { JSONValue($0) }),
      "pca": JSONValue(pca),
      "iterations": JSONValue(iterations),
      "restarts": JSONValue(restarts),
      "sampleSize": JSONValue(sampleSize),
      "balanced": .bool(balanced),
    ]
  }
}

extension QuantizerMethod: ExpressibleByArgument {}

extension CodeDistance {
  /// Reads a list such as `cosine,cosine,l2`.
  ///
  /// - Throws: `ValidationError` that names the part that is wrong.
  static func list(parsing text: String) throws -> [CodeDistance] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let distance = CodeDistance(rawValue: String(part)) else {
        throw ValidationError("'--distance' lists l2 or cosine, not '\(part.prefix(40))'.")
      }
      return distance
    }
  }
}
