import CommandSupport
import Dataset
import Metrics
import Numerics
import ShardIO

/// Measures the model and writes the report in all its forms.
struct Evaluation {
  /// The form of the report that people are sent to.
  static let reportName = "report.html"

  let inputs: EvaluationInputs
  let options: MetricOptions
  let shared: SharedOptions
  /// The options of this stage, as the manifest has them.
  let configuration: [String: JSONValue]
  /// Knows how long this stage has run.
  let summary: Summary

  /// Ranks everybody, and writes ranks and report.
  ///
  /// - Returns: the report.
  /// - Throws: `PipelineError`: `.configuration` if nobody can be evaluated or another run does not fit; `.dataFormat` if
  ///   the model diverged; `.inputOutput`.
  func run(items: Matrix, to output: inout StageOutput) throws(PipelineError) -> JSONValue {
    let cases = EvaluationCases(inputs.data.sequences, split: options.split)
    guard cases.count > 0 else { throw .noTargets(options.split) }
    let groups = CaseGroup.all(
      cases, catalogue: inputs.data.catalogue, hasTimes: inputs.hasTimes)
    let cutoffs = try options.cutoffs(itemCount: items.rows)
    let found = try rank(cases, groups, cutoffs, items: items)
    let ranks = found.ranks
    var measured = try measure(cases, groups, cutoffs, ranks, itemCount: items.rows)
    measured.stages["evaluate"] = [
      "configuration": .object(configuration), "version": .string(programVersion),
    ]
    measured.lists = found.lists.values
    measured.gates = found.gates.json
    measured.training = inputs.trainingLog
    measured.codes = inputs.codeReport
    measured.examples = ExampleUsers(
      data: inputs.data, codes: inputs.codes, threads: shared.threads
    ).json(cases, ranks[.full] ?? CaseRanks(), model: inputs.model, items: items)
    if let path = options.runTimes {
      var times = try RunTimes(path)
      times.add(summary)
      measured.times = .object(times.json)
    }
    let report = measured.json
    try output.write(StoredRanks.table(cases, ranks))
    try output.writeFile("report.json", try report.json())
    let tables = try ReportTables(report, path: "report.json")
    try output.writeFile("report.md", Array(tables.markdown(of: report).utf8))
    try output.writeFile(Self.reportName, Array(ReportPage(report).html.utf8))
    return report
  }

  private func rank(
    _ cases: EvaluationCases, _ groups: [CaseGroup], _ cutoffs: [Int], items: Matrix
  ) throws(PipelineError) -> CaseRanker.Result {
    let progress = Progress("ranking users", total: cases.count, isQuiet: shared.quiet)
    let ranker = CaseRanker(
      sequences: inputs.data.sequences, negatives: inputs.negatives, threads: shared.threads,
      allowsRepeats: options.allowRepeats)
    var result = CaseRanker.Result(
      lists: ListMetrics(items: ListMetrics.Items(inputs.data), cutoffs: cutoffs),
      gates: GateMeans(groups: groups))
    try ranker.rank(cases, model: inputs.model, items: items, into: &result) {
      progress.advance(by: $0)
    }
    progress.finish()
    return result
  }

  private func measure(
    _ cases: EvaluationCases, _ groups: [CaseGroup], _ cutoffs: [Int],
    _ ranks: [RankingProtocol: CaseRanks], itemCount: Int
  ) throws(PipelineError) -> EvaluationReport {
    let metrics = Metric.all(of: Metric.Kind.allCases, at: cutoffs)
    let bootstrap =
      options.resamples > 0
      ? Bootstrap(seed: shared.seed, replicateCount: options.resamples) : nil
    var report = EvaluationReport(
      split: options.split, metrics: metrics, groups: groups,
      results: RankingProtocol.allCases.compactMap { kind in
        ranks[kind].map { found in
          ProtocolResult(
            kind, found, groups: groups, metrics: metrics, bootstrap: bootstrap,
            threads: shared.threads)
        }
      },
      negativeCounts: ranks.mapValues { found in
        let counts = found.candidateCounts
        return (counts.min() ?? 1) - 1...(counts.max() ?? 1) - 1
      },
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
