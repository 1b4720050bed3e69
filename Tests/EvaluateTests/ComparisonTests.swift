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
    report: String = "{\"protocols\": {}}", _ body: (FilePath) throws -> Void
  ) throws {
    try withTemporaryDirectory { directory in
      var output = try StageOutput(directory: directory, stage: "evaluate")
      try output.write(StoredRanks.table(FourUsers.cases, ranks))
      try output.writeFile("report.json", Array(report.utf8))
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
        ranks, firstItems: RaggedArray(), against: [directory], cases: FourUsers.cases,
        settings: settings)
      #expect(comparison.json["listChange"] == nil)
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

  @Test func `several runs are compared by their mean, and their seeds widen the interval`() throws
  {
    func report(_ value: Double) -> String {
      #"{"protocols": {"full": {"overall": {"users": 4, "mrr": \#(value), "intervals": {"mrr": [0, 1]}}}}}"#
    }
    let ranks = try SampleReport.ranks()
    var other = ranks
    other[.full]?.ranks = [1, 3, 2, 7]
    try withStored(other, report: report(0.25)) { first in
      try withStored(ranks, report: report(0.75)) { second in
        let json = try RunComparison(
          ranks, firstItems: RaggedArray(), against: [first, second], cases: FourUsers.cases,
          settings: settings
        ).json
        #expect(json["manifests"]?.arrayValue?.count == 2 && json["training"] == nil)
        #expect(
          json["values"]?["full"]?["overall"]
            == ["users": 4, "mrr": .number(0.5), "intervals": .object([:])])
        let entry = json["protocols"]?["full"]?["overall"]?["mrr"]
        // The mean of -1/24 and 0; the first user lost half of 2/3, the third won half of 1/2.
        #expect(abs((entry?["difference"]?.numberValue ?? 0) + 1.0 / 48) < 1e-15)
        #expect(entry?["wins"] == 1 && entry?["losses"] == 1)
        func width(_ entry: JSONValue?) -> Double {
          let bounds = (entry?["interval"]?.arrayValue ?? []).compactMap(\.numberValue)
          return bounds.count == 2 ? bounds[1] - bounds[0] : .nan
        }
        let twice = settings.groups.differences(
          try #require(ranks[.full]), [try #require(other[.full])])
        #expect(width(entry) > 0.5 * width(twice["overall"]?["mrr"]))
      }
    }
  }

  @Test func `lists are compared as sets, at the length of the shorter one`() throws {
    let own = RaggedArray<UInt32>([[1, 2, 3], [4, 5], [6, 7], []])
    // The same in another order; one of two; the first of a longer list; nothing to compare.
    let theirs = RaggedArray<UInt32>([[3, 1, 2], [5, 9], [7, 6, 8], [1]])
    let change = try #require(ListChange(own, theirs))
    #expect(change.changedShare == 1.0 / 3 && change.keptShare == (1 + 0.5 + 1) / 3)
    #expect(ListChange(own, RaggedArray([[1]])) == nil)

    let ranks = try SampleReport.ranks()
    try withTemporaryDirectory { directory in
      var output = try StageOutput(directory: directory, stage: "evaluate")
      try output.write(StoredRanks.table(FourUsers.cases, ranks, firstItems: theirs))
      try output.writeFile("report.json", Array("{\"protocols\": {}}".utf8))
      try output.commit(
        configuration: ["split": "test"],
        inputs: [StageReference(stage: "preprocess", checksum: "1234")], counters: [:])
      let json = try RunComparison(
        ranks, firstItems: own, against: [directory], cases: FourUsers.cases, settings: settings
      ).json["listChange"]
      #expect(json?["items"] == 10 && json?["changedShare"]?.numberValue == 1.0 / 3)
    }
  }

  @Test(arguments: [("9999", "test"), ("1234", "valid")])
  func `a run on another test set is refused`(data: String, split: String) throws {
    let ranks = try SampleReport.ranks()
    try withStored(ranks, data: data, split: split) { directory in
      #expect(throws: PipelineError.otherTestSet(directory)) {
        try RunComparison(
          ranks, firstItems: RaggedArray(), against: [directory], cases: FourUsers.cases,
          settings: settings)
      }
    }
  }
}
