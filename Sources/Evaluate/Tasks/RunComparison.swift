import Metrics
import Numerics
import ShardIO
import SystemPackage

/// This run against another one on the same users.
struct RunComparison {
  /// The other run's values, and for each protocol and group the differences of the headline metrics, this run − the
  /// other one.
  let json: JSONValue

  /// Compares the ranks of two runs.
  ///
  /// - Parameters:
  ///   - ranks: the ranks of this run.
  ///   - firstItems: the heads of its lists, one a case; empty for a model that makes none.
  ///   - other: the output directory of the other evaluation.
  ///   - cases: who is evaluated in this run.
  ///   - settings: what else is needed of this run.
  /// - Throws: `PipelineError` `.configuration` if the other run saw other data, another split or other users.
  init(
    _ ranks: [RankingProtocol: CaseRanks], firstItems: RaggedArray<UInt32>,
    against other: FilePath, cases: EvaluationCases, settings: Settings
  ) throws(PipelineError) {
    let input = try StageInput(directory: other, expecting: "evaluate")
    guard input.manifest.inputs.contains(settings.data),
      input.manifest.configuration["split"] == .string(settings.split.rawValue)
    else { throw .otherTestSet(other) }
    let storedRanks = try StoredRanks(input, for: cases)
    let stored = storedRanks.ranks
    let otherReport = try JSONValue(
      parsing: try input.file("report.json"), path: other.appending("report.json").string)
    var protocols: [String: JSONValue] = [:]
    for kind in RankingProtocol.allCases {
      guard let own = ranks[kind], let theirs = stored[kind] else { continue }
      guard own.cases == theirs.cases, own.candidateCounts == theirs.candidateCounts else {
        throw .otherTestSet(other)
      }
      protocols[kind.rawValue] = settings.groups.differences(own, theirs)
    }
    var members: [String: JSONValue] = [
      "manifest": .string(input.reference.checksum), "protocols": .object(protocols),
      "values": otherReport["protocols"] ?? .null,
    ]
    for key in ["lists", "training", "gates", "codes", "stages"] {
      members[key] = otherReport[key]
    }
    members["listChange"] = storedRanks.firstItems.flatMap { ListChange(firstItems, $0)?.json }
    json = .object(members)
  }

  /// What a comparison needs to know of this run.
  struct Settings {
    let data: StageReference
    let split: Split
    let groups: GroupComparison
  }
}

/// How much of what users are shown first is something else than in the other run.
struct ListChange: Equatable {
  /// The share of the lists whose first items are another set.
  let changedShare: Double
  /// The share of the first items of a list that are among the other run's, mean over the lists.
  let keptShare: Double

  /// Compares the heads of the lists of two runs, case by case, at the length of the shorter one.
  ///
  /// - Returns: nil where there is nothing to compare.
  init?(_ own: RaggedArray<UInt32>, _ theirs: RaggedArray<UInt32>) {
    guard own.count == theirs.count else { return nil }
    var (changed, kept, count) = (0, 0.0, 0)
    for row in 0..<own.count {
      let length = min(own[row].count, theirs[row].count)
      guard length > 0 else { continue }
      let common = Set(own[row].prefix(length)).intersection(theirs[row].prefix(length)).count
      changed += common < length ? 1 : 0
      kept += Double(common) / Double(length)
      count += 1
    }
    guard count > 0 else { return nil }
    changedShare = Double(changed) / Double(count)
    keptShare = kept / Double(count)
  }

  fileprivate var json: JSONValue {
    [
      "items": JSONValue(CaseRanker.firstCount), "changedShare": .number(changedShare),
      "keptShare": .number(keptShare),
    ]
  }
}

/// Who is compared, by what, and how sure one can be of it.
struct GroupComparison {
  let groups: [CaseGroup]
  /// The user of each case.
  let users: [Int]
  let metrics: [Metric]
  let bootstrap: Bootstrap
  let threads: Int

  /// The differences of all groups with users, own − theirs, by group and metric; both ranked the same cases.
  func differences(_ own: CaseRanks, _ theirs: CaseRanks) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for group in groups {
      var sample = DifferenceSample(columnCount: metrics.count)
      for (place, position) in own.cases.enumerated() where group.contains(position) {
        let candidates = own.candidateCounts[place]
        sample.add(
          metrics.map { metric in
            metric.value(rank: own.ranks[place], candidateCount: candidates)
              - metric.value(rank: theirs.ranks[place], candidateCount: candidates)
          }, user: users[position])
      }
      guard sample.userCount > 0 else { continue }
      let results = bootstrap.compare(sample, threads: threads)
      members[group.key] = .object(
        Dictionary(uniqueKeysWithValues: zip(metrics.map(\.key), results.map(\.json))))
    }
    return .object(members)
  }
}

extension PairedDifference {
  /// The comparison with its names in report.json.
  fileprivate var json: JSONValue {
    [
      "difference": .number(mean), "interval": interval.json,
      "p-bootstrap": .number(bootstrapPValue), "wins": JSONValue(winCount),
      "losses": JSONValue(lossCount), "p-sign-test": .number(signTestPValue),
    ]
  }
}
