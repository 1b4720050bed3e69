import ArgumentParser
import CommandSupport
import Dataset
import Metrics
import Models
import Numerics
import Retrieval
import ShardIO
import SystemPackage

/// Evaluates a model and writes the report.
struct RunCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Evaluate a model and write the report (the default).",
    discussion: """
      Every user with a target in the split is ranked under up to four protocols: among the whole catalogue \
      without the user's history, with it, and among the uniform and the popular negatives that the preprocess stage \
      stored. Ties count half. With --recommend, the best items for every user, given everything the user \
      did, are written too. Popularity, that of the recent past, last-item neighbours, item-kNN and EASE are \
      ranked beside the model.
      """)

  @OptionGroup var stage: StageOptions
  @OptionGroup(title: "Metrics") var metricOptions: MetricOptions
  @OptionGroup(title: "Recommendations") var recommendationOptions: RecommendationOptions
  @OptionGroup(title: "New items") var newItemOptions: NewItemOptions
  @OptionGroup var shared: SharedOptions

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "evaluate")
    let request = try request()
    let isUpToDate = try shared.isUpToDate(request, output: stage.output, summary) {
      () throws(PipelineError) in try ShowCommand.show(stage.output, brief: true)
    }
    if isUpToDate { return }
    let inputs = try EvaluationInputs(stage, threads: shared.threads)
    guard inputs.hasTimes || recommendationOptions.filter.newerThan == nil else {
      throw .noTimes("--newer-than", stage.data)
    }
    let ranker = try inputs.ranker(threads: shared.threads)
    let allowsRepeats = metricOptions.allowsRepeats(in: inputs.data.sequences)
    let listed = try newItemOptions.items(
      inputs, known: ranker.items, threads: shared.threads)
    let writer = try recommendationOptions.plan(
      listed, histories: inputs.data, allowsRepeats: allowsRepeats,
      threads: shared.threads)
    var stageOutput = try StageOutput(
      directory: stage.output, stage: "evaluate", threads: shared.threads)
    let configuration = configuration(
      itemCount: ranker.itemCount, allowsRepeats: allowsRepeats)
    if let warning = metricOptions.warning(itemCount: ranker.itemCount) {
      printWarning(warning, at: stage.data.string)
    }
    let evaluation = Evaluation(
      inputs: inputs, options: metricOptions, shared: shared, configuration: configuration,
      summary: summary)
    let report = try evaluation.run(ranker, to: &stageOutput)
    if let writer {
      try recommend(writer, inputs.trained.model.scoring, listed, to: &stageOutput, &summary)
    }
    try stageOutput.commit(
      configuration: configuration, inputs: inputs.references + listed.references,
      counters: ["users": report["users"] ?? .null], request: request)
    if !shared.quiet {
      try printResult(try ReportTables(report, path: "report.json").brief)
      try printResult("report: \(stage.output.appending(Evaluation.reportName))")
    }
    let overall = report["protocols"]?["full"]?["overall"]
    summary.facts["users"] = report["users"]
    summary.facts["ndcg@10"] = overall?["ndcg@10"]
    try summary.print(output: stage.output)
  }

  /// What this run would do.
  private func request() throws(PipelineError) -> StageRequest {
    let data = try StageInput(directory: stage.data, expecting: "preprocess")
    let itemCount = Int(data.manifest.counters["items"]?.integerValue ?? 0)
    var inputs = [data.reference]
    for (path, name) in [
      (stage.codes, "tokenize"), (stage.model, "train"),
      (newItemOptions.newItems, "tokenize"), (newItemOptions.newItemsData, "preprocess"),
    ] {
      guard let path else { continue }
      inputs.append(try StageInput(directory: path, expecting: name).reference)
    }
    for path in metricOptions.against {
      inputs.append(try StageInput(directory: path, expecting: "evaluate").reference)
    }
    let lists = recommendationOptions
    let files = [
      ("users", lists.recommendUsers), ("histories", lists.recommendHistories),
      ("allowed items", lists.filter.allowItems), ("blocked items", lists.filter.blockItems),
    ].compactMap { role, path in path.map { SourceFile(role, $0.string) } }
    return request(
      "evaluate", output: stage.output,
      leavingOut: [
        "data", "codes", "model", "against", "newItems", "newItemsData", "recommendUsers",
        "recommendHistories", "allowItems", "blockItems",
      ],
      defaults: [
        "cutoffs": "\(metricOptions.cutoffs(itemCount: itemCount))", "mmr": "1.0",
        "recommendFormat": "csv",
      ], inputs: inputs, files: files)
  }

  func validate() throws {
    guard newItemOptions.newItems == nil || recommendationOptions.recommend > 0 else {
      throw ValidationError("'--new-items' needs '--recommend'.")
    }
  }

  /// The options that shape the output.
  private func configuration(itemCount: Int, allowsRepeats: Bool) -> [String: JSONValue] {
    var configuration = metricOptions.configuration(
      itemCount: itemCount, allowsRepeats: allowsRepeats)
    configuration["seed"] = .string(String(shared.seed))
    return configuration.merging(recommendationOptions.configuration) { first, _ in first }
      .merging(newItemOptions.configuration) { first, _ in first }
  }

  private func recommend(
    _ writer: RecommendationWriter, _ scoring: Scoring, _ items: ListItems,
    to stageOutput: inout StageOutput, _ summary: inout Summary
  ) throws(PipelineError) {
    let progress = Progress("recommending", total: writer.audience.count, isQuiet: shared.quiet)
    let counts = try writer.write(scoring, items: items.vectors, to: &stageOutput) {
      progress.advance(by: $0)
    }
    progress.finish()
    summary.facts["recommendedUsers"] = JSONValue(counts.userCount)
    summary.facts["fallbackUsers"] = JSONValue(counts.fallbackCount)
    summary.facts["unknownItems"] = JSONValue(writer.audience.unknownItemCount)
    for (list, count) in writer.matchedIDs { summary.facts[list] = JSONValue(count) }
    guard items.marksNewItems else { return }
    summary.facts["newItems"] = JSONValue(items.newItems.count)
    summary.facts["newRecommendations"] = JSONValue(counts.newItemCount)
  }
}
