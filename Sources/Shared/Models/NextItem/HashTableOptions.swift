internal import ArgumentParser
public import CommandSupport

/// How the item table of a model of hash IDs is initialised, as an option.
public struct HashTableOptions: ConfiguredOptions {
  @Option(
    help:
      "Initialisation of the item table: pca (of the item vectors), random, auto (pca if it can).")
  package var hashInit = HashInitialization.auto

  /// The defaults.
  public init() {}

  /// One field for each option.
  public static var fields: [OptionField<Self>] { [.choice("hashInit", \.hashInit)] }

  /// Puts what the data decide in place of `auto`.
  mutating func resolve(_ data: ModelData) { hashInit = hashInit.resolved(data) }
}
