import Metrics
import Numerics
import ShardIO
import SystemPackage

/// This run against another one, or against the runs of another model, on the same users.
struct RunComparison {
  /// The other run's values, and for each protocol and group the differences of the headline metrics, this run − the
  /// other one; of several runs the means.
  let json: JSONValue

  /// Compares the ranks of this run with those of others.
  ///
  /// - Parameters:
  ///   - ranks: the ranks of this run.
  ///   - firstItems: the heads of its lists, one a case; empty for a model that makes none.
  ///   - others: the output directories of the other evaluations, one for each seed of a model.
  ///   - cases: who is evaluated in this run.
  ///   - settings: what else is needed of this run.
  /// - Throws: `PipelineError` `.configuration` if another run saw other data, another split or other users.
  init(
    _ ranks: [RankingProtocol: CaseRanks], firstItems: RaggedArray<UInt32>,
    against others: [FilePath], cases: EvaluationCases, settings: Settings
  ) throws(PipelineError) {
    let runs = try others.map { path throws(PipelineError) in
      try OtherRun(path, cases: cases, settings: settings)
    }
    var protocols: [String: JSONValue] = [:]
    for kind in RankingProtocol.allCases {
      guard let own = ranks[kind] else { continue }
      let theirs = runs.compactMap { $0.stored.ranks[kind] }
      guard theirs.count == runs.count else { continue }
      for (run, other) in zip(runs, theirs)
      where own.cases != other.cases || own.candidateCounts != other.candidateCounts {
        throw .otherTestSet(run.directory)
      }
      protocols[kind.rawValue] = settings.groups.differences(own, theirs)
    }
    var members: [String: JSONValue] = [
      "manifests": .array(runs.map { .string($0.checksum) }), "protocols": .object(protocols),
    ]
    if runs.count == 1 {
      members["values"] = runs[0].report["protocols"] ?? .null
      for key in ["lists", "training", "gates", "codes", "stages"] {
        members[key] = runs[0].report[key]
      }
      members["listChange"] = runs[0].stored.firstItems.flatMap {
        ListChange(firstItems, $0)?.json
      }
    } else {
      members["values"] = mean(runs.compactMap { $0.report["protocols"] }) ?? .null
    }
    json = .object(members)
  }

  /// A finished evaluation of the same users.
  private struct OtherRun {
    let directory: FilePath
    let checksum: String
    let stored: StoredRanks
    let report: JSONValue

    init(
      _ directory: FilePath, cases: EvaluationCases, settings: Settings
    ) throws(PipelineError) {
      let input = try StageInput(directory: directory, expecting: "evaluate")
      guard input.manifest.inputs.contains(settings.data),
        input.manifest.configuration["split"] == .string(settings.split.rawValue)
      else { throw .otherTestSet(directory) }
      self.directory = directory
      checksum = input.reference.checksum
      stored = try StoredRanks(input, for: cases)
      report = try JSONValue(
        parsing: try input.file("report.json"), path: directory.appending("report.json").string)
    }
  }

  /// What a comparison needs to know of this run.
  struct Settings {
    let data: StageReference
    let split: Split
    let groups: GroupComparison
  }
}

/// The means of the numbers of equal objects; intervals, which have no mean, are left out.
private func mean(_ values: [JSONValue]) -> JSONValue? {
  guard let first = values.first else { return nil }
  if let members = first.objectValue {
    return .object(
      members.reduce(into: [:]) { found, member in
        let all = values.compactMap { $0[member.key] }
        if all.count == values.count { found[member.key] = mean(all) }
      })
  }
  let numbers = values.compactMap(\.numberValue)
  guard numbers.count == values.count else { return nil }
  return values.allSatisfy { $0 == first }
    ? first : .number(numbers.reduce(0, +) / Double(numbers.count))
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

  /// The differences of all groups with users, own − the mean of theirs, by group and metric; all ranked the same cases.
  ///
  /// Where the others are several, their seeds are resampled with the users; wins are over their mean.
  func differences(_ own: CaseRanks, _ theirs: [CaseRanks]) -> JSONValue {
    let seeds = SeedComparison(
      own: [own], others: theirs, users: users, metrics: metrics, bootstrap: bootstrap,
      threads: threads)
    var members: [String: JSONValue] = [:]
    for group in groups {
      var sample = DifferenceSample(columnCount: metrics.count)
      for (place, position) in own.cases.enumerated() where group.contains(position) {
        let candidates = own.candidateCounts[place]
        sample.add(
          metrics.map { metric in
            metric.value(rank: own.ranks[place], candidateCount: candidates)
              - theirs.reduce(0) {
                $0 + metric.value(rank: $1.ranks[place], candidateCount: candidates)
              } / Double(theirs.count)
          }, user: users[position])
      }
      guard sample.userCount > 0 else { continue }
      let results = bootstrap.compare(sample, threads: threads)
      let seeded = theirs.count > 1 ? seeds.differences(group)?.results : nil
      members[group.key] = .object(
        Dictionary(
          uniqueKeysWithValues: metrics.indices.map {
            (metrics[$0].key, results[$0].json(seeded?[$0]))
          }))
    }
    return .object(members)
  }
}

extension PairedDifference {
  /// The comparison with its names in report.json; the chance is that of `seeded` where there is one.
  fileprivate func json(_ seeded: SeededDifference?) -> JSONValue {
    [
      "difference": .number(mean), "interval": (seeded?.interval ?? interval).json,
      "p-bootstrap": .number(seeded?.bootstrapPValue ?? bootstrapPValue),
      "wins": JSONValue(winCount),
      "losses": JSONValue(lossCount), "p-sign-test": .number(signTestPValue),
    ]
  }
}
