import ArgumentParser
import CommandSupport
import Metrics
import ShardIO
import SystemPackage

/// Writes the tables of many evaluated runs: data sets, models, seeds.
struct ResultsCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "results",
    abstract: "Write tables of many evaluated runs: data sets, models and seeds.",
    discussion: """
      'make results' calls it. The list is a JSON file {"planned": N, "runs": [{"dataset": "…", "model": "…", "seed": N, \
      "data": "…", "evaluation": "…", "seconds": N}]}; paths are those of the outputs of the preprocess and the evaluate \
      stage, relative to the folder of the list. Each model is compared with the one named by --against, over users and \
      seeds as in 'compare', under the full ranking.
      """, version: programVersion)

  @Argument(
    help: "The list of the runs.", completion: .file(extensions: ["json"]),
    transform: { FilePath($0) })
  var list: FilePath

  @Option(help: ArgumentHelp("The model that others are compared with.", valueName: "model"))
  var against: String

  @Option(
    help: "Folder for results.md, results.html and results.json.", completion: .directory,
    transform: { FilePath($0) })
  var output: FilePath

  @Option(help: "Resamples of users and seeds for the 95 % intervals.")
  var resamples = 2000

  @OptionGroup var seedOption: SeedOption
  @OptionGroup var work: WorkOptions

  func validate() throws {
    guard (100...100_000).contains(resamples) else {
      throw ValidationError("'--resamples' must be from 100 to 100000, not \(resamples).")
    }
  }

  func runStage() throws(PipelineError) {
    let plan = try ResultsPlan(list)
    guard plan.runs.contains(where: { $0.model == against }) else {
      throw .noRunsOfModel(against, list)
    }
    let bootstrap = Bootstrap(seed: seedOption.seed, replicateCount: resamples)
    let tables = try plan.tables.map { runs throws(PipelineError) in
      try ResultsTable(runs, against: against, bootstrap: bootstrap, threads: work.threads)
    }
    let results = ResultsReport(tables: tables, plan: plan, against: against)
    try createDirectory(output)
    for (name, text) in [
      ("results.json", try results.json.json()), ("results.md", Array(results.markdown.utf8)),
      ("results.html", Array(results.html.utf8)),
    ] {
      var file = try AtomicFile(replacing: output.appending(name))
      try file.append(text)
      try file.commit()
    }
    if !work.quiet { try printResult(results.markdown) }
    let line: JSONValue = [
      "stage": "results", "datasets": JSONValue(tables.count), "runs": JSONValue(plan.runs.count),
      "planned": JSONValue(plan.planned), "output": .string(output.string),
    ]
    try printResult(String(decoding: try line.json(isPretty: false), as: UTF8.self))
  }
}
