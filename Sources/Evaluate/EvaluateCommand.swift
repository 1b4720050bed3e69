import ArgumentParser

/// The evaluate stage.
@main
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "h2rec-evaluate")
}
