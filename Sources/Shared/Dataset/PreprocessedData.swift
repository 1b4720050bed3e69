public import ShardIO

/// What the preprocess stage hands to the later ones, read and checked.
public struct PreprocessedData: Sendable, Equatable {
  /// The histories with their splits.
  public var sequences: UserSequences
  /// The items.
  public var catalogue: Catalogue
  /// The text vectors, row = item; nil where the run has none or they were not asked for.
  public var vectors: ItemVectors?

  /// Creates the data from its parts.
  public init(sequences: UserSequences, catalogue: Catalogue, vectors: ItemVectors? = nil) {
    self.sequences = sequences
    self.catalogue = catalogue
    self.vectors = vectors
  }

  /// Reads a finished preprocess output.
  ///
  /// - Parameters:
  ///   - input: the output of the preprocess stage.
  ///   - includesVectors: whether to read the item vectors, which can be large.
  /// - Throws: `PipelineError`: `.dataFormat` if tables are missing, damaged or do not fit together.
  public init(_ input: StageInput, includesVectors: Bool = true) throws(PipelineError) {
    catalogue = try Catalogue(input)
    sequences = try UserSequences(input, itemCount: catalogue.count)
    vectors = nil
    guard includesVectors, input.hasTable(ItemVectors.tableKind) else { return }
    let read = try ItemVectors(input)
    try TableRules(input, ItemVectors.tableKind).requireRows(
      read.count, catalogue.count, one: "item")
    vectors = read
  }

  /// The ids of the users in the user's own data.
  public var userIDs: [String] { sequences.userIDs }
  /// The dense item ids of each user, in time order.
  public var items: RaggedArray<UInt32> { sequences.items }
  /// The time of each event; same shape as ``items``.
  public var times: RaggedArray<Int64> { sequences.times }
  /// The end of each user's train part.
  public var trainEnds: [UInt32] { sequences.trainEnds }
  /// The end of each user's valid part.
  public var validEnds: [UInt32] { sequences.validEnds }
}
