import Dataset
import Metrics
import Numerics
import Retrieval
import ShardIO
import Testing

@testable import Evaluate

/// Three users and five items; everything but the last event of a user is training.
///
/// | user | training | target |
/// |---|---|---|
/// | a | 0 1 2 | 3 |
/// | b | 0 1 | 2 |
/// | c | 1 2 | 0 |
struct `Baselines` {
  private static let data: PreprocessedData = {
    let rows: [[UInt32]] = [[0, 1, 2, 3], [0, 1, 2], [1, 2, 0]]
    let ends = rows.map { UInt32($0.count - 1) }
    let sequences = UserSequences(
      userIDs: ["a", "b", "c"], items: RaggedArray(rows),
      times: RaggedArray(rows.map { $0.indices.map { Int64($0) } }), trainEnds: ends,
      validEnds: ends)
    let counts: [UInt32] = [2, 3, 2, 0, 0]
    return PreprocessedData(
      sequences: sequences,
      catalogue: Catalogue(
        itemIDs: counts.indices.map { "i\($0)" }, titles: counts.map { _ in "" },
        categories: counts.map { _ in [] }, texts: counts.map { _ in "" }, trainCounts: counts,
        isHead: counts.map { $0 > 2 }, isTail: counts.map { $0 < 1 },
        buckets: counts.map { PopularityBucket(trainCount: Int($0)) }))
  }()
  private static let cases = EvaluationCases(data.sequences, split: .test)

  @Test(arguments: [
    (Baseline.popularity, false, [1.5, 1, 1]),
    // Of a: items 0, 1 and 2 are above the target and 4 beside it. Of b and c: item 1 above, 0 or 2 beside.
    (.popularity, true, [4.5, 2.5, 2.5]),
    // Events at times 0, 1, 2 of a, 0, 1 of b and 0, 1 of c: the last of 7 is a's item 2 at time 2, then comes item 1 by its 3.
    (.recentPopularity, false, [1.5, 1, 1]),
    (.recentPopularity, true, [4.5, 1, 3]),
    (.lastItem, false, [1.5, 1, 1]),
    // Only 1 → 2 is a step that training holds, so b's target comes first and the others stay.
    (.lastItem, true, [4.5, 1, 2.5]),
    (.itemKNN, false, [1.5, 1, 1]),
    // b's target: 2/√6 from 1 and 1/2 from 0, above 2/√6 of the items of the history; c's target likewise.
    (.itemKNN, true, [4.5, 1, 1]),
    (.ease, false, [1.5, 1, 1]),
  ])
  func `rank by hand-made counts`(_ baseline: Baseline, _ allowsRepeats: Bool, _ ranks: [Double]) {
    for threads in [1, 2] {
      let ranker = BaselineRanker(Self.data, hasTimes: true, threads: threads)
      #expect(ranker.ranks(baseline, Self.cases, allowsRepeats: allowsRepeats) == ranks)
    }
  }

  @Test func `without times there is no recent past`() {
    let ranker = BaselineRanker(Self.data, hasTimes: false, threads: 1)
    #expect(ranker.baselines == [.popularity, .lastItem, .itemKNN, .ease])
  }

  @Test func `a negative score is below none, and none below a positive one`() {
    let order = PopularityOrder(Self.data.catalogue)
    var board = ScoreBoard(itemCount: 5)
    for (item, score) in [(UInt32(0), -1.0), (1, 2), (2, -0.5)] { board.add(score, to: item) }
    // 1 | 3 and 4 without a score | 2 | 0
    let ranks = (0..<5).map { order.midRank(of: $0, board, excluded: []) }
    #expect(ranks == [5, 1, 4, 2.5, 2.5])
    #expect(order.midRank(of: 0, board, excluded: [1, 3]) == 3)
    #expect(order.midRank(of: 2, board, excluded: [2, 3]) == 3)
    #expect(order.midRank(of: 4, board, excluded: [0, 3]) == 2)
    board.add(1, to: 0)
    // A sum of 0 competes by popularity, as no score does: items 0 and 3 and 4 have 2, 0 and 0 events.
    #expect((0..<5).map { order.midRank(of: $0, board, excluded: []) } == [2, 1, 5, 3.5, 3.5])
  }

  @Test func `neighbours are cosines of users, the most similar first and at most so many`() {
    let graph = ItemGraph(cosinesOf: Self.data.sequences, itemCount: 5, limit: 1, threads: 1)
    #expect(graph.neighbours[0].map(\.item) == [1] && graph.neighbours[1].map(\.item) == [0])
    let all = ItemGraph(cosinesOf: Self.data.sequences, itemCount: 5, threads: 2)
    #expect(all.neighbours[0].map(\.item) == [1, 2])
    #expect(abs(all.neighbours[0][0].weight - 2 / 6.0.squareRoot()) < 1e-15)
    #expect(all.neighbours[0][1].weight == 0.5 && all.neighbours[4].isEmpty)
  }

  @Test func `a step is seen when training of any user holds it`() {
    let groups = CaseGroup.transitions(Self.cases, Self.data.sequences)
    #expect(groups.map(\.key) == ["transition-seen", "transition-unseen"])
    #expect((0..<3).map(groups[0].contains) == [false, true, false])
    #expect((0..<3).map(groups[1].contains) == [true, false, true])
  }

  @Test func `a user without a history is ranked by what such users get: popular items`() throws {
    let rows: [[UInt32]] = [[2]]
    let sequences = UserSequences(
      userIDs: ["new"], items: RaggedArray(rows), times: RaggedArray([[1]]), trainEnds: [0],
      validEnds: [0])
    let cases = EvaluationCases(sequences, split: .test)
    let groups = CaseGroup.all(cases, in: sequences, catalogue: FourUsers.catalogue)
    var result = CaseRanker.Result(
      lists: ListMetrics(items: ListMetrics.Items(FourUsers.data), cutoffs: [2]),
      gates: GateMeans(groups: groups))
    let ranker = CaseRanker(
      sequences: sequences,
      negatives: [
        .negatives: NegativeWalk(
          EvaluationNegatives(users: [0], negatives: RaggedArray([[0, 5, 7]])))
      ], threads: 1, popularity: PopularityOrder(FourUsers.catalogue))
    let model = Ranker(.vectors(FourUsers.model), itemCount: 8, threads: 1)
    try ranker.rank(cases, with: model, into: &result) { _ in }
    // Items 0 and 1 have more training events than item 2; of the negatives only item 0 has.
    #expect(result.ranks[.full]?.ranks == [3] && result.ranks[.fullWithHistory]?.ranks == [3])
    #expect(result.ranks[.negatives]?.ranks == [2])
    let length = groups.filter { $0.section == .length }
    #expect(length.filter { $0.contains(0) }.map(\.key) == ["length-0"])
    // The list is 0 1: both head items.
    let tail = result.lists.values.first { $0.key == "tail@2" }?.value
    #expect(tail == .some(0))
  }

  @Test func `popular items are listed by events, equal ones in the order of the catalogue`() {
    let order = PopularityOrder(Self.data.catalogue)
    #expect(order.list(3, without: []) == [1, 0, 2])
    #expect(order.list(3, without: [1, 1, 0]) == [2, 3, 4])
  }
}
