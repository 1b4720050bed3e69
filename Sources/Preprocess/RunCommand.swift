internal import ArgumentParser
internal import CommandSupport
internal import ShardIO
internal import SystemPackage

/// Reads the user's data and writes the output of stage 1.
struct RunCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Read a log, items and vectors; write the output of stage 1 (the default).",
    discussion: """
      Ids are dense in the output: users in ascending order of their ids, items in the order of their first event in \
      (user, time) order. Events of one user at the same time keep the order of the log. Popularity, groups and \
      positive pairs are made of train events only.
      """)

  @OptionGroup(title: "Input")
  var input: InputOptions

  @OptionGroup(title: "Filters")
  var filters: FilterOptions

  @OptionGroup(title: "Derived data")
  var derivation: DerivationOptions

  @Option(help: "Directory for the output.", completion: .directory)
  var output: String

  @OptionGroup(title: "General")
  var shared: SharedOptions

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "preprocess")
    let path = FilePath(output)
    var stage = try StageOutput(directory: path, stage: "preprocess")
    let run = PreprocessRun(
      input: input, filters: filters, derivation: derivation, seed: shared.seed,
      threads: shared.threads)
    let result = try run.compute(isQuiet: shared.quiet)
    for table in result.tables { try stage.write(table) }
    try stage.writeFile("report.json", try JSONValue.object(result.counters).json())
    try stage.commit(
      configuration: run.configuration, inputs: [], counters: result.counters)
    for name in ["users", "items", "interactions"] { summary.facts[name] = result.counters[name] }
    try summary.print(output: path)
  }
}
