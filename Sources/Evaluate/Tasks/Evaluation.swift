import CommandSupport
import Dataset
import Metrics
import Models
import Numerics
import Retrieval
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

  /// Ranks all users, and writes ranks and report.
  ///
  /// - Returns: the report.
  /// - Throws: `PipelineError`: `.configuration` if no user can be evaluated or another run does not fit; `.dataFormat` if
  ///   the model diverged; `.inputOutput`.
  func run(_ ranker: Ranker, to output: inout StageOutput) throws(PipelineError) -> JSONValue {
    let cases = EvaluationCases(
      inputs.data.sequences, split: options.split, heldOut: options.heldOut)
    guard cases.count > 0 else { throw .noTargets(options.split) }
    let groups = CaseGroup.all(
      cases, in: inputs.data.sequences, catalogue: inputs.data.catalogue,
      hasTimes: inputs.hasTimes)
    let cutoffs = options.cutoffs(itemCount: ranker.itemCount)
    let found = try rank(cases, groups, cutoffs, ranker)
    let ranks = found.ranks
    var measured = try measure(cases, groups, cutoffs, found, itemCount: ranker.itemCount)
    measured.stages["evaluate"] = [
      "configuration": .object(configuration), "version": .string(programVersion),
    ]
    measured.title = options.title
    measured.lists = found.lists.values
    measured.gates = found.gates.json
    measured.generation = GenerationReading(cases, found, inputs, threads: shared.threads)?.json
    measured.training = inputs.trainingLog
    measured.codes = inputs.codeReport
    measured.examples = ExampleUsers(
      data: inputs.data, codes: inputs.codes, threads: shared.threads,
      allowsRepeats: options.allowsRepeats(in: inputs.data.sequences)
    ).json(cases, ranks[.full] ?? CaseRanks(), ranker, attention: inputs.diagnostics.attention)
    if options.runTimes {
      var times = RunTimes(inputs.directories)
      times.add(summary)
      measured.times = .object(times.json)
    }
    let report = measured.json
    try output.write(StoredRanks.table(cases, ranks, firstItems: found.firstItems))
    try output.writeFile("report.json", try report.json())
    let tables = try ReportTables(report, path: "report.json")
    try output.writeFile("report.md", Array(tables.markdown(of: report).utf8))
    try output.writeFile(Self.reportName, Array(ReportPage(report).html.utf8))
    return report
  }

  private func rank(
    _ cases: EvaluationCases, _ groups: [CaseGroup], _ cutoffs: [Int], _ model: Ranker
  ) throws(PipelineError) -> CaseRanker.Result {
    let progress = Progress("ranking users", total: cases.count, isQuiet: shared.quiet)
    let ranker = CaseRanker(
      sequences: inputs.data.sequences, negatives: inputs.negatives, threads: shared.threads,
      popularity: PopularityOrder(inputs.data.catalogue),
      allowsRepeats: options.allowsRepeats(in: inputs.data.sequences))
    var result = CaseRanker.Result(
      lists: ListMetrics(items: ListMetrics.Items(inputs.data), cutoffs: cutoffs),
      gates: GateMeans(groups: groups))
    try ranker.rank(cases, with: model, into: &result) {
      progress.advance(by: $0)
    }
    progress.finish()
    return result
  }

  private func measure(
    _ cases: EvaluationCases, _ groups: [CaseGroup], _ cutoffs: [Int],
    _ result: CaseRanker.Result, itemCount: Int
  ) throws(PipelineError) -> EvaluationReport {
    let ranks = result.ranks
    let metrics = Metric.all(of: Metric.Kind.allCases, at: cutoffs)
    let bootstrap =
      options.resamples > 0
      ? Bootstrap(seed: shared.seed, replicateCount: options.resamples) : nil
    var report = EvaluationReport(
      split: options.split, metrics: metrics, groups: groups,
      results: RankingProtocol.allCases.compactMap { kind in
        ranks[kind].map { found in
          ProtocolResult(
            kind, found, users: cases.users, groups: groups, metrics: metrics, bootstrap: bootstrap,
            threads: shared.threads)
        }
      },
      negativeCounts: ranks.mapValues { found in
        let counts = found.candidateCounts
        return (counts.min() ?? 1) - 1...(counts.max() ?? 1) - 1
      },
      allowsRepeats: options.allowsRepeats(in: inputs.data.sequences), itemCount: itemCount,
      userCount: cases.userCount, eventCount: cases.count, stages: inputs.stages)
    if !options.against.isEmpty, let bootstrap {
      report.comparison = try RunComparison(
        ranks, firstItems: result.firstItems, against: options.against, cases: cases,
        settings: RunComparison.Settings(
          data: inputs.references[0], split: options.split,
          groups: GroupComparison(
            groups: groups, users: cases.users, metrics: metrics.filter(\.isHeadline),
            bootstrap: bootstrap,
            threads: shared.threads)))
    }
    if let full = ranks[.full] {
      report.baselines = baselines(full, cases, groups, metrics, bootstrap)
    }
    return report
  }
}

extension Evaluation {
  /// The groups for which the model is compared with the baselines; all groups have their values.
  private static let comparedGroups = [
    "overall", "head", "tail", "transition-seen", "transition-unseen",
  ]

  /// What the baselines reach on the same users and candidates.
  private func baselines(
    _ own: CaseRanks, _ cases: EvaluationCases, _ groups: [CaseGroup], _ metrics: [Metric],
    _ bootstrap: Bootstrap?
  ) -> [BaselineResult] {
    let ranker = BaselineRanker(
      inputs.data, hasTimes: inputs.hasTimes, threads: shared.threads)
    let progress = Progress(
      "ranking baselines", total: ranker.baselines.count, isQuiet: shared.quiet)
    defer { progress.finish() }
    let headline = metrics.filter(\.isHeadline)
    return ranker.baselines.map { baseline in
      let ranks = CaseRanks(
        cases: own.cases,
        ranks: ranker.ranks(
          baseline, cases, allowsRepeats: options.allowsRepeats(in: inputs.data.sequences)),
        candidateCounts: own.candidateCounts)
      progress.advance(by: 1)
      return BaselineResult(
        baseline: baseline, rule: baseline.rule(itemCount: inputs.data.catalogue.count),
        values: ProtocolResult(.full, ranks, users: cases.users, groups: groups, metrics: headline)
          .json(groups: groups.map(\.key), metrics: headline),
        differences: bootstrap.map { bootstrap in
          GroupComparison(
            groups: groups.filter { Self.comparedGroups.contains($0.key) }, users: cases.users,
            metrics: headline,
            bootstrap: bootstrap, threads: shared.threads
          ).differences(own, [ranks])
        })
    }
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
