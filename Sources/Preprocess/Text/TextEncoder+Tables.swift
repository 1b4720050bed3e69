internal import Dataset
internal import Numerics
internal import ShardIO
internal import SystemPackage

extension TextEncoder {
  private static let featuresKind = "text-features"
  private static let spaceKind = "text-space"
  /// The name of ``identity`` among the counters of a manifest.
  static let counter = "textEncoder"

  /// The encoder as tables: features with weights and rows of the projection, and the offset.
  var tables: [Table] {
    [
      Table(
        kind: Self.featuresKind, rowCount: vocabulary.buckets.count,
        columns: [
          .fixed("bucket", vocabulary.buckets), .fixed("weight", vocabulary.weights),
          .fixed("projection", projection.values, width: width),
        ]),
      Table(
        kind: Self.spaceKind, rowCount: 1, columns: [.fixed("offset", offset, width: width)]),
    ]
  }

  /// Sixteen hexadecimal digits that encoders have in common only if they make the same vectors.
  var identity: String {
    var hash = shortHash(vocabulary.buckets.span)
    for values in [vocabulary.weights, projection.values, offset] {
      hash = shortHash(values.span, seed: hash)
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The identity of the encoder in an output of the preprocess stage, without reading it.
  ///
  /// - Throws: `PipelineError`: `.missingInput`; `.configuration` where there is none.
  static func identity(in directory: String) throws(PipelineError) -> String {
    let input = try StageInput(directory: FilePath(directory), expecting: "preprocess")
    guard let identity = input.manifest.counters[counter]?.stringValue else {
      throw PipelineError(
        .configuration, "this output has no text encoder: its vectors were given, or it has none",
        at: .init(path: directory), note: "name an output whose vectors were made from texts")
    }
    return identity
  }

  /// Reads the encoder in an output of the preprocess stage.
  ///
  /// - Throws: `PipelineError`: as ``identity(in:)``; `.dataFormat` where the tables break their rules.
  init(_ directory: String) throws(PipelineError) {
    let identity = try Self.identity(in: directory)
    let input = try StageInput(directory: FilePath(directory), expecting: "preprocess")
    let features = try input.table(Self.featuresKind)
    let space = try input.table(Self.spaceKind)
    let rules = (
      features: TableRules(input, Self.featuresKind), space: TableRules(input, Self.spaceKind)
    )
    let buckets = try features.fixed("bucket", as: UInt32.self)
    let weights = try features.fixed("weight", as: Float.self)
    let projection = try features.fixed("projection", as: Float.self)
    let offset = try space.fixed("offset", as: Float.self)
    try rules.space.requireRows(space.rowCount, 1, one: "output")
    let width = offset.count
    guard (1...Self.largestWidth).contains(width) else {
      throw rules.space.broken("\(width) numbers", expected: "1 to \(Self.largestWidth)")
    }
    for column in ["bucket", "weight"] { try rules.features.requireWidth(features, column) }
    try rules.features.requireWidth(features, "projection", width)
    try rules.space.requireFinite(offset, width: width, "offset", limit: 1e6)
    try rules.features.requireFinite(weights, width: 1, "weight", limit: 1e6)
    try rules.features.requireFinite(projection, width: width, "projection", limit: 1e6)
    var next: UInt32 = 0
    for (row, bucket) in buckets.enumerated() {
      guard bucket >= next, bucket < TextFeatures.bucketCount else {
        throw rules.features.broken(
          "bucket \(bucket)", row: row,
          expected: "ascending numbers below \(TextFeatures.bucketCount)")
      }
      next = bucket + 1
    }
    self.init(
      vocabulary: TextVocabulary(buckets: buckets, weights: weights),
      projection: Matrix(rows: buckets.count, columns: width, values: projection), offset: offset)
    guard self.identity == identity else {
      throw rules.features.broken(
        "an encoder of the identity \(self.identity)", expected: "\(identity), as in the manifest")
    }
  }

  /// The most numbers of a vector.
  static let largestWidth = 1024
}
