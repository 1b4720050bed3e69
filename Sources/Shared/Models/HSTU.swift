package import ArgumentParser
public import CommandSupport
internal import Layers
public import ShardIO
internal import Tape

/// HSTU (Zhai and others 2024): hash IDs read by attention whose weights are no shares, ordered by a bias for each distance between two
/// positions; the published bias for the time between two events is not there, since models read no times.
public enum HSTU: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "hstu"
  /// One line of help.
  public static let abstract =
    "HSTU: pointwise attention with relative positions over hash IDs (Zhai et al. 2024)."

  /// The options of HSTU.
  public struct Options: ModelOptions {
    @Option(help: "Width of items and states; a multiple of the number of heads.")
    package var dimension = 128

    @Option(help: "Most recent items of a history that are read.")
    package var maxLength = 50

    @Option(help: "Encoder blocks.")
    package var layers = 2

    @Option(help: "Attention heads of the encoder.")
    package var heads = 1

    @Option(help: "Dropout probability of embeddings and of what a block's gate lets through.")
    package var dropout: Float = 0.2

    @Option(
      help: """
        Distances between two positions up to this one have a bias each, longer ones that of this one; 0 for no order at \
        all (default: --max-length - 1).
        """)
    package var positionReach: Int?

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
        .integer("heads", \.heads, 1...64, isStructural: true),
        .probability("dropout", \.dropout),
        .integer(
          "positionReach", \.positionReach, 0...9_999, default: { $0.reach }, isStructural: true),
      ] + HashTableOptions.fields.map { $0.lifted(\.items) }
        + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
    }

    /// Refuses what does not fit together.
    public func validate() throws {
      try validateRanges()
      guard dimension % heads == 0 else {
        throw ValidationError("'--dimension' must be a multiple of '--heads', not \(dimension).")
      }
      guard reach < maxLength else {
        throw ValidationError(
          "no two of '--max-length \(maxLength)' positions are '--position-reach \(reach)' apart.")
      }
    }

    /// Puts what the data decide in place of `auto`.
    public mutating func resolve(_ data: ModelData) {
      items.resolve(data)
      objective.resolve(data, maxLength: maxLength)
    }

    /// The largest distance with a bias of its own.
    fileprivate var reach: Int { positionReach ?? maxLength - 1 }
  }

  /// What the model reads besides the sequences.
  public static func needs(_ options: Options) -> ModelNeeds { options.items.hashInit.needs }

  /// Declares the parts and composes them.
  public static func build(
    _ options: Options, _ data: ModelData
  ) throws(PipelineError) -> SequentialModel {
    let store = ParameterStore()
    var shape = AttentionShape()
    shape.dimension = options.dimension
    shape.layerCount = options.layers
    shape.headCount = options.heads
    shape.feedForwardDropout = options.dropout
    let encoder = HSTUEncoder(
      shape, reach: options.reach, length: options.maxLength, in: store)
    let items = ItemTable(
      store.addTable("hash", rows: data.itemCount, width: options.dimension))
    return SequentialModel(
      SequentialModel.Parts(
        maxLength: options.maxLength, branch: "hash", itemEncoder: items,
        sequenceEncoder: encoder, scale: Float(options.dimension).squareRoot(),
        dropout: options.dropout, hashInitialization: options.items.hashInit,
        loss: options.objective.resolved(trainCounts: data.trainCounts)), in: store)
  }
}
