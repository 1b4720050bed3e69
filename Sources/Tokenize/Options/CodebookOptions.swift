internal import ArgumentParser
internal import CommandSupport
internal import ShardIO

/// The options that every quantiser has: the codes of each level, and what they are learned on.
struct CodebookOptions: ConfiguredOptions {
  @Option(
    help: """
      Codes of each level, coarsest first; as many levels as numbers. (default: 256,256,256,256)
      """,
    transform: LevelSizes.init(parsing:))
  var codebooks = LevelSizes([256, 256, 256, 256])

  @Option(help: "Principal components the vectors are reduced to before; 0 keeps them as they are.")
  var pca = 128

  @Flag(help: "Bring the components to a variance of 1 before, so that each counts the same.")
  var whiten = false

  @Option(
    help: """
      Items that codes are learned on: all, or train (those with training events); the others get codes as with \
      'encode'.
      """)
  var fitOn = FitScope.all

  static var fields: [OptionField<Self>] {
    [
      .list("codebooks", \.codebooks), .integer("pca", \.pca, 0...1_000_000),
      .flag("whiten", \.whiten), .choice("fitOn", \.fitOn),
    ]
  }

  func validate() throws { try validateRanges() }

  /// The number of codes of each level.
  var sizes: [Int] { codebooks.values }

  /// The number of components of vectors of some width; nil where the vectors stay as they are.
  func reducedWidth(_ width: Int) -> Int? {
    let count = pca > 0 ? min(pca, width) : width
    return whiten || count < width ? count : nil
  }
}

/// The items that codes are learned on.
enum FitScope: String, Sendable, CaseIterable, ExpressibleByArgument {
  /// Every item of the catalogue.
  case all
  /// Items with training events.
  case train
}

/// What makes a code the nearest one, for quantisers that know more than one distance.
struct DistanceOptions: ConfiguredOptions {
  @Option(
    help: "Distance of each level, l2 or cosine, as a list; one for all levels. (default: l2)",
    transform: LevelDistances.init(parsing:))
  var distance = LevelDistances([.l2])

  static var fields: [OptionField<Self>] { [.list("distance", \.distance)] }

  /// Refuses a list of another length than that of the levels.
  ///
  /// - Throws: `ValidationError` with both lengths.
  func validate(with codes: CodebookOptions) throws {
    guard [1, codes.sizes.count].contains(distance.values.count) else {
      throw ValidationError(
        "'--distance' lists \(distance.values.count) levels, '--codebooks' \(codes.sizes.count).")
    }
  }

  /// One distance a level.
  func byLevel(_ codes: CodebookOptions) -> [CodeDistance] {
    codes.sizes.indices.map { distance.values[min($0, distance.values.count - 1)] }
  }
}
