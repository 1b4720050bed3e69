public import ArgumentParser

/// Whether CSV files are made for spreadsheets, which compute cells that begin as formulas do.
public struct CSVGuardFlag: ParsableArguments {
  /// Whether such cells get an apostrophe in front.
  @Flag(
    help: """
      Put an apostrophe before CSV cells that a spreadsheet would take for formulas; such ids then differ from yours.
      """)
  public var csvGuard = false

  /// Creates the flag with its default.
  public init() {}
}
