import Dataset
import Metrics
import Retrieval
import ShardIO

@testable import Evaluate

/// The report of the four users with everything in it that a report can have.
enum SampleReport {
  static let metrics = Metric.all(of: Metric.Kind.allCases, at: [5, 10])

  /// Two levels of codes; items 2k and 2k + 1 agree in all of them.
  static let codes = ItemCodes(
    levelSizes: [2, 4], codes: (0..<8).flatMap { [UInt16($0 / 4), UInt16($0 / 2)] },
    codebooks: [0, 0, 0, 0, 0, 0], width: 1, usage: [4, 4, 2, 2, 2, 2], center: [0])

  /// The same data with titles that try to break a page.
  static let data: PreprocessedData = {
    var data = FourUsers.data
    data.catalogue.titles = (0..<8).map { "<b>Item</b> \($0)" }
    return data
  }()

  private static let comparison = GroupComparison(
    groups: FourUsers.groups, users: FourUsers.cases.users, metrics: metrics.filter(\.isHeadline),
    bootstrap: Bootstrap(seed: 1, replicateCount: 100), threads: 1)

  static func ranks() throws -> [RankingProtocol: CaseRanks] {
    try FourUsers.ranks(FourUsers.model)
  }

  static func json(withOther: Bool) throws -> JSONValue {
    let result = try FourUsers.result(FourUsers.model)
    let ranks = result.ranks
    var report = EvaluationReport(
      split: .test, metrics: metrics, groups: FourUsers.groups,
      results: RankingProtocol.allCases.compactMap { kind in
        ranks[kind].map { found in
          ProtocolResult(
            kind, found, groups: FourUsers.groups, metrics: metrics,
            bootstrap: Bootstrap(seed: 1, replicateCount: 100))
        }
      }, negativeCounts: [.negatives: 1...3, .popular: 2...2], itemCount: 8, userCount: 4,
      eventCount: 4,
      stages: [
        "preprocess": [
          "configuration": ["dedup": "none"],
          "counters": [
            "users": 4, "testEvents": 4, "testEventsBeforeLastTrainEvent": 1,
          ],
        ],
        "train": [
          "configuration": ["model": "h2rec", "alignmentWeight": 0.30000000000000004],
          "manifest": "00ff00ff00ff",
        ],
      ])
    report.lists = [("coverage@5", 0.5), ("coverage@10", nil)]
    report.training = (1...3).map { epoch -> JSONValue in
      let members: [String: JSONValue] = [
        "epoch": JSONValue(epoch), "isBest": .bool(epoch == 2), "step": JSONValue(epoch * 10),
        "recommendation": .number(3 / Double(epoch)), "alignment": .number(Double(epoch)),
        "validationNdcg@10": .number(0.1),
      ]
      return .object(members)
    }
    report.gates = result.gates.json
    report.generation = [
      "listLimit": 50, "codeHr@10": 0.5,
      "digits": [["accuracy": 0.25, "meanRank": 3.5], ["accuracy": 0.125, "meanRank": 7]],
    ]
    report.title = "four <users>"
    let full = ranks[.full] ?? CaseRanks()
    let ranker = BaselineRanker(data, hasTimes: true, threads: 1)
    report.baselines = Baseline.allCases.map { baseline in
      let found = CaseRanks(
        cases: full.cases,
        ranks: ranker.ranks(baseline, FourUsers.cases, allowsRepeats: false),
        candidateCounts: full.candidateCounts)
      return BaselineResult(
        baseline: baseline, rule: baseline.rule(itemCount: 8),
        values: ProtocolResult(.full, found, groups: FourUsers.groups, metrics: metrics)
          .json(groups: FourUsers.groups.map(\.key), metrics: metrics),
        differences: comparison.differences(full, [found]))
    }
    report.times = ["preprocess": ["seconds": 1.5, "peakMegabytes": 2048]]
    report.codes = [
      "levels": [["size": 2, "used": 2, "utilization": 1, "perplexity": 2, "largestShare": 0.5]],
      "collisions": ["rate": 1, "largestGroup": 2],
    ]
    report.examples = ExampleUsers(data: data, codes: codes, threads: 1).json(
      FourUsers.cases, ranks[.full] ?? CaseRanks(),
      Ranker(.vectors(FourUsers.model), itemCount: 8, threads: 1),
      attention: FourUsers.model.attention)
    guard withOther else { return report.json }
    return try withComparison(report, ranks)
  }

  /// The report beside a run that ranks everybody first.
  private static func withComparison(
    _ report: EvaluationReport, _ ranks: [RankingProtocol: CaseRanks]
  ) throws -> JSONValue {
    let settings = RunComparison.Settings(
      data: StageReference(stage: "preprocess", checksum: "00"), split: .test,
      groups: comparison)
    var members = report.json.objectValue ?? [:]
    var differences: [String: JSONValue] = [:]
    for (kind, own) in ranks {
      var best = own
      best.ranks = own.ranks.map { _ in 1 }
      differences[kind.rawValue] = settings.groups.differences(own, [best])
    }
    members["against"] = [
      "manifests": ["00"], "protocols": .object(differences),
      "values": members["protocols"] ?? .null, "lists": members["lists"] ?? .null,
      "training": members["training"] ?? .null, "gates": members["gates"] ?? .null,
      "codes": members["codes"] ?? .null,
    ]
    return .object(members)
  }
}
