import ArgumentParser
import CommandSupport
import Dataset
import Kernels
import Model
import Ranking
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

  @Option(help: "Part of the events to predict: test or valid.")
  var split: Split = .test

  @Option(help: "Lengths of list at which metrics are cut, separated by commas.")
  var cutoffs: Cutoffs = Cutoffs(values: [5, 10, 20])

  @Option(help: "Write this many recommendations for every user; 0 for none.")
  var recommend: Int = 0

  @Option(help: "Form of the recommendations: csv or jsonl.")
  var recommendFormat: RecommendationFormat = .csv

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard recommend >= 0 else {
      throw ValidationError("'--recommend' must not be negative, found \(recommend).")
    }
  }

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "evaluate")
    let inputs = try EvaluationInputs(data: data, codes: codes, model: model)
    guard recommend <= inputs.data.catalogue.count else {
      throw .listTooLong(recommend, catalogue: inputs.data.catalogue.count)
    }
    var stageOutput = try StageOutput(directory: output, stage: "evaluate")
    let items = inputs.model.itemVectors(threads: shared.threads)
    guard items.values.allSatisfy(\.isFinite) else { throw .modelNotFinite("item") }
    let report = try evaluate(inputs, items: items)
    let tables = try ReportTables(report, path: "report.json")
    try stageOutput.writeFile("report.json", try report.json())
    try stageOutput.writeFile("report.md", Array(tables.markdown.utf8))
    if recommend > 0 { try writeRecommendations(inputs, items: items, to: &stageOutput) }
    try stageOutput.commit(
      configuration: configuration, inputs: inputs.references,
      counters: ["users": report["users"] ?? .null, "items": report["items"] ?? .null])
    if !shared.quiet {
      try printResult(tables.plain)
      try printResult("\nreport: \(output.appending("report.md"))")
    }
    let full = report["protocols"]?["full"]?["overall"]
    summary.facts = ["users": report["users"] ?? .null, "ndcg@10": full?["ndcg@10"] ?? .null]
    try summary.print(output: output)
  }

  /// The options that shape the output.
  private var configuration: [String: JSONValue] {
    [
      "split": .string(split.rawValue), "cutoffs": .array(cutoffs.values.map { JSONValue($0) }),
      "recommend": JSONValue(recommend), "recommend-format": .string(recommendFormat.rawValue),
    ]
  }

  /// Ranks everybody and makes the report.
  private func evaluate(
    _ inputs: EvaluationInputs, items: Matrix
  ) throws(PipelineError) -> JSONValue {
    let cases = EvaluationCases(inputs.data.sequences, split: split)
    guard cases.count > 0 else { throw .noTargets(split) }
    let progress = Progress("ranking users", total: cases.count, isQuiet: shared.quiet)
    let ranker = CaseRanker(
      sequences: inputs.data.sequences, negatives: inputs.negatives, threads: shared.threads)
    let ranks = try ranker.ranks(cases, model: inputs.model, items: items) {
      progress.advance(by: $0)
    }
    progress.finish()
    let metrics = Metric.all(of: Metric.Kind.allCases, at: cutoffs.values)
    let groups = CaseGroup.all(cases, catalogue: inputs.data.catalogue)
    let counts = (ranks[.negatives]?.candidateCounts ?? []).map { $0 - 1 }
    return EvaluationReport(
      split: split, metrics: metrics, groups: groups,
      results: RankingProtocol.allCases.compactMap { kind in
        ranks[kind].map { ProtocolResult(kind, $0, groups: groups, metrics: metrics) }
      },
      negativeCounts: (counts.min() ?? 0)...(counts.max() ?? 0), itemCount: items.rows,
      userCount: cases.count, stages: inputs.stages
    ).json
  }

  /// Writes the lists of all users.
  private func writeRecommendations(
    _ inputs: EvaluationInputs, items: Matrix, to stageOutput: inout StageOutput
  ) throws(PipelineError) {
    let progress = Progress(
      "recommending", total: inputs.data.sequences.count, isQuiet: shared.quiet)
    let writer = RecommendationWriter(
      format: recommendFormat, count: recommend, threads: shared.threads)
    try writer.write(inputs.data, model: inputs.model, items: items, to: &stageOutput) {
      progress.advance(by: $0)
    }
    progress.finish()
  }
}
