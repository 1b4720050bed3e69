public import ArgumentParser
public import CommandSupport
internal import Layers
public import ShardIO
internal import Tape

/// eSASRec (Tikhonovich and others 2025): hash IDs read by pre-normalised attention blocks whose residual branches have learned gates
/// (LiGR), with the objective of SASRec; the published loss is the sampled softmax.
public enum ESASRec: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "esasrec"
  /// One line of help.
  public static let abstract =
    "eSASRec: gated pre-normalised attention (LiGR) over hash IDs (Tikhonovich et al. 2025)."

  /// Which branches of a block have a gate.
  public enum Gates: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// Attention and feed-forward.
    case learned
    /// Neither: plain pre-normalised blocks.
    case none
  }

  /// The options of eSASRec.
  public struct Options: ModelOptions {
    @OptionGroup(title: "Network") package var network: AttentionOptions

    @Option(help: "learned: attention and feed-forward pass through gates; none: as they are.")
    package var gates = Gates.learned

    @OptionGroup package var items: HashTableOptions

    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      AttentionOptions.fields.map { $0.lifted(\.network) }
        + [
          .choice("gates", \.gates, isStructural: true)
        ] + HashTableOptions.fields.map { $0.lifted(\.items) }
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
  public static func needs(_ options: Options) -> ModelNeeds { options.items.hashInit.needs }

  /// Declares the parts and composes them.
  public static func build(
    _ options: Options, _ data: ModelData
  ) throws(PipelineError) -> SequentialModel {
    let store = ParameterStore()
    let network = options.network
    let positions = store.add(
      "positions", network.maxLength, network.dimension,
      .xavier(fanIn: network.maxLength, fanOut: network.dimension))
    let encoder = LiGREncoder(network.shape, isGated: options.gates == .learned, in: store)
    let items = ItemTable(
      store.addTable("hash", rows: data.itemCount, width: network.dimension))
    return SequentialModel(
      SequentialModel.Parts(
        maxLength: network.maxLength, branch: "hash", itemEncoder: items,
        sequenceEncoder: encoder, positions: positions, dropout: network.dropout,
        hashInitialization: options.items.hashInit, headCount: network.heads,
        loss: options.objective.resolved(trainCounts: data.trainCounts)), in: store)
  }
}
