public import ArgumentParser
public import CommandSupport
public import Layers

extension FilterReach: ExpressibleByArgument {}

/// What a filter along time sees, as an option.
public struct FilterOptions: ConfiguredOptions {
  @Option(
    help: """
      causal: a position is filtered with the ones before it; window: with the whole history, as published (needs \
      --targets last).
      """)
  package var filter = FilterReach.causal

  /// The defaults.
  public init() {}

  /// One field for each option.
  public static var fields: [OptionField<Self>] {
    [.choice("filter", \.filter, isStructural: true)]
  }

  /// Refuses a filter that shows every position its own target.
  func validate(with loss: NextItemLossOptions) throws {
    if loss.targets == .all, filter == .window {
      throw ValidationError(
        "'--filter window' shows every position its own target; add '--targets last'.")
    }
  }
}
