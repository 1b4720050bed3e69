import ArgumentParser
import CommandSupport
import Dataset
import ShardIO
import SystemPackage

/// Evaluates a model and writes the report.
struct RunCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Evaluate a model and write the report (the default).",
    discussion: """
      Every user with a target in the split is ranked under two protocols: among the whole catalogue \
      without the user's history, and among the negatives that the preprocess stage stored. Ties \
      count half. With --recommend, the best items for every user, given everything the user \
      did, are written too.
      """)

  @Option(
    help: "Output directory of the preprocess stage.", completion: .directory,
    transform: { FilePath($0) })
  var data: FilePath

  @Option(
    help: "Output directory of the tokenize stage; not needed by a model without codes.",
    completion: .directory, transform: { FilePath($0) })
  var codes: FilePath?

  @Option(
    help: "Output directory of the train stage.", completion: .directory,
    transform: { FilePath($0) })
  var model: FilePath

  @Option(
    help: "Directory to write the report to.", completion: .directory,
    transform: { FilePath($0) })
  var output: FilePath

  @OptionGroup(title: "Metrics") var metricOptions: MetricOptions
  @OptionGroup(title: "Recommendations") var recommendationOptions: RecommendationOptions
  @OptionGroup var shared: SharedOptions

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "evaluate")
    let inputs = try EvaluationInputs(data: data, codes: codes, model: model)
    try recommendationOptions.check(inputs.data.catalogue)
    var stageOutput = try StageOutput(directory: output, stage: "evaluate")
    let evaluation = Evaluation(inputs: inputs, options: metricOptions, shared: shared)
    let items = try evaluation.itemVectors()
    let report = try evaluation.run(items: items, to: &stageOutput)
    try recommendationOptions.write(inputs, items: items, shared: shared, to: &stageOutput)
    try stageOutput.commit(
      configuration: metricOptions.configuration.merging(
        recommendationOptions.configuration, uniquingKeysWith: { first, _ in first }),
      inputs: inputs.references, counters: ["users": report["users"] ?? .null])
    if !shared.quiet {
      try printResult(try ReportTables(report, path: "report.json").plain)
      try printResult("\nreport: \(output.appending(Evaluation.reportName))")
    }
    let overall = report["protocols"]?["full"]?["overall"]
    summary.facts["users"] = report["users"]
    summary.facts["ndcg@10"] = overall?["ndcg@10"]
    try summary.print(output: output)
  }
}
