import ArgumentParser

/// The tokenize stage.
@main
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "h2rec-tokenize")
}
