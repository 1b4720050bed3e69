public import ArgumentParser
public import CommandSupport
internal import Layers
public import ShardIO
internal import Tape

/// UniSRec (Hou and others 2022): experts that map text vectors, mixed by a gate, read by SASRec's encoder; with rows of items added in the
/// transductive mode.
///
/// What is published is trained in other domains first, with two contrastive losses; here it is trained on the data at hand alone.
public enum UniSRec: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "unisrec"
  /// One line of help.
  public static let abstract =
    "UniSRec: experts that map text vectors, mixed by a gate (Hou et al. 2022)."

  /// What an item is.
  public enum Mode: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// Its text alone.
    case inductive
    /// Its text and a row of its own.
    case transductive
  }

  /// The options of UniSRec.
  public struct Options: ModelOptions {
    @OptionGroup(title: "Network") package var network: AttentionOptions

    @Option(help: "Experts that each map the text vectors.")
    package var experts = 8

    @Option(help: "inductive: an item is its text; transductive: a row of its own is added.")
    package var mode = Mode.transductive

    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      AttentionOptions.fields.map { $0.lifted(\.network) }
        + [
          .integer("experts", \.experts, 1...64, isStructural: true),
          .choice("mode", \.mode, isStructural: true),
        ] + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
    }

    /// Refuses values out of range and what does not fit together.
    public func validate() throws {
      try validateRanges()
      try network.validate(with: objective)
    }

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
    let adapter = MixedAdapter(
      textWidth: textWidth, width: network.dimension, expertCount: options.experts, in: store)
    let made = store.addTable("text-item", rows: data.itemCount, width: network.dimension)
    let own =
      options.mode == .transductive
      ? store.addTable("hash", rows: data.itemCount, width: network.dimension) : nil
    return SequentialModel(
      SequentialModel.Parts(
        maxLength: network.maxLength, branch: "text",
        itemEncoder: AdaptedItems(made, own: own, adapter: adapter),
        sequenceEncoder: encoder, positions: positions, scale: network.scale,
        dropout: network.dropout, headCount: network.heads,
        loss: options.objective.resolved(trainCounts: data.trainCounts)), in: store)
  }
}
