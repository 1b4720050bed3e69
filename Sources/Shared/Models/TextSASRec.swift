public import ArgumentParser
public import CommandSupport
internal import Layers
public import ShardIO
internal import Tape

/// SASRec over item texts: an item's vector is a learned map of its text vector, in and out, and no item has a row of its own.
///
/// The frozen text vector with a trained adapter is what "IDs against modalities" (MoRec, Yuan and others 2023) compare with, where the text
/// encoder itself is not trained.
public enum TextSASRec: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "text-sasrec"
  /// One line of help.
  public static let abstract =
    "SASRec over item texts: a learned map of the text vectors, no item rows."

  /// How text vectors are mapped.
  public enum Adapter: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// One linear map, which begins as the projection on the leading principal components.
    case linear
    /// Two with a GELU between them, half as wide as the text vectors (the shape of LLM-ESR's adapter, Liu and others 2024).
    case mlp
  }

  /// The options of the model.
  public struct Options: ModelOptions {
    @OptionGroup(title: "Network") package var network: AttentionOptions

    @Option(
      help:
        "Map of the text vectors: linear, from their principal components on; mlp: two maps with a GELU between them."
    )
    package var adapter = Adapter.linear

    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      AttentionOptions.fields.map { $0.lifted(\.network) }
        + [.choice("adapter", \.adapter, isStructural: true)]
        + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
    }

    /// Refuses what does not fit together.
    public func validate() throws { try network.validate(with: objective) }

    /// Puts what the data decide in place of `auto`.
    public mutating func resolve(_ data: ModelData) {
      objective.resolve(data, maxLength: network.maxLength)
    }
  }

  /// What the model reads besides the sequences.
  public static func needs(_ options: Options) -> ModelNeeds { .itemVectors }

  /// Declares the parts and composes them.
  public static func build(
    _ options: Options, _ data: ModelData
  ) throws(PipelineError) -> SequentialModel {
    let textWidth = try data.requiredTextWidth(for: name)
    let store = ParameterStore()
    let network = options.network
    let positions = positionTable(network, in: store)
    let encoder = SASRecEncoder(network.shape, in: store)
    let adapter = PlainAdapter(
      textWidth: textWidth, width: network.dimension,
      hiddenWidth: options.adapter == .mlp ? max(2, textWidth / 2) : nil, in: store)
    let items = AdaptedItems(
      store.addTable("text-item", rows: data.itemCount, width: network.dimension), own: nil,
      adapter: adapter)
    return SequentialModel(
      SequentialModel.Parts(
        maxLength: network.maxLength, branch: "text", itemEncoder: items,
        sequenceEncoder: encoder, positions: positions, scale: network.scale,
        dropout: network.dropout, headCount: network.heads,
        loss: options.objective.resolved(trainCounts: data.trainCounts)), in: store)
  }
}
