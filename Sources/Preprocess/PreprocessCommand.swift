import ArgumentParser

/// The preprocess stage.
@main
struct PreprocessCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "h2rec-preprocess")
}
