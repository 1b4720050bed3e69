internal import ArgumentParser
internal import CommandSupport
internal import ShardIO
internal import SystemPackage

/// Runs stages one after another.
struct PipelineCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipeline",
    abstract: "Run command lines one after another under the lock of a RUN, as make does.",
    discussion: """
      The options of all are checked before the first one runs. The status is that of the first one that fails; SIGTERM, \
      SIGINT and SIGHUP are passed on to the one under way.
      """)

  @Option(
    name: .customLong("run"), help: "Folder of all outputs; no two pipelines work on one at once.",
    completion: .directory)
  var folder: String

  @Argument(
    parsing: .captureForPassthrough,
    help: "Command lines, '--then' before each.")
  var words: [String] = []

  private var commands: [[String]] {
    words.split(separator: "--then", omittingEmptySubsequences: false).dropFirst().map(Array.init)
  }

  func validate() throws {
    guard words.first == "--then", !commands.contains(where: \.isEmpty) else {
      throw ValidationError("Expected '--then PROGRAM OPTIONS…' once or more after '--run RUN'.")
    }
  }

  func runStage() throws(PipelineError) {
    try StagePipeline(run: FilePath(folder), commands: commands).start()
  }
}
