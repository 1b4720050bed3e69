internal import ArgumentParser
internal import CommandSupport
internal import ShardIO

/// Checks codes that exist already.
struct LintCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint", abstract: "Count codes and compare them with limits; writes nothing.")

  @Argument(
    help: "A .csv, .json or .jsonl file of codes, or a previous output of h2rec-tokenize.",
    completion: .file())
  var codes: String

  @Option(
    help: "Directory written by h2rec-preprocess, for the limits about categories and vectors.",
    completion: .directory)
  var data: String?

  @OptionGroup(title: "Limits") var lint: LintArguments

  func validate() throws {
    guard data != nil || !lint.needsData else {
      throw ValidationError("'--min-purity' and '--max-duplicate-share' need '--data'.")
    }
  }

  func runStage() throws(PipelineError) {
    try LintRun(path: codes, data: data, limits: lint.limits).run()
  }
}
