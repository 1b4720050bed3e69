import CommandSupport
import Dataset
import Kernels
import Model
import Ranking
import ShardIO

/// Measures the model and writes the report in all its forms.
struct Evaluation {
  /// The form of the report that people are sent to.
  static let reportName = "report.html"

  let inputs: EvaluationInputs
  let options: MetricOptions
  let shared: SharedOptions

  /// Ranks everybody, and writes ranks and report.
  ///
  /// - Returns: the report.
  /// - Throws: `PipelineError`: `.configuration` if nobody can be evaluated or another run does not fit; `.dataFormat` if
  ///   the model diverged; `.inputOutput`.
  func run(items: Matrix, to output: inout StageOutput) throws(PipelineError) -> JSONValue {
    let cases = EvaluationCases(inputs.data.sequences, split: options.split)
    guard cases.count > 0 else { throw .noTargets(options.split) }
    var lists = ListMetrics(
      items: ListMetrics.Items(inputs.data), cutoffs: options.cutoffs.values)
    let ranks = try rank(cases, items: items, lists: &lists)
    var measured = try measure(cases, ranks, itemCount: items.rows)
    measured.lists = lists.values
    measured.training = inputs.trainingLog
    measured.codes = inputs.codeReport
    measured.examples = ExampleUsers(
      data: inputs.data, codes: inputs.codes, threads: shared.threads
    ).json(cases, ranks[.full] ?? CaseRanks(), model: inputs.model, items: items)
    let report = measured.json
    try output.write(StoredRanks.table(cases, ranks))
    try output.writeFile("report.json", try report.json())
    let tables = try ReportTables(report, path: "report.json")
    try output.writeFile("report.md", Array(tables.markdown.utf8))
    try output.writeFile(Self.reportName, Array(ReportPage(report).html.utf8))
    return report
  }

  private func rank(
    _ cases: EvaluationCases, items: Matrix, lists: inout ListMetrics
  ) throws(PipelineError) -> [RankingProtocol: CaseRanks] {
    let progress = Progress("ranking users", total: cases.count, isQuiet: shared.quiet)
    let ranker = CaseRanker(
      sequences: inputs.data.sequences, negatives: inputs.negatives, threads: shared.threads,
      allowsRepeats: options.allowRepeats)
    let ranks = try ranker.ranks(cases, model: inputs.model, items: items, lists: &lists) {
      progress.advance(by: $0)
    }
    progress.finish()
    return ranks
  }

  private func measure(
    _ cases: EvaluationCases, _ ranks: [RankingProtocol: CaseRanks], itemCount: Int
  ) throws(PipelineError) -> EvaluationReport {
    let metrics = Metric.all(of: Metric.Kind.allCases, at: options.cutoffs.values)
    let groups = CaseGroup.all(cases, catalogue: inputs.data.catalogue)
    let bootstrap =
      options.resamples > 0
      ? Bootstrap(seed: shared.seed, replicateCount: options.resamples) : nil
    let counts = (ranks[.negatives]?.candidateCounts ?? []).map { $0 - 1 }
    var report = EvaluationReport(
      split: options.split, metrics: metrics, groups: groups,
      results: RankingProtocol.allCases.compactMap { kind in
        ranks[kind].map { found in
          ProtocolResult(
            kind, found, groups: groups, metrics: metrics, bootstrap: bootstrap,
            threads: shared.threads)
        }
      },
      negativeCounts: (counts.min() ?? 0)...(counts.max() ?? 0),
      allowsRepeats: options.allowRepeats, itemCount: itemCount,
      userCount: cases.count, stages: inputs.stages)
    if let other = options.against, let bootstrap {
      report.comparison = try RunComparison(
        ranks, against: other, cases: cases,
        settings: RunComparison.Settings(
          data: inputs.references[0], split: options.split, groups: groups,
          metrics: metrics.filter(\.isHeadline), bootstrap: bootstrap, threads: shared.threads))
    }
    return report
  }
}

extension ListMetrics.Items {
  /// What a preprocess output says of the items.
  init(_ data: PreprocessedData) {
    self.init(
      trainCounts: data.catalogue.trainCounts, isTail: data.catalogue.isHead.map { !$0 },
      categories: data.catalogue.categories, vectors: data.vectors?.values ?? [],
      width: data.vectors?.width ?? 0)
  }
}
