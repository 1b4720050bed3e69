package import ArgumentParser
public import CommandSupport
internal import Layers
public import ShardIO
internal import Tape

/// GRU4Rec (Hidasi and others 2016): Hash IDs read by gated recurrent units, with the losses of this house.
public enum GRU4Rec: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "gru4rec"
  /// One line of help.
  public static let abstract = "GRU4Rec: gated recurrent units over hash IDs (Hidasi et al. 2016)."

  /// The options of GRU4Rec.
  public struct Options: ModelOptions {
    @Option(help: "Width of items and states.")
    package var dimension = 128

    @Option(help: "Most recent items of a history that are read.")
    package var maxLength = 50

    @Option(help: "Recurrent layers.")
    package var layers = 1

    @Option(help: "Dropout probability of the embedded items.")
    package var dropout: Float = 0.3

    @OptionGroup package var items: HashTableOptions

    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      [
        .integer("dimension", \.dimension, 2...4096, isStructural: true),
        .integer("maxLength", \.maxLength, 1...10_000, isStructural: true),
        .integer("layers", \.layers, 1...16, isStructural: true),
        .probability("dropout", \.dropout),
      ] + HashTableOptions.fields.map { $0.lifted(\.items) }
        + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
    }

    /// Refuses values out of range.
    public func validate() throws { try validateRanges() }

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
    let encoder = GRUEncoder(
      dimension: options.dimension, layerCount: options.layers, in: store)
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
