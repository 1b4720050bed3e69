import Dataset
import Metrics
import Numerics
import Retrieval
import ShardIO

@testable import Evaluate

/// Four users and eight items, small enough to rank by hand.
///
/// | user | history | target | scores of the items 0 to 7 | full rank | among negatives | among popular ones |
/// |---|---|---|---|---|---|---|
/// | ann | 0 1 | 4 | 9 8 6 2 5 5 5 0 | 1 + 1 + 2/2 = 3 of 6 | 2, 3, 7: rank 2 of 4 | 2, 7: rank 2 of 3 |
/// | bob | 4 | 0 | 3 7 5 1 9 2 0 0 | 3 of 7 | 1, 3: rank 2 of 3 | none stored |
/// | "cy" | 5 5 0 1 2 3 7 5 5 5 | 6 | 0 0 0 0 1 0 2 0 | 1 of 2 | 4: rank 1 of 2 | none stored |
/// | d,e | 2 1 | 1 | 1 0 9 1 1 1 1 1 | 7 of 7 | none stored | 0, 3: rank 3 of 3 |
enum FourUsers {
  static let histories: [[UInt32]] = [[0, 1], [4], [5, 5, 0, 1, 2, 3, 7, 5, 5, 5], [2, 1]]
  static let targets: [UInt32] = [4, 0, 6, 1]
  static let scores: [[Float]] = [
    [9, 8, 6, 2, 5, 5, 5, 0], [3, 7, 5, 1, 9, 2, 0, 0], [0, 0, 0, 0, 1, 0, 2, 0],
    [1, 0, 9, 1, 1, 1, 1, 1],
  ]

  static let sequences: UserSequences = {
    let rows = zip(histories, targets).map { $0 + [$1] }
    return UserSequences(
      userIDs: ["ann", "bob", "\"cy\"", "d,e"], items: RaggedArray(rows),
      times: RaggedArray(rows.map { $0.indices.map { 1_600_000_000 + Int64($0) } }),
      trainEnds: rows.map { UInt32($0.count - 2) }, validEnds: rows.map { UInt32($0.count - 1) })
  }()

  /// Users whose test targets have these times; each has one event in each part.
  static func timed(_ times: [Int64]) -> UserSequences {
    UserSequences(
      userIDs: times.indices.map { "u\($0)" }, items: RaggedArray(times.map { _ in [0, 1, 2] }),
      times: RaggedArray(times.map { [$0 - 2, $0 - 1, $0] }),
      trainEnds: times.map { _ in 1 }, validEnds: times.map { _ in 2 })
  }

  static let catalogue: Catalogue = {
    let counts: [UInt32] = [120, 70, 40, 12, 3, 1, 0, 2]
    return Catalogue(
      itemIDs: ["i0", "i1", "i2", "i3", "i,4", "i\"5", "i6", "i7"],
      titles: (0..<8).map { "Item \($0)" },
      categories: (0..<8).map { [$0 < 4 ? "tea" : "coffee"] }, texts: (0..<8).map { "text \($0)" },
      trainCounts: counts, isHead: (0..<8).map { $0 < 2 }, isTail: counts.map { $0 < 10 },
      buckets: counts.map { PopularityBucket(trainCount: Int($0)) })
  }()

  static let data = PreprocessedData(sequences: sequences, catalogue: catalogue)
  static let negatives = EvaluationNegatives(
    users: [0, 1, 2], negatives: RaggedArray([[2, 3, 7], [1, 3], [4]]))
  static let popularNegatives = EvaluationNegatives(
    users: [0, 3], negatives: RaggedArray([[2, 7], [0, 3]]))
  static let cases = EvaluationCases(sequences, split: .test)
  static let groups = CaseGroup.all(cases, in: sequences, catalogue: catalogue)

  /// The ranks under all protocols.
  static func ranks(_ model: TableModel) throws -> [RankingProtocol: CaseRanks] {
    try result(model).ranks
  }

  /// The ranks under all protocols, with what lists of two and the gate look like.
  static func result(
    _ model: TableModel, allowsRepeats: Bool = false
  ) throws -> CaseRanker.Result {
    var result = CaseRanker.Result(
      lists: ListMetrics(items: ListMetrics.Items(data), cutoffs: [2]),
      gates: GateMeans(groups: groups))
    let ranker = CaseRanker(
      sequences: sequences,
      negatives: [
        .negatives: NegativeWalk(negatives), .popular: NegativeWalk(popularNegatives),
      ], threads: 2, popularity: PopularityOrder(catalogue), allowsRepeats: allowsRepeats)
    try ranker.rank(
      cases, with: Ranker(.vectors(model), itemCount: 8, threads: 2), into: &result
    ) { _ in }
    return result
  }

  static let model = TableModel(
    rows: Dictionary(uniqueKeysWithValues: zip(histories, scores)), itemCount: 8, hasGate: true)
}

/// A model that looks its scores up by history; the item vectors are the unit vectors.
///
/// With `hasGate` its gate gives 1 / length of the history to the first of two levels, and its one branch `hash` reads the
/// last three events with weights that rise as 1 : 2 : 3.
struct TableModel: VectorScoring {
  let rows: [[UInt32]: [Float]]
  let itemCount: Int
  var hasGate = false

  func itemVectors(threads: Int) -> Matrix {
    var vectors = Matrix(rows: itemCount, columns: itemCount)
    for item in 0..<itemCount { vectors.values[item * (itemCount + 1)] = 1 }
    return vectors
  }

  func read(_ histories: RaggedArray<UInt32>, threads: Int) -> UserReading {
    let unknown = [Float](repeating: 0, count: itemCount)
    var reading = UserReading(
      states: Matrix(
        rows: histories.count, columns: itemCount,
        values: (0..<histories.count).flatMap { rows[Array(histories[$0])] ?? unknown }))
    guard hasGate else { return reading }
    reading.diagnostics[UserReading.gateWeights] = Matrix(
      rows: histories.count, columns: 2,
      values: (0..<histories.count).flatMap { user in
        let weight = 1 / Float(histories[user].count)
        return [weight, 1 - weight]
      })
    return reading
  }

  @Sendable func attention(over history: ArraySlice<UInt32>) -> [(branch: String, weights: [Float])]
  {
    let count = min(3, history.count)
    let sum = Float(count * (count + 1) / 2)
    return hasGate ? [("hash", (1...count).map { Float($0) / sum })] : []
  }
}
