import ArgumentParser
import CommandSupport
import ShardIO

/// The evaluate stage.
@main
struct EvaluateCommand: StageProgram {
  static let configuration = CommandConfiguration(
    commandName: "h2rec-evaluate",
    abstract: "Measure a trained model, and write what it recommends.",
    usage: """
      h2rec-evaluate --data DIR1 [--codes DIR2] --model DIR3 --output DIR4 [options]
      h2rec-evaluate show DIR4
      """,
    discussion: "All options: h2rec-evaluate run --help",
    version: programVersion,
    subcommands: [
      RunCommand.self, ShowCommand.self, CompareCommand.self, ResultsCommand.self,
      SimilarCommand.self, ExportCommand.self,
    ],
    defaultSubcommand: RunCommand.self)
}
