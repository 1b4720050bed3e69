package import ArgumentParser
public import CommandSupport
internal import Dataset
internal import Layers
public import ShardIO
internal import Tape

/// PG-SID (Zheng and others 2025): an item is the mean of rows for the prefixes of its Semantic ID, which its codes alone cannot tell apart.
///
/// "PG-SID" is the name of the H2Rec paper's table; what it stands for is our reading: prefix n-grams of semantic IDs, whose rows a hash
/// places in a table of fixed size.
public enum PGSID: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "pg-sid"
  /// One line of help.
  public static let abstract =
    "PG-SID: attention over the mean of rows for the prefixes of an item's codes (arXiv 2504.02137)."

  /// The options of the model.
  public struct Options: ModelOptions {
    @OptionGroup(title: "Network") package var network: AttentionOptions

    @Option(
      help: "Rows of the table of prefixes (default: at least four times the different prefixes).")
    package var prefixRows: Int?

    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      AttentionOptions.fields.map { $0.lifted(\.network) }
        + [
          .integer(
            "prefixRows", \.prefixRows, 1...1 << 28, default: { $0.prefixRows }, isStructural: true)
        ]
        + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
    }

    /// Refuses values out of range and what does not fit together.
    public func validate() throws {
      try validateRanges()
      try network.validate(with: objective)
    }

    /// Puts what the data decide in place of `auto`.
    public mutating func resolve(_ data: ModelData) {
      if prefixRows == nil, let codes = data.codes { prefixRows = PrefixRows.size(for: codes) }
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
    let prefixes = PrefixRows(count: options.prefixRows ?? PrefixRows.size(for: codes))
    let store = ParameterStore()
    let positions = positionTable(options.network, in: store)
    let encoder = SASRecEncoder(options.network.shape, in: store)
    let items = CodeBag(
      store.addTable("prefix", rows: prefixes.count, width: options.network.dimension),
      rows: prefixes.rows(of: codes), levelCount: codes.levelCount)
    return SequentialModel(
      SequentialModel.Parts(
        maxLength: options.network.maxLength, branch: "semantic", itemEncoder: items,
        sequenceEncoder: encoder, positions: positions, scale: options.network.scale,
        dropout: options.network.dropout, prefixes: prefixes, headCount: options.network.heads,
        loss: options.objective.resolved(trainCounts: data.trainCounts)), in: store)
  }
}
