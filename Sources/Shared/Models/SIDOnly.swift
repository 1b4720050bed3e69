package import ArgumentParser
public import CommandSupport
internal import Dataset
internal import Layers
public import ShardIO
internal import Tape

/// Semantic IDs alone, the other half of H2Rec: an item is the mean of its code vectors.
public enum SIDOnly: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "sid"
  /// One line of help.
  public static let abstract = "Semantic IDs alone: attention over the mean of an item's codes."

  /// The options of the model.
  public struct Options: ModelOptions {
    @OptionGroup(title: "Network") package var network: AttentionOptions
    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      AttentionOptions.fields.map { $0.lifted(\.network) }
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
  public static func needs(_ options: Options) -> ModelNeeds { [.codes, .itemVectorsIfPresent] }

  /// Declares the parts and composes them.
  public static func build(
    _ options: Options, _ data: ModelData
  ) throws(PipelineError) -> SequentialModel {
    let codes = try data.requiredCodes(for: name)
    let store = ParameterStore()
    let positions = positionTable(options.network, in: store)
    let encoder = SASRecEncoder(options.network.shape, in: store)
    return SequentialModel(
      SequentialModel.Parts(
        maxLength: options.network.maxLength, branch: "semantic",
        itemEncoder: codeBag(codes, width: options.network.dimension, in: store),
        sequenceEncoder: encoder, positions: positions, scale: options.network.scale,
        dropout: options.network.dropout, headCount: options.network.heads,
        loss: options.objective.resolved(trainCounts: data.trainCounts)), in: store)
  }
}

/// Declares the code table, `[Σ K, d]`, and makes an item encoder of it.
func codeBag(_ codes: ItemCodes, width: Int, in store: ParameterStore) -> CodeBag {
  CodeBag(
    store.addTable("code", rows: codes.levelSizes.reduce(0, +), width: width), rows: codes.rows,
    levelCount: codes.levelCount)
}

extension ModelData {
  /// The codes of the items.
  ///
  /// - Throws: `PipelineError` `.configuration` if there are none.
  func requiredCodes(for model: String) throws(PipelineError) -> ItemCodes {
    guard let codes else {
      throw PipelineError(
        .configuration, "the model '\(model)' needs item codes",
        note: "name the tokenize output with --codes")
    }
    return codes
  }
}
