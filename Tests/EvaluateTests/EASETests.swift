import Dataset
import Numerics
import ShardIO
import Testing

@testable import Evaluate

struct `EASE baseline` {
  /// Users with these items in training, and one event after it.
  private static func data(_ rows: [[UInt32]], target: [UInt32], itemCount: Int) -> PreprocessedData
  {
    let all = zip(rows, target).map { $0 + [$1] }
    let ends = rows.map { UInt32($0.count) }
    var counts = [UInt32](repeating: 0, count: itemCount)
    for item in rows.joined() { counts[Int(item)] += 1 }
    return PreprocessedData(
      sequences: UserSequences(
        userIDs: rows.indices.map { "u\($0)" }, items: RaggedArray(all),
        times: RaggedArray(all.map { $0.indices.map { Int64($0) } }), trainEnds: ends,
        validEnds: ends),
      catalogue: Catalogue(
        itemIDs: counts.indices.map { "i\($0)" }, titles: counts.map { _ in "" },
        categories: counts.map { _ in [] }, texts: counts.map { _ in "" }, trainCounts: counts,
        isHead: counts.map { $0 > 2 }, isTail: counts.map { $0 < 1 },
        buckets: counts.map { PopularityBucket(trainCount: Int($0)) }))
  }

  private static func scores(
    _ data: PreprocessedData, _ history: [UInt32], denseLimit: Int, threads: Int = 1
  ) -> [Double] {
    let count = data.catalogue.count
    let graph = ItemGraph(cosinesOf: data.sequences, itemCount: count, threads: threads)
    let ease = EASE(
      data.sequences, neighbours: graph, itemCount: count, denseLimit: denseLimit,
      threads: threads)
    var board = ScoreBoard(itemCount: count)
    ease.score(history, on: &board)
    return (0..<UInt32(count)).map { board[$0] }
  }

  /// Item 0 has 3 users, item 1 has 2, one has both: a ridge regression of one on the other is 1 / (events + 30).
  @Test(arguments: [0, 5000]) func `two items by hand`(_ denseLimit: Int) {
    let data = Self.data([[0, 1], [0], [0], [1], [2]], target: [2, 2, 2, 2, 0], itemCount: 4)
    let (first, second) = (
      Self.scores(data, [0], denseLimit: denseLimit), Self.scores(data, [1], denseLimit: denseLimit)
    )
    for (found, expected) in zip(first + second, [0, 1 / 33.0, 0, 0, 1 / 32.0, 0, 0, 0]) {
      #expect(abs(found - expected) < 1e-7)
    }
    #expect(Self.scores(data, [0, 1, 3], denseLimit: denseLimit)[2...] == [0, 0])
  }

  /// Every two items have common users, so all others are among the 100 neighbours of each.
  @Test(arguments: [40, 100]) func `the sparse form with all neighbours is the dense one`(
    _ count: Int
  ) {
    let random = CounterRandom(seed: 1, stream: 1)
    let rows = (0..<900).map { user in
      (0..<UInt32(count)).filter { item in
        random.integer(below: count, UInt64(user * count) + UInt64(item)) > Int(item) / 2 + count
          / 4
      }
    }
    let data = Self.data(rows, target: rows.map { _ in 0 }, itemCount: count)
    let dense = Self.scores(data, Array(0..<5), denseLimit: 5000)
    let sparse = Self.scores(data, Array(0..<5), denseLimit: 0)
    #expect(zip(dense, sparse).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(dense.contains { $0 > 0.05 })
    #expect(dense == Self.scores(data, Array(0..<5), denseLimit: 5000, threads: 2))
    #expect(sparse == Self.scores(data, Array(0..<5), denseLimit: 0, threads: 2))
  }

  /// Items 0 to 4 are bought together and say the same five times: half of their buyers take item 5.
  ///
  /// Of the buyers of item 6 7 of 10 take item 7. Who has them all is better served with 7; item-kNN adds up the five.
  @Test func `items that say the same count once, unlike with item-kNN`() {
    let set: [UInt32] = [0, 1, 2, 3, 4]
    let rows =
      (0..<400).map { $0 % 2 == 0 ? set + [5] : set }
      + (0..<400).map { $0 % 10 < 7 ? [6, 7] : [6] }
      + (0..<20).map { _ in set + [6] }
    let data = Self.data(rows, target: rows.map { _ in 7 }, itemCount: 8)
    let all = EvaluationCases(data.sequences, split: .test)
    let ranker = BaselineRanker(data, hasTimes: true, threads: 2)
    #expect(
      ranker.ranks(.itemKNN, all, allowsRepeats: false).suffix(20)
        == Array(repeating: 2, count: 20)[...])
    #expect(
      ranker.ranks(.ease, all, allowsRepeats: false).suffix(20)
        == Array(repeating: 1, count: 20)[...])
  }
}
