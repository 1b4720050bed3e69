public import ArgumentParser
public import CommandSupport
public import Layers

extension GranularityGate.Kind: ExpressibleByArgument {}
extension ViewMaskStrategy: ExpressibleByArgument {}

/// The options of H2Rec.
public struct H2RecOptions: ModelOptions {
  /// What stands around the cross-attention between the branches.
  public enum Cross: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// No cross-attention: two independent branches with one encoder.
    case none
    /// As published: the attention output replaces the token's own vector.
    case plain
    /// The attention output is added to the token's own vector.
    case residual
    /// Residual, the output multiplied by a learned scalar for each path that begins at 0.
    case scaled
  }

  /// Where the positives of the alignment come from, besides equal codes.
  public enum Pairs: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// Positive pointwise mutual information in train sequences.
    case ppmi
    /// Distance in train sequences.
    case decay
    /// Nowhere.
    case none
  }

  @OptionGroup(title: "Network") package var network: AttentionOptions

  @OptionGroup package var items: HashTableOptions

  @Option(
    help: """
      Cross-attention between the branches: none; plain (as published); residual; scaled (residual with a learned \
      factor that begins at 0).
      """)
  package var cross = Cross.none

  @OptionGroup(title: "Cross-attention (with --cross plain, residual or scaled)")
  package var exchange: CrossOptions

  @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

  @Option(help: "Weight of the code-guided alignment; 0 switches it off.")
  package var alignmentWeight: Float = 0.1

  @Option(help: "Temperature of the alignment (default: 0.5).")
  package var alignmentTemperature: Float?

  @Option(
    help: """
      Positives of the alignment besides equal codes, from train sequences: ppmi, decay (by distance), none (default: \
      ppmi).
      """)
  package var pairs: Pairs?

  /// The defaults.
  public init() {}

  /// One field for each option.
  public static var fields: [OptionField<Self>] {
    AttentionOptions.fields.map { $0.lifted(\.network) }
      + HashTableOptions.fields.map { $0.lifted(\.items) }
      + [
        .choice("cross", \.cross, isStructural: true),
        .number("alignmentWeight", \.alignmentWeight, 0...1000),
        .number("alignmentTemperature", \.alignmentTemperature, 0.02...100, default: { _ in 0.5 }),
        .choice("pairs", \.pairs, default: { _ in .ppmi }),
      ] + CrossOptions.fields.map { $0.lifted(\.exchange) }
      + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
  }

  /// Refuses values out of range and what does not fit together.
  public func validate() throws {
    try validateRanges()
    try network.validate(with: objective)
    try refuse(exchange.given, if: cross == .none, for: "--cross none")
    try refuse(
      [("alignment-temperature", alignmentTemperature != nil), ("pairs", pairs != nil)],
      if: alignmentWeight == 0, for: "--alignment-weight 0")
    guard cross == .none || network.dimension % exchange.heads == 0 else {
      throw ValidationError(
        "'--dimension' must be a multiple of '--cross-heads', too, not \(network.dimension).")
    }
    if objective.targets == .all, exchange.gate == .user {
      throw ValidationError(
        "'--gate user' shows every position the last item; add '--targets last'.")
    }
  }

  /// Puts what the data decide in place of `auto`.
  public mutating func resolve(_ data: ModelData) {
    items.resolve(data)
    objective.resolve(data, maxLength: network.maxLength)
  }

  /// Whether the branches inform each other.
  var hasCross: Bool { cross != .none }

  /// An option that was given and has no use for codes of one level, or nil.
  var optionOfSeveralLevels: String? { exchange.optionOfSeveralLevels }
}

/// The options that only H2Rec's forms with cross-attention have.
public struct CrossOptions: ConfiguredOptions {
  @Option(help: "Heads of each cross-attention (default: 4).")
  package var crossHeads: Int?

  @Option(
    help: """
      Weights of the levels: position (from each position), user (from the last position, needs --targets last), \
      static (learned, the same everywhere), mean (equal) (default: position).
      """)
  package var gate: GranularityGate.Kind?

  @Option(help: "Weight of the masked-granularity loss (MSG); 0 switches it off (default: 0.1).")
  package var msgWeight: Float?

  @Option(help: "Temperature of the masked-granularity loss (default: 1).")
  package var msgTemperature: Float?

  @Option(
    help: """
      Levels that the masked-granularity loss hides: low or high gate weights, or random (default: low).
      """)
  package var viewMask: ViewMaskStrategy?

  /// The defaults.
  public init() {}

  /// One field for each option.
  public static var fields: [OptionField<Self>] {
    [
      .integer("crossHeads", \.crossHeads, 1...64, default: { _ in 4 }, isStructural: true),
      .choice("gate", \.gate, default: { _ in .position }, isStructural: true),
      .number("msgWeight", \.msgWeight, 0...1000, default: { _ in 0.1 }),
      .number("msgTemperature", \.msgTemperature, 0.01...100, default: { _ in 1 }),
      .choice("viewMask", \.viewMask, default: { _ in .low }),
    ]
  }

  /// Refuses values out of range and options without use.
  public func validate() throws {
    try validateRanges()
    try refuse(
      [("msg-temperature", msgTemperature != nil), ("view-mask", viewMask != nil)],
      if: msgWeight == 0, for: "--msg-weight 0")
  }

  /// The heads of each cross-attention.
  var heads: Int { crossHeads ?? 4 }

  /// An option that was given and has no use for codes of one level, or nil.
  var optionOfSeveralLevels: String? {
    given.first { $0.isGiven && $0.name != "cross-heads" }?.name
  }
}
