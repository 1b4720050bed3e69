import ArgumentParser
import Dataset
import Metrics
import Retrieval
import ShardIO
import Testing

@testable import Evaluate

@Suite struct EvaluationTests {
  let metrics = Metric.all(of: Metric.Kind.allCases, at: [5, 10])

  /// The report of the four users.
  func report() throws -> JSONValue {
    let ranks = try FourUsers.ranks(FourUsers.model)
    return EvaluationReport(
      split: .test, metrics: metrics, groups: FourUsers.groups,
      results: RankingProtocol.allCases.compactMap { kind in
        ranks[kind].map { ProtocolResult(kind, $0, groups: FourUsers.groups, metrics: metrics) }
      }, negativeCounts: [.negatives: 1...3, .popular: 2...2], itemCount: 8, userCount: 4,
      eventCount: 4,
      stages: [:]
    ).json
  }

  @Test func `the test history holds the valid event, the valid history does not`() {
    #expect(FourUsers.cases.users == [0, 1, 2, 3])
    #expect(FourUsers.cases.targets == FourUsers.targets)
    #expect(FourUsers.cases.histories(0..<4, in: FourUsers.sequences).count == 4)
    let valid = EvaluationCases(FourUsers.sequences, split: .valid)
    #expect(valid.targets == [1, 4, 5, 1])
    #expect(Array(valid.histories(0..<4, in: FourUsers.sequences)[0]) == [0])
  }

  @Test func `every event of the part is a target, after all events before it`() {
    let sequences = UserSequences(
      userIDs: ["a", "b"], items: RaggedArray([[1, 2, 3, 4, 5], [6, 7]]),
      times: RaggedArray([[1, 2, 3, 4, 5], [1, 2]]), trainEnds: [1, 1], validEnds: [3, 1])
    let all = EvaluationCases(sequences, split: .test)
    #expect(all.users == [0, 0, 1] && all.targets == [4, 5, 7] && all.userCount == 2)
    #expect(all.historyLengths == [3, 4, 1] && all.times == [4, 5, 2])
    #expect(
      (0..<3).map { Array(all.histories($0..<$0 + 1, in: sequences)[0]) }
        == [[1, 2, 3], [1, 2, 3, 4], [6]])
    let first = EvaluationCases(sequences, split: .test, heldOut: .first)
    #expect(first.users == [0, 1] && first.targets == [4, 7] && first.userCount == 2)
    #expect(EvaluationCases(sequences, split: .valid).targets == [2, 3])
  }

  @Test func `a user with several targets is drawn with all of them, and each target counts once`()
  {
    let group = CaseGroup(key: "overall", title: "all", rule: "all", section: .overall) { _ in true
    }
    let ranks = CaseRanks(cases: [0, 1, 2], ranks: [1, 1, 100], candidateCounts: [100, 100, 100])
    let metric = Metric(kind: .hitRate, cutoff: 10)
    func result(_ users: [Int]?) -> ProtocolResult.GroupResult {
      ProtocolResult(
        .full, ranks, users: users, groups: [group], metrics: [metric],
        bootstrap: Bootstrap(seed: 1, replicateCount: 2000)
      ).groups[0]
    }
    let clustered = result([7, 7, 9])
    #expect(clustered.userCount == 2 && clustered.eventCount == 3)
    #expect(clustered.means == [2.0 / 3])
    // Two users: both the first, both the second, or one of each; means of 1, 0 and 2/3, never 1/3.
    #expect(clustered.intervals["hr@10"] == 0...1)
    #expect(result(nil).userCount == 3)
  }

  @Test func `targets are told where users have several`() throws {
    #expect(countedUsers(["users": 1200, "events": 1200]) == "1,200 users")
    #expect(countedUsers(["users": 81, "events": 9028]) == "81 users, 9,028 events")
    var members = try #require(try report().objectValue)
    #expect(try !ReportTables(.object(members), path: "").plain.contains(/group +users +events/))
    members["events"] = 6
    let tables = try ReportTables(.object(members), path: "")
    #expect(tables.plain.contains("4 users, 6 events"))
    #expect(tables.plain.contains(/group +users +events +/))
    #expect(ReportPage(.object(members)).html.contains("Every held-out event is a target"))
  }

  @Test func `blocks hold so many cases and events at most, and one case at least`() {
    let limit = CaseRanker.blockEvents
    #expect(CaseRanker.block(from: 0, of: [limit + 1, 1]) == 0..<1)
    #expect(CaseRanker.block(from: 0, of: [limit - 1, 1, 1]) == 0..<2)
    #expect(CaseRanker.block(from: 1, of: [limit, 1, 1]) == 1..<3)
    let many = [Int](repeating: 1, count: CaseRanker.blockSize + 5)
    #expect(CaseRanker.block(from: 0, of: many) == 0..<CaseRanker.blockSize)
    #expect(CaseRanker.block(from: CaseRanker.blockSize, of: many).count == 5)
  }

  @Test func `users without a target are left out`() {
    let sequences = UserSequences(
      userIDs: ["a", "b"], items: RaggedArray([[1, 2], [1, 2, 3]]),
      times: RaggedArray([[1, 2], [1, 2, 3]]), trainEnds: [2, 1], validEnds: [2, 2])
    #expect(EvaluationCases(sequences, split: .test).users == [1])
    #expect(EvaluationCases(sequences, split: .valid).users == [1])
  }

  @Test func `ranks of the four users under all protocols`() throws {
    let ranks = try FourUsers.ranks(FourUsers.model)
    #expect(ranks[.full]?.ranks == [3, 3, 1, 7])
    #expect(ranks[.full]?.candidateCounts == [6, 7, 2, 7])
    // Above ann's target are items 0, 1 and 2, beside it 5 and 6; above bob's 1, 2 and 4; above d,e's all others.
    #expect(ranks[.fullWithHistory]?.ranks == [5, 4, 1, 8])
    #expect(ranks[.fullWithHistory]?.candidateCounts == [8, 8, 8, 8])
    #expect(ranks[.negatives]?.cases == [0, 1, 2])
    #expect(ranks[.negatives]?.ranks == [2, 2, 1])
    #expect(ranks[.negatives]?.candidateCounts == [4, 3, 2])
    #expect(ranks[.popular]?.cases == [0, 3])
    #expect(ranks[.popular]?.ranks == [2, 3])
    #expect(ranks[.popular]?.candidateCounts == [3, 3])
  }

  /// Protocol, group, metric, and the value computed by hand.
  static let expectations: [(String, String, String, Double)] = [
    ("full", "overall", "users", 4),
    ("full", "overall", "hr@5", 3.0 / 4),
    ("full", "overall", "hr@10", 1),
    ("full", "overall", "precision@5", 3.0 / 20),
    ("full", "overall", "ndcg@5", 1.0 / 2),
    ("full", "overall", "ndcg@10", 7.0 / 12),
    ("full", "overall", "map@5", 5.0 / 12),
    ("full", "overall", "mrr", 19.0 / 42),
    ("full", "overall", "auc", 17.0 / 30),
    ("full", "head", "users", 2),
    ("full", "head", "ndcg@10", 5.0 / 12),
    ("full", "tail", "users", 2),
    ("full", "tail", "ndcg@10", 3.0 / 4),
    ("full", "head-threshold", "users", 2),
    ("full", "tail-threshold", "users", 2),
    ("full", "popularity-1-9", "users", 1),
    ("full", "popularity-1-9", "mrr", 1.0 / 3),
    ("full", "popularity-10-29", "users", 0),
    ("full", "popularity-60-99", "mrr", 1.0 / 7),
    ("full", "popularity-100+", "mrr", 1.0 / 3),
    ("full", "cold", "users", 1),
    ("full", "cold", "hr@5", 1),
    ("full", "length-1-4", "users", 3),
    ("full", "length-1-4", "ndcg@10", 4.0 / 9),
    ("full", "length-10-19", "users", 1),
    ("full", "head-length-1-4", "users", 2),
    ("full", "tail-length-10-19", "mrr", 1),
    // The targets of ann and "cy" are coffee, those of bob and d,e are tea.
    // No training events of the four users hold one of their last steps.
    ("full", "transition-seen", "users", 0),
    ("full", "transition-unseen", "ndcg@10", 7.0 / 12),
    ("full", "length-0", "users", 0),
    // The ranks among everything are 5, 4, 1 and 8.
    ("full-with-history", "overall", "mrr", (1.0 / 5 + 1.0 / 4 + 1 + 1.0 / 8) / 4),
    ("full-with-history", "overall", "hr@5", 3.0 / 4),
    ("full-with-history", "tail", "mrr", (1.0 / 5 + 1) / 2),
    ("full", "category-coffee", "users", 2),
    ("full", "category-coffee", "ndcg@10", 3.0 / 4),
    ("full", "category-tea", "ndcg@10", 5.0 / 12),
    // The targets' times are seconds 1 (bob), 2 (ann and d,e) and 10 ("cy") of a day in 2020.
    ("full", "period-1", "users", 1),
    ("full", "period-2", "users", 2),
    ("full", "period-2", "mrr", 5.0 / 21),
    ("full", "period-3", "mrr", 1),
    ("negatives-popular", "overall", "users", 2),
    ("negatives-popular", "overall", "mrr", 5.0 / 12),
    ("negatives-popular", "overall", "auc", 1.0 / 4),
    ("negatives-popular", "cold", "users", 0),
    ("negatives", "overall", "users", 3),
    ("negatives", "overall", "mrr", 2.0 / 3),
    ("negatives", "overall", "auc", 13.0 / 18),
  ]

  @Test func `every metric and group of the report has its hand-computed value`() throws {
    let protocols = try report()["protocols"]
    for (kind, group, metric, expected) in Self.expectations {
      let value = protocols?[kind]?[group]?[metric]?.numberValue ?? .nan
      #expect(abs(value - expected) < 1e-15, "\(kind) \(group) \(metric): \(value)")
    }
    #expect(protocols?["full"]?["popularity-10-29"]?["ndcg@10"] == .null)
  }

  @Test func `categories are told apart at the first level where targets differ`() {
    var catalogue = FourUsers.catalogue
    catalogue.categories = (0..<8).map { $0 == 6 ? ["shop"] : ["shop", $0 < 4 ? "tea" : "coffee"] }
    let groups = CaseGroup.categories(FourUsers.cases, catalogue)
    #expect(groups.map(\.key) == ["category-tea", "category-coffee", "category-shop"])
    #expect((0..<4).map(groups[0].contains) == [false, true, false, true])
    catalogue.categories = (0..<8).map { _ in [] }
    #expect(CaseGroup.categories(FourUsers.cases, catalogue).isEmpty)
  }

  @Test func `periods are cut where a day begins, and equal times stay together`() {
    func periods(_ times: [Int64]) -> [(title: String, members: [Int])] {
      let groups = CaseGroup.periods(EvaluationCases(FourUsers.timed(times), split: .test))
      return groups.map { group in
        (group.title, times.indices.filter { group.contains($0) })
      }
    }
    let day: Int64 = 86_400
    let year = 365 * day
    let eight = periods(
      [0, 1, day, day + 5, 2 * day, 3 * day, 4 * day, 5 * day - 1].map { $0 + year })
    #expect(
      eight.map(\.title) == ["1971-01-01", "1971-01-02", "1971-01-03 to 1971-01-04", "1971-01-05"])
    #expect(eight.map(\.members) == [[0, 1], [2, 3], [4, 5], [6, 7]])
    let hours = periods([-3600, 0, 3600, 7200].map { $0 - 600 })
    #expect(
      hours.map(\.title) == [
        "1969-12-31 22 h", "1969-12-31 23 h", "1970-01-01 00 h", "1970-01-01 01 h",
      ])
    #expect(periods([7, 7, 7, 7].map { $0 + year }).isEmpty)
    #expect(periods([0, day, 2 * day, year - 1]).isEmpty)
    #expect(periods([]).isEmpty)
    // Most of the targets on the first day: what is left is one period more.
    let skewed = periods([0, 0, 0, 0, 0, 0, day, 2 * day, 3 * day].map { $0 + year })
    #expect(skewed.map(\.members.count) == [6, 3])
  }

  @Test func `targets with the time of the history are reported apart where they are many`() {
    func groups(_ ties: [[UInt8]]?) -> [CaseGroup] {
      var sequences = FourUsers.sequences
      sequences.heldOutTies = ties.map { RaggedArray($0) }
      let cases = EvaluationCases(sequences, split: .test)
      return CaseGroup.all(cases, in: sequences, catalogue: FourUsers.catalogue)
        .filter { $0.section == .ties }
    }
    // Each user has a valid and a test target; only the second one counts here.
    let found = groups([[1, 0], [0, 1], [0, 0], [1, 1]])
    #expect(found.map(\.key) == ["tied", "later"])
    #expect((0..<4).map(found[0].contains) == [false, true, false, true])
    #expect((0..<4).map(found[1].contains) == [true, false, true, false])
    #expect(groups([[1, 0], [1, 0], [1, 0], [1, 0]]).isEmpty)
    #expect(groups(nil).isEmpty)
  }

  @Test func `a log without times has no periods`() {
    let groups = CaseGroup.all(
      FourUsers.cases, in: FourUsers.sequences, catalogue: FourUsers.catalogue, hasTimes: false)
    #expect(!groups.contains { $0.section == .period })
  }

  @Test func `the gate's weights are averaged over the users of a group`() throws {
    let gates = try FourUsers.result(FourUsers.model).gates.json
    // Histories of 2, 1, 10 and 2 events.
    func first(_ group: String) -> Double {
      gates?[group]?.arrayValue?.first?.numberValue ?? .nan
    }
    #expect(abs(first("overall") - (0.5 + 1 + 0.1 + 0.5) / 4) < 1e-7)
    #expect(abs(first("head") - 0.75) < 1e-7 && abs(first("tail") - 0.3) < 1e-7)
    #expect(gates?["popularity-10-29"] == nil)
    let plain = TableModel(rows: FourUsers.model.rows, itemCount: 8)
    #expect(try FourUsers.result(plain).gates.json == nil)
  }

  @Test func `tables show every group of all protocols`() throws {
    let tables = try ReportTables(report(), path: "report.json")
    #expect(tables.plain.hasPrefix("test split, 4 users, 8 items\n\nfull ranking: all 8 items"))
    #expect(tables.plain.contains("stored negatives: the target and 1 to 3 items"))
    #expect(
      tables.plain.contains(
        """
        group              users    hr@5   hr@10  ndcg@5  ndcg@10     mrr
        overall                4  0.7500  1.0000  0.5000   0.5833  0.4524
        head                   2  0.5000  1.0000  0.2500   0.4167  0.2381
        """))
    #expect(tables.plain.contains("popularity 10-29       0       -"))
    #expect(
      try tables.markdown(of: report()).contains(
        "| overall | 4 | 0.7500 | 1.0000 | 0.5000 | 0.5833 | 0.4524 |"))
  }

  @Test func `something that is no report is refused`() {
    #expect(
      throws: PipelineError(
        .dataFormat, "this is no report of format 1", at: .init(path: "x.json"),
        note: "evaluate again with this version of the program")
    ) {
      try ReportTables(["format": 2], path: "x.json")
    }
  }

  @Test func `a model that diverged is refused`() {
    let model = TableModel(
      rows: [FourUsers.histories[0]: [.nan, 0, 0, 0, 0, 0, 0, 0]], itemCount: 8)
    #expect(throws: PipelineError.modelNotFinite("user")) { try FourUsers.ranks(model) }
  }

  @Test func `an item of the history is a candidate as a target only where repeats are allowed`()
    throws
  {
    // The target of the last user, item 1, is in the history and has the best score of all.
    var model = FourUsers.model
    let row: [UInt32] = [2, 1]
    model = TableModel(
      rows: model.rows.merging([row: [1, 10, 9, 1, 1, 1, 1, 1]]) { $1 }, itemCount: 8,
      hasGate: true)
    let without = try FourUsers.result(model).ranks
    #expect(without[.full]?.ranks[3] == 7 && without[.full]?.candidateCounts[3] == 7)
    #expect(without[.fullWithHistory]?.ranks[3] == 1)
    let with = try FourUsers.result(model, allowsRepeats: true).ranks
    #expect(with[.full]?.ranks[3] == 1 && with[.full]?.candidateCounts[3] == 8)
    #expect(with[.full] == with[.fullWithHistory])
    let ranker = BaselineRanker(FourUsers.data, hasTimes: true, threads: 1)
    #expect(ranker.ranks(.popularity, FourUsers.cases, allowsRepeats: false)[3] == 7)
    #expect(ranker.ranks(.popularity, FourUsers.cases, allowsRepeats: true)[3] == 2)
  }

  @Test func `example lists hold items of the history where repeats are allowed, and else none`()
    throws
  {
    let ranks = try #require(FourUsers.ranks(FourUsers.model)[.full])
    for allowsRepeats in [false, true] {
      let examples = ExampleUsers(
        data: FourUsers.data, codes: nil, threads: 1, allowsRepeats: allowsRepeats
      ).json(
        FourUsers.cases, ranks, Ranker(.vectors(FourUsers.model), itemCount: 8, threads: 1),
        attention: nil)
      func items(_ key: String) -> [Set<String>] {
        (examples.arrayValue ?? []).map { example in
          Set((example[key]?.arrayValue ?? []).compactMap { $0["item_id"]?.stringValue })
        }
      }
      let shared = zip(items("history"), items("list")).map { $0.intersection($1) }
      #expect(!shared.isEmpty && shared.allSatisfy { $0.isEmpty != allowsRepeats })
    }
  }

  @Test func `repeats are allowed as the log was filtered, unless said otherwise`() throws {
    var kept = FourUsers.sequences
    kept.keepsRepeats = true
    for (words, expected) in [
      ([], [false, true]), (["--allow-repeats"], [true, true]),
      (["--no-allow-repeats"], [false, false]),
    ] {
      let options = try MetricOptions.parse(words)
      #expect(
        [FourUsers.sequences, kept].map { options.allowsRepeats(in: $0) } == expected, "\(words)")
    }
  }

  @Test func `lists leave the history out and are added up`() throws {
    // Lists of two: 2 4, 1 2, 6 4, 0 3.
    let lists = try FourUsers.result(FourUsers.model).lists
    let values = Dictionary(uniqueKeysWithValues: lists.values.map { ($0.key, $0.value) })
    #expect(values["coverage@2"] == .some(6.0 / 8))
    #expect(values["tail@2"] == .some(6.0 / 8))
    #expect(values["diversity@2"] == .some(nil))
  }

  @Test func `a cut above the catalogue is left out, with a warning where it was asked for`() throws
  {
    #expect(try MetricOptions.parse([]).cutoffs(itemCount: 100) == [5, 10, 20])
    #expect(try MetricOptions.parse([]).cutoffs(itemCount: 12) == [5, 10])
    #expect(try MetricOptions.parse([]).cutoffs(itemCount: 3) == [3])
    #expect(try MetricOptions.parse([]).warning(itemCount: 3) == nil)
    let options = try MetricOptions.parse(["--cutoffs", "9,2"])
    #expect(options.cutoffs(itemCount: 8) == [2] && options.cutoffs(itemCount: 1) == [1])
    #expect(
      options.warning(itemCount: 8)
        == "'--cutoffs' has 9, but there are 8 items; taken as '--cutoffs 2'")
    #expect(options.warning(itemCount: 9) == nil)
  }

  @Test func `cutoffs are sorted, each once, and between 1 and 10,000`() {
    #expect(Cutoffs(argument: "20,5,5")?.values == [5, 20])
    for text in ["", "0", "5,", "ten", "10001", "-1"] { #expect(Cutoffs(argument: text) == nil) }
  }
}
