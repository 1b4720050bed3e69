import ArgumentParser
import CommandSupport
import Dataset
import Metrics
import Models
import Numerics
import ShardIO
import SystemPackage

/// Evaluates a model and writes the report.
struct RunCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Evaluate a model and write the report (the default).",
    discussion: """
      Every user with a target in the split is ranked under up to three protocols: among the whole catalogue \
      without the user's history, and among the uniform and the popular negatives that the preprocess stage \
      stored. Ties count half. With --recommend, the best items for every user, given everything the user \
      did, are written too.
      """)

  @OptionGroup var stage: StageOptions
  @OptionGroup(title: "Metrics") var metricOptions: MetricOptions
  @OptionGroup(title: "Recommendations") var recommendationOptions: RecommendationOptions
  @OptionGroup(title: "New items") var newItemOptions: NewItemOptions
  @OptionGroup var shared: SharedOptions

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "evaluate")
    let inputs = try EvaluationInputs(stage, threads: shared.threads)
    guard inputs.hasTimes || recommendationOptions.filter.newerThan == nil else {
      throw .noTimes("--newer-than", stage.data)
    }
    let items = try inputs.itemVectors(threads: shared.threads)
    let listed = try newItemOptions.items(inputs, known: items, threads: shared.threads)
    let writer = try recommendationOptions.plan(
      listed, histories: inputs.data, allowsRepeats: metricOptions.allowRepeats,
      threads: shared.threads)
    var stageOutput = try StageOutput(
      directory: stage.output, stage: "evaluate", threads: shared.threads)
    let configuration = try configuration(itemCount: items.rows)
    let evaluation = Evaluation(
      inputs: inputs, options: metricOptions, shared: shared, configuration: configuration,
      summary: summary)
    let report = try evaluation.run(items: items, to: &stageOutput)
    if let writer { try recommend(writer, inputs.model, listed, to: &stageOutput, &summary) }
    try stageOutput.commit(
      configuration: configuration, inputs: inputs.references + listed.references,
      counters: ["users": report["users"] ?? .null])
    if !shared.quiet {
      try printResult(try ReportTables(report, path: "report.json").plain)
      try printResult("\nreport: \(stage.output.appending(Evaluation.reportName))")
    }
    let overall = report["protocols"]?["full"]?["overall"]
    summary.facts["users"] = report["users"]
    summary.facts["ndcg@10"] = overall?["ndcg@10"]
    try summary.print(output: stage.output)
  }

  func validate() throws {
    guard newItemOptions.newItems == nil || recommendationOptions.recommend > 0 else {
      throw ValidationError("'--new-items' needs '--recommend'.")
    }
  }

  /// The options that shape the output.
  private func configuration(itemCount: Int) throws(PipelineError) -> [String: JSONValue] {
    var configuration = try metricOptions.configuration(itemCount: itemCount)
    configuration["seed"] = .string(String(shared.seed))
    return configuration.merging(recommendationOptions.configuration) { first, _ in first }
      .merging(newItemOptions.configuration) { first, _ in first }
  }

  private func recommend(
    _ writer: RecommendationWriter, _ model: Recommender, _ items: ListItems,
    to stageOutput: inout StageOutput, _ summary: inout Summary
  ) throws(PipelineError) {
    let progress = Progress("recommending", total: writer.audience.count, isQuiet: shared.quiet)
    let counts = try writer.write(model: model, items: items.vectors, to: &stageOutput) {
      progress.advance(by: $0)
    }
    progress.finish()
    summary.facts["recommendedUsers"] = JSONValue(counts.userCount)
    summary.facts["fallbackUsers"] = JSONValue(counts.fallbackCount)
    summary.facts["unknownItems"] = JSONValue(writer.audience.unknownItemCount)
    guard items.marksNewItems else { return }
    summary.facts["newItems"] = JSONValue(items.newItems.count)
    summary.facts["newRecommendations"] = JSONValue(counts.newItemCount)
  }
}
