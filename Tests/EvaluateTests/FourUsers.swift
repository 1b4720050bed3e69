import Dataset
import Kernels
import Ranking
import ShardIO

@testable import Evaluate

/// Four users and eight items, small enough to rank by hand.
///
/// | user | history | target | scores of the items 0 to 7 | full rank | among negatives |
/// |---|---|---|---|---|---|
/// | ann | 0 1 | 4 | 9 8 6 2 5 5 5 0 | 1 + 1 + 2/2 = 3 of 6 | 2, 3, 7: rank 2 of 4 |
/// | bob | 4 | 0 | 3 7 5 1 9 2 0 0 | 3 of 7 | 1, 3: rank 2 of 3 |
/// | "cy" | 5 5 0 1 2 3 7 5 5 5 | 6 | 0 0 0 0 1 0 2 0 | 1 of 2 | 4: rank 1 of 2 |
/// | d,e | 2 1 | 1 | 1 0 9 1 1 1 1 1 | 7 of 7 | none stored |
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
      times: RaggedArray(rows.map { $0.indices.map { Int64($0) } }),
      trainEnds: rows.map { UInt32($0.count - 2) }, validEnds: rows.map { UInt32($0.count - 1) })
  }()

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
  static let cases = EvaluationCases(sequences, split: .test)
  static let groups = CaseGroup.all(cases, catalogue: catalogue)

  /// The ranks under both protocols.
  static func ranks(_ model: TableModel) throws -> [RankingProtocol: CaseRanks] {
    var lists = ListMetrics(items: ListMetrics.Items(data), cutoffs: [2])
    return try ranks(model, &lists)
  }

  /// The ranks under both protocols, with what the lists look like.
  static func ranks(
    _ model: TableModel, _ lists: inout ListMetrics
  ) throws -> [RankingProtocol: CaseRanks] {
    try CaseRanker(sequences: sequences, negatives: negatives, threads: 2).ranks(
      cases, model: model, items: model.itemVectors(threads: 1), lists: &lists
    ) { _ in }
  }

  static let model = TableModel(
    rows: Dictionary(uniqueKeysWithValues: zip(histories, scores)), itemCount: 8)
}

/// A model that looks its scores up by history; the item vectors are the unit vectors.
struct TableModel: ScoringModel {
  let rows: [[UInt32]: [Float]]
  let itemCount: Int

  func itemVectors(threads: Int) -> Matrix {
    var vectors = Matrix(rows: itemCount, columns: itemCount)
    for item in 0..<itemCount { vectors.values[item * (itemCount + 1)] = 1 }
    return vectors
  }

  func userVectors(_ histories: RaggedArray<UInt32>, threads: Int) -> Matrix {
    let unknown = [Float](repeating: 0, count: itemCount)
    return Matrix(
      rows: histories.count, columns: itemCount,
      values: (0..<histories.count).flatMap { rows[Array(histories[$0])] ?? unknown })
  }
}
