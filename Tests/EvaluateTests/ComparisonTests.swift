import Metrics
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Evaluate

@Suite struct ComparisonTests {
  let settings = RunComparison.Settings(
    data: StageReference(stage: "preprocess", checksum: "1234"), split: .test,
    groups: GroupComparison(
      groups: FourUsers.groups, users: FourUsers.cases.users,
      metrics: [Metric(kind: .reciprocalRank, cutoff: 0)],
      bootstrap: Bootstrap(seed: 1, replicateCount: 200), threads: 1))

  /// Stores a finished evaluation with these ranks and gives its directory to `body`.
  private func withStored(
    _ ranks: [RankingProtocol: CaseRanks], data: String = "1234", split: String = "test",
    _ body: (FilePath) throws -> Void
  ) throws {
    try withTemporaryDirectory { directory in
      var output = try StageOutput(directory: directory, stage: "evaluate")
      try output.write(StoredRanks.table(FourUsers.cases, ranks))
      try output.writeFile("report.json", Array("{\"protocols\": {}}".utf8))
      try output.commit(
        configuration: ["split": .string(split)],
        inputs: [StageReference(stage: "preprocess", checksum: data)], counters: [:])
      try body(directory)
    }
  }

  @Test func `ranks survive being stored`() throws {
    let ranks = try SampleReport.ranks()
    try withStored(ranks) { directory in
      let input = try StageInput(directory: directory, expecting: "evaluate")
      #expect(try StoredRanks(input, for: FourUsers.cases).ranks == ranks)
    }
  }

  @Test func `differences are taken user by user`() throws {
    let ranks = try SampleReport.ranks()
    var other = ranks
    other[.full]?.ranks = [1, 3, 2, 7]  // MRR terms 1, 1/3, 1/2, 1/7 against 1/3, 1/3, 1, 1/7
    try withStored(other) { directory in
      let comparison = try RunComparison(
        ranks, against: directory, cases: FourUsers.cases, settings: settings)
      let entry = comparison.json["protocols"]?["full"]?["overall"]?["mrr"]
      let expected = -1.0 / 24  // (1/3 − 1 + 1 − 1/2) / 4
      #expect(abs((entry?["difference"]?.numberValue ?? 0) - expected) < 1e-15)
      #expect(entry?["wins"] == 1 && entry?["losses"] == 1)
      #expect(entry?["p-sign-test"]?.numberValue == 1)
      let same = comparison.json["protocols"]?["negatives"]?["overall"]?["mrr"]
      #expect(same?["difference"]?.numberValue == 0 && same?["p-bootstrap"]?.numberValue == 1)
      #expect(comparison.json["protocols"]?["full"]?["popularity-10-29"] == nil)
    }
  }

  @Test(arguments: [("9999", "test"), ("1234", "valid")])
  func `a run on another test set is refused`(data: String, split: String) throws {
    let ranks = try SampleReport.ranks()
    try withStored(ranks, data: data, split: split) { directory in
      #expect(throws: PipelineError.otherTestSet(directory)) {
        try RunComparison(ranks, against: directory, cases: FourUsers.cases, settings: settings)
      }
    }
  }
}
