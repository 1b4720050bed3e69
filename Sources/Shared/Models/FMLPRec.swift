package import ArgumentParser
public import CommandSupport
internal import Layers
public import ShardIO
internal import Tape

/// FMLP-Rec (Zhou and others 2022): hash IDs that meet in learned filters along time alone, a complex factor for each frequency and
/// channel; no attention.
public enum FMLPRec: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "fmlp-rec"
  /// One line of help.
  public static let abstract =
    "FMLP-Rec: learned frequency filters over hash IDs (Zhou et al. 2022)."

  /// The options of FMLP-Rec.
  public struct Options: ModelOptions {
    @Option(help: "Width of items and states.")
    package var dimension = 128

    @Option(help: "Most recent items of a history that are read.")
    package var maxLength = 50

    @Option(help: "Filter blocks.")
    package var layers = 2

    @Option(help: "Dropout probability of embeddings, filters and feed-forward layers.")
    package var dropout: Float = 0.5

    @OptionGroup(title: "Filter") package var filter: FilterOptions

    @OptionGroup package var items: HashTableOptions

    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      [
        .integer("dimension", \.dimension, 2...4096, isStructural: true),
        .integer("maxLength", \.maxLength, 1...10_000, isStructural: true),
        .integer("layers", \.layers, 1...64, isStructural: true),
        .probability("dropout", \.dropout),
      ] + FilterOptions.fields.map { $0.lifted(\.filter) }
        + HashTableOptions.fields.map { $0.lifted(\.items) }
        + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
    }

    /// Refuses what does not fit together.
    public func validate() throws {
      try validateRanges()
      try filter.validate(with: objective)
    }

    /// Puts what the data decide in place of `auto`.
    public mutating func resolve(_ data: ModelData) {
      items.resolve(data)
      objective.resolve(data, maxLength: maxLength)
    }
  }

  /// What the model reads besides the sequences.
  public static func needs(_ options: Options) -> ModelNeeds { options.items.hashInit.needs }

  /// Declares the parts and composes them.
  public static func build(
    _ options: Options, _ data: ModelData
  ) throws(PipelineError) -> SequentialModel {
    let store = ParameterStore()
    let positions = store.add(
      "positions", options.maxLength, options.dimension, TransformerEncoder.start)
    var shape = AttentionShape()
    shape.dimension = options.dimension
    shape.layerCount = options.layers
    shape.feedForwardDropout = options.dropout
    var filter = FilterShape(.learned, length: options.maxLength)
    filter.reach = options.filter.filter
    let items = ItemTable(
      store.addTable("hash", rows: data.itemCount, width: options.dimension))
    return SequentialModel(
      SequentialModel.Parts(
        maxLength: options.maxLength, branch: "hash", itemEncoder: items,
        sequenceEncoder: TransformerEncoder(shape, filter: filter, in: store),
        positions: positions, hashInitialization: options.items.hashInit,
        tableStart: TransformerEncoder.start,
        loss: options.objective.resolved(trainCounts: data.trainCounts)), in: store)
  }
}
