internal import ShardIO

// Every sentence a user can see from this stage alone.
extension PipelineError {
  /// Stage 1 was run without item vectors.
  static func noVectors(_ directory: String) -> PipelineError {
    PipelineError(
      .configuration, "the items have no vectors, and semantic ids are made from vectors",
      at: .init(path: directory),
      note:
        "give --vectors and --vector-ids to h2rec-preprocess, or train a model that needs no codes")
  }

  /// Equal codes cannot be told apart by vectors that are not there.
  static func noVectorsToSpread(_ policy: CollisionPolicy) -> PipelineError {
    PipelineError(
      .configuration, "'--collisions \(policy.rawValue)' needs item vectors, and there are none",
      note: "'--collisions append' numbers items with equal codes without vectors")
  }

  /// A level has more codes than there are items.
  static func fewerItemsThanCodes(
    _ directory: String, itemCount: Int, level: Int, size: Int
  ) -> PipelineError {
    PipelineError(
      .configuration, "level \(level) has \(size) codes for \(itemCount) items",
      at: .init(path: directory), note: "a level needs no more codes than items; see --codebooks")
  }

  /// Product quantisation has more parts than there are coordinates.
  static func fewerCoordinatesThanLevels(
    _ directory: String, width: Int, levelCount: Int
  ) -> PipelineError {
    PipelineError(
      .configuration, "\(levelCount) levels for vectors of \(width) numbers",
      at: .init(path: directory),
      note: "pq and opq give each level its own coordinates; see --codebooks and --pca")
  }

  /// Vectors whose differences cannot be squared.
  static func vectorsTooSmall(_ directory: String, spread: Double) -> PipelineError {
    PipelineError(
      .dataFormat,
      "the numbers of the item vectors differ by at most \(spread), expected 1e-12 or more",
      at: .init(path: directory),
      note: "multiply all vectors by one number, so that they are near 1, and preprocess again")
  }

  /// The network of an earlier run is damaged.
  static func badNetwork(_ input: StageInput, _ problem: String) -> PipelineError {
    PipelineError(
      .dataFormat, "the network of the tokenizer: \(problem)",
      at: .init(path: "\(input.directory)"),
      note: "make these codes again, with this version of the program")
  }

  /// There is nothing that codes could be taught.
  static func noCategories(_ directory: String) -> PipelineError {
    PipelineError(
      .configuration,
      "the items have no categories that differ, so there is nothing to supervise with",
      at: .init(path: directory),
      note: "leave --supervision and --tag-alignment out, or give items with categories")
  }

  /// A decoder gives no numbers for the codes.
  static func diverged() -> PipelineError {
    PipelineError(
      .internalError, "what the decoder makes of the codes is not finite",
      note: "lower --learning-rate; nothing was written")
  }

  /// All item vectors are the same.
  static func allVectorsEqual(_ directory: String, itemCount: Int) -> PipelineError {
    PipelineError(
      .dataFormat,
      "the vectors of all \(itemCount) items are equal, so there is nothing to tell apart",
      at: .init(path: directory), note: "check how the vectors were made")
  }
}
