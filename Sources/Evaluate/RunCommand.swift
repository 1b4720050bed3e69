import ArgumentParser
import CommandSupport
import Dataset
import Kernels
import Model
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

  @OptionGroup var stage: StageOptions
  @OptionGroup(title: "Metrics") var metricOptions: MetricOptions
  @OptionGroup(title: "Recommendations") var recommendationOptions: RecommendationOptions
  @OptionGroup var shared: SharedOptions

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "evaluate")
    let inputs = try EvaluationInputs(stage)
    let writer = try recommendationOptions.plan(
      inputs.data, allowsRepeats: metricOptions.allowRepeats, threads: shared.threads)
    var stageOutput = try StageOutput(directory: stage.output, stage: "evaluate")
    let evaluation = Evaluation(inputs: inputs, options: metricOptions, shared: shared)
    let items = try inputs.itemVectors(threads: shared.threads)
    let report = try evaluation.run(items: items, to: &stageOutput)
    if let writer { try recommend(writer, inputs.model, items, to: &stageOutput, &summary) }
    try stageOutput.commit(
      configuration: metricOptions.configuration.merging(
        recommendationOptions.configuration, uniquingKeysWith: { first, _ in first }),
      inputs: inputs.references, counters: ["users": report["users"] ?? .null])
    if !shared.quiet {
      try printResult(try ReportTables(report, path: "report.json").plain)
      try printResult("\nreport: \(stage.output.appending(Evaluation.reportName))")
    }
    let overall = report["protocols"]?["full"]?["overall"]
    summary.facts["users"] = report["users"]
    summary.facts["ndcg@10"] = overall?["ndcg@10"]
    try summary.print(output: stage.output)
  }

  private func recommend(
    _ writer: RecommendationWriter, _ model: Recommender, _ items: Matrix,
    to stageOutput: inout StageOutput, _ summary: inout Summary
  ) throws(PipelineError) {
    let progress = Progress("recommending", total: writer.audience.count, isQuiet: shared.quiet)
    let counts = try writer.write(model: model, items: items, to: &stageOutput) {
      progress.advance(by: $0)
    }
    progress.finish()
    summary.facts["recommendedUsers"] = JSONValue(counts.userCount)
    summary.facts["fallbackUsers"] = JSONValue(counts.fallbackCount)
    summary.facts["unknownItems"] = JSONValue(writer.audience.unknownItemCount)
  }
}
