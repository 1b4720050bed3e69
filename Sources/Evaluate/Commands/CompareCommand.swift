import ArgumentParser
import CommandSupport
import Metrics
import Page
import ShardIO
import SystemPackage
import TextOutput

/// Compares evaluated runs of two models, each with one or more training seeds.
struct CompareCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare evaluated runs of one model with those of another, over users and seeds.",
    discussion: """
      Give the outputs of the evaluate stage for all seeds of each model. The difference is that of the means over seeds \
      and users; its interval comes from resampling both, so that the chance of a training is in it. It is printed as a \
      Markdown table and as one JSON line; nothing is written.
      """, version: programVersion)

  @Argument(
    help: "Outputs of the evaluate stage: the runs of one model.", completion: .directory,
    transform: { FilePath($0) })
  var runs: [FilePath]

  @Option(
    parsing: .upToNextOption, help: "The runs of the model that it is compared with.",
    completion: .directory, transform: { FilePath($0) })
  var against: [FilePath]

  @Option(
    help: "Output of the preprocess stage that all runs are about.", completion: .directory,
    transform: { FilePath($0) })
  var data: FilePath

  @Option(help: "Candidates among which targets were ranked.")
  var ranking: RankingProtocol = .full

  @Option(help: "Resamples of users and seeds for the 95 % intervals.")
  var resamples = 2000

  @OptionGroup var seedOption: SeedOption
  @OptionGroup var work: WorkOptions

  func validate() throws {
    guard !runs.isEmpty, !against.isEmpty else {
      throw ValidationError(
        "Give a run or more, and with '--against' a run or more of another model.")
    }
    let all = (runs + against).map { $0.lexicallyNormalized().string }
    guard Set(all).count == all.count else {
      throw ValidationError("A run is given twice; each counts as a seed of its own.")
    }
    guard (100...100_000).contains(resamples) else {
      throw ValidationError("'--resamples' must be from 100 to 100000, not \(resamples).")
    }
  }

  func runStage() throws(PipelineError) {
    let found = try EvaluatedRuns(runs + against, data: data, ranking: ranking)
    let comparison = SeedComparison(
      own: Array(found.ranks[..<runs.count]), others: Array(found.ranks[runs.count...]),
      users: found.cases.users,
      metrics: Metric.all(of: [.hitRate, .ndcg, .reciprocalRank], at: found.cutoffs),
      bootstrap: Bootstrap(seed: seedOption.seed, replicateCount: resamples),
      threads: work.threads)
    try print(comparison, found.groups)
  }

  private func print(
    _ comparison: SeedComparison, _ groups: [CaseGroup]
  ) throws(PipelineError) {
    var members: [String: JSONValue] = [:]
    var rows: [[String]] = []
    let wanted = Metric(kind: .ndcg, cutoff: 10)
    let shown =
      comparison.metrics.contains(wanted) ? wanted : Metric(kind: .reciprocalRank, cutoff: 0)
    for group in groups {
      guard let found = comparison.differences(group) else { continue }
      var values: [String: JSONValue] = ["users": JSONValue(found.userCount)]
      for (metric, result) in zip(comparison.metrics, found.results) {
        values[metric.key] = result.json
        guard metric == shown else { continue }
        rows.append([
          group.title, "\(found.userCount)", cell(result.value, result.deviation),
          cell(result.other, result.otherDeviation), signed(result.mean),
          "\(signed(result.interval.lowerBound)) to \(signed(result.interval.upperBound))",
          result.bootstrapPValue < 0.001 ? "< 0.001" : decimal(result.bootstrapPValue, 3),
        ])
      }
      members[group.key] = .object(values)
    }
    if !work.quiet {
      let table = TextTable(
        header: ["group", "users", shown.key, "other", "difference", "95 % interval", "p"],
        rows: rows)
      try printResult(
        """
        \(table.markdown)

        \(runs.count) and \(against.count) runs, \(ranking.title); ± is the deviation over them. \(rows.count) comparisons: \
        about \(decimal(Double(rows.count) / 20, 0)) of them would have p below 0.05 if the models were equal.\
        \(min(runs.count, against.count) == 1 ? " A model with one run adds no chance of its training to the interval." : "")

        """)
    }
    let line: JSONValue = [
      "stage": "compare", "ranking": .string(ranking.rawValue), "runs": JSONValue(runs.count),
      "otherRuns": JSONValue(against.count), "groups": .object(members),
    ]
    try printResult(String(decoding: try line.json(isPretty: false), as: UTF8.self))
  }

  private func cell(_ value: Double, _ deviation: Double?) -> String {
    decimal(value, 4) + (deviation.map { " ± \(decimal($0, 4))" } ?? "")
  }
}

extension RankingProtocol: ExpressibleByArgument {}
