package import ArgumentParser
public import CommandSupport
internal import Layers
public import ShardIO
internal import Tape

/// SASRec (Kang and McAuley 2018): Hash IDs alone, the block of the published code.
public enum SASRec: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "sasrec"
  /// One line of help.
  public static let abstract = "SASRec: attention over hash IDs (Kang and McAuley 2018)."

  /// The options of SASRec.
  public struct Options: ModelOptions {
    @OptionGroup(title: "Network") package var network: AttentionOptions
    @OptionGroup package var items: HashTableOptions
    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      AttentionOptions.fields.map { $0.lifted(\.network) }
        + HashTableOptions.fields.map { $0.lifted(\.items) }
        + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
    }

    /// Refuses what does not fit together.
    public func validate() throws { try network.validate(with: objective) }

    /// Puts what the data decide in place of `auto`.
    public mutating func resolve(_ data: ModelData) {
      items.resolve(data)
      objective.resolve(data, maxLength: network.maxLength)
    }
  }

  /// What the model reads besides the sequences.
  public static func needs(_ options: Options) -> ModelNeeds {
    options.items.hashInit.needs
  }

  /// Declares the parts and composes them.
  public static func build(
    _ options: Options, _ data: ModelData
  ) throws(PipelineError) -> SequentialModel {
    let store = ParameterStore()
    let positions = positionTable(options.network, in: store)
    let encoder = SASRecEncoder(options.network.shape, in: store)
    let items = ItemTable(
      store.addTable("hash", rows: data.itemCount, width: options.network.dimension))
    return SequentialModel(
      SequentialModel.Parts(
        maxLength: options.network.maxLength, branch: "hash", itemEncoder: items,
        sequenceEncoder: encoder, positions: positions, scale: options.network.scale,
        dropout: options.network.dropout, hashInitialization: options.items.hashInit,
        headCount: options.network.heads,
        loss: options.objective.resolved(trainCounts: data.trainCounts)), in: store)
  }
}

/// Declares the position table of SASRec's published code, `[L, d]`.
func positionTable(_ options: AttentionOptions, in store: ParameterStore) -> Parameter {
  store.add(
    "positions", options.maxLength, options.dimension,
    .xavier(fanIn: options.maxLength + 100, fanOut: options.dimension))
}

extension AttentionOptions {
  /// Sizes, mask and dropout of the encoder.
  var shape: AttentionShape {
    var shape = AttentionShape()
    shape.dimension = dimension
    shape.layerCount = layers
    shape.headCount = heads
    shape.isCausal = attention == .causal
    shape.attentionDropout = attentionDropout ?? dropout
    shape.feedForwardDropout = dropout
    return shape
  }

  /// The factor of embedded items, √d.
  var scale: Float { Float(dimension).squareRoot() }
}
