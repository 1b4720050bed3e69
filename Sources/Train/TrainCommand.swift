import ArgumentParser

/// The train stage.
@main
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "h2rec-train")
}
