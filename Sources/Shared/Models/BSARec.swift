package import ArgumentParser
public import CommandSupport
internal import Layers
public import ShardIO
internal import Tape

/// BSARec (Shin and others 2024): hash IDs read by attention, with a filter along time beside it that lets low frequencies pass
/// and a learned share of the others, so that what attention smooths away is not lost.
public enum BSARec: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "bsarec"
  /// One line of help.
  public static let abstract =
    "BSARec: attention beside a frequency filter over hash IDs (Shin et al. 2024)."

  /// The options of BSARec.
  public struct Options: ModelOptions {
    @OptionGroup(title: "Network") package var network: AttentionOptions

    @Option(help: "What the filter counts beside attention, below 1; 0 for attention alone.")
    package var filterShare: Float = 0.7

    @Option(
      help: """
        Frequencies that are low, that of the mean among them; at most --max-length / 2 + 1 (default: 3 of them, or as \
        many as there are).
        """)
    package var lowFrequencies: Int?

    @OptionGroup(title: "Filter") package var filter: FilterOptions

    @OptionGroup package var items: HashTableOptions

    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      AttentionOptions.fields.map { $0.lifted(\.network) }
        + [
          .number("filterShare", \.filterShare, 0...0.99, isStructural: true),
          .integer(
            "lowFrequencies", \.lowFrequencies, 1...5001, default: { $0.resolvedLowFrequencies },
            isStructural: true),
        ] + FilterOptions.fields.map { $0.lifted(\.filter) }
        + HashTableOptions.fields.map { $0.lifted(\.items) }
        + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
    }

    /// Refuses what does not fit together.
    public func validate() throws {
      try validateRanges()
      try network.validate(with: objective)
      try filter.validate(with: objective)
      try refuse(
        [("low-frequencies", lowFrequencies != nil), ("filter", filter.filter == .window)],
        if: filterShare == 0, for: "--filter-share 0")
      guard let lowFrequencies, lowFrequencies > frequencyCount else { return }
      throw ValidationError(
        """
        a window of '--max-length \(network.maxLength)' has \(frequencyCount) frequencies, \
        not '--low-frequencies \(lowFrequencies)'.
        """)
    }

    /// The frequencies of a window.
    private var frequencyCount: Int { network.maxLength / 2 + 1 }

    /// The number of low frequencies; nil without a filter.
    private var resolvedLowFrequencies: Int? {
      filterShare == 0 ? nil : lowFrequencies ?? min(3, frequencyCount)
    }

    /// Puts what the data decide in place of `auto`.
    public mutating func resolve(_ data: ModelData) {
      items.resolve(data)
      objective.resolve(data, maxLength: network.maxLength)
    }

    /// The filter; nil where it counts nothing.
    fileprivate var filterShape: FilterShape? {
      guard let kept = resolvedLowFrequencies else { return nil }
      var shape = FilterShape(.lowPass(keeping: kept), length: network.maxLength)
      shape.reach = filter.filter
      shape.share = filterShare
      return shape
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
      "positions", network.maxLength, network.dimension, TransformerEncoder.start)
    let encoder = TransformerEncoder(network.shape, filter: options.filterShape, in: store)
    let items = ItemTable(
      store.addTable("hash", rows: data.itemCount, width: network.dimension))
    return SequentialModel(
      SequentialModel.Parts(
        maxLength: network.maxLength, branch: "hash", itemEncoder: items,
        sequenceEncoder: encoder, positions: positions, hashInitialization: options.items.hashInit,
        tableStart: TransformerEncoder.start,
        headCount: network.heads,
        loss: options.objective.resolved(trainCounts: data.trainCounts)), in: store)
  }
}
