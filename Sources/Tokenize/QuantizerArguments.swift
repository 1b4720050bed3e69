internal import ArgumentParser
internal import Numerics
internal import Quantizers
internal import ShardIO

/// The options that say how codes are learned.
struct QuantizerArguments: ParsableArguments {
  @Option(
    help: """
      How codes are learned: rq-kmeans (each level clusters what the levels before left), pq (a part of the \
      coordinates a level), opq (pq after a learned rotation), vq (whole vectors, a start of its own a level), \
      rq-vae (residual codes of the latent vectors of an autoencoder).
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

  @Flag(help: "Bring the components to a variance of 1 before, so that each counts the same.")
  var whiten = false

  @Option(
    help: """
      Items that codes are learned on: all, or train (those with training events); the others get codes as with \
      --encode-only.
      """)
  var fitOn = FitScope.all

  @Option(help: "Largest number of k-means iterations a level.")
  var iterations = 25

  @Option(help: "k-means searches a level; the one with the smallest error counts.")
  var restarts = 1

  @Option(help: "Items that all but the last two iterations look at; 0 for all of them.")
  var sampleSize = 0

  @Option(
    help: """
      Items of an iteration of mini-batch k-means, which suits more --iterations; 0 for iterations over all items.
      """)
  var miniBatch = 0

  @Flag(help: "Move the codes of a level towards equal use, at the price of a larger error.")
  var balanced = false

  @OptionGroup(title: "Learning by rq-vae")
  var autoencoder: AutoencoderArguments

  func validate() throws {
    guard distance.count == 1 || distance.count == codebooks.values.count else {
      throw ValidationError(
        "'--distance' lists \(distance.count) levels, '--codebooks' \(codebooks.values.count).")
    }
    guard [.residual, .autoencoder].contains(quantizer) || !distance.contains(.cosine) else {
      throw ValidationError("'--distance cosine' needs '--quantizer rq-kmeans' or 'rq-vae'.")
    }
    guard miniBatch >= 0, miniBatch == 0 || (sampleSize == 0 && !balanced) else {
      throw ValidationError(
        "'--mini-batch' must not be negative, and not be used with '--sample-size' or '--balanced'."
      )
    }
    try autoencoder.validate(for: quantizer)
    try validateSearch()
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

  /// Whether k-means has a level of its own before those of rq-vae.
  private var hasCoarseLevel: Bool { quantizer == .autoencoder && autoencoder.coarse }

  /// Refuses options of k-means that rq-vae has no use for, and a coarse level that cannot be.
  private func validateSearch() throws {
    guard !hasCoarseLevel || codebooks.values.count > 1 else {
      throw ValidationError("'--coarse' needs two levels or more in '--codebooks'.")
    }
    guard !hasCoarseLevel || !options(seed: 0).autoencoder.needsTags else {
      throw ValidationError(
        "'--supervision' and '--tag-alignment' teach the first level, which '--coarse' leaves to k-means."
      )
    }
    guard quantizer == .autoencoder, !hasCoarseLevel else { return }
    for (name, isGiven) in [
      ("iterations", iterations != 25), ("restarts", restarts != 1),
      ("sample-size", sampleSize != 0), ("balanced", balanced), ("mini-batch", miniBatch != 0),
    ] where isGiven {
      throw ValidationError("'--\(name)' has no use with '--quantizer rq-vae' without '--coarse'.")
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
    options.searchBatchSize = miniBatch
    options.isWhitened = whiten
    options.hasCoarseLevel = hasCoarseLevel
    autoencoder.apply(to: &options.autoencoder)
    return options
  }

  /// The options as the manifest has them.
  var configuration: [String: JSONValue] {
    let members: [String: JSONValue] = [
      "quantizer": .string(quantizer.rawValue),
      "codebooks": .array(codebooks.values.map { JSONValue($0) }),
      "pca": JSONValue(pca),
      "whiten": .bool(whiten),
      "fitOn": .string(fitOn.rawValue),
    ]
    guard quantizer == .autoencoder else { return members.merging(searchConfiguration) { $1 } }
    return members.merging(["coarse": .bool(autoencoder.coarse)]) { $1 }
      .merging(options(seed: 0).autoencoder.configuration) { $1 }
      .merging(autoencoder.coarse ? searchConfiguration : [:]) { $1 }
  }

  private var searchConfiguration: [String: JSONValue] {
    [
      "iterations": JSONValue(iterations),
      "restarts": JSONValue(restarts),
      "sampleSize": JSONValue(sampleSize),
      "balanced": .bool(balanced),
      "miniBatch": JSONValue(miniBatch),
    ]
  }
}

extension QuantizerMethod: ExpressibleByArgument {}

/// The items that codes are learned on.
enum FitScope: String, Sendable, CaseIterable, ExpressibleByArgument {
  /// Every item of the catalogue.
  case all
  /// Items with training events.
  case train
}

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
