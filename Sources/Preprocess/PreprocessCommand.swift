internal import ArgumentParser
internal import CommandSupport
internal import ShardIO

/// The preprocess stage.
@main
struct PreprocessCommand: StageProgram {
  static let configuration = CommandConfiguration(
    commandName: "h2rec-preprocess",
    abstract: "Turn an interaction log and item vectors into sequences, splits and groups.",
    discussion: """
      'h2rec-preprocess --interactions PATH --output DIR' is the same as 'h2rec-preprocess run --interactions …'; \
      'h2rec-preprocess run --help' lists its options.
      """,
    version: programVersion,
    subcommands: [
      RunCommand.self, SampleCommand.self, PipelineCommand.self, NightCommand.self,
      RollbackCommand.self, HistoryCommand.self,
    ],
    defaultSubcommand: RunCommand.self)
}
