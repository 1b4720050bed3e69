import Dataset
import Kernels
import Ranking
import ShardIO

/// How candidates are chosen.
enum RankingProtocol: String, CaseIterable, Sendable {
  /// The whole catalogue without the user's history.
  case full
  /// The target and the stored negatives.
  case negatives
}

/// The rank of every case under one protocol.
struct CaseRanks: Sendable, Equatable {
  /// The cases that were ranked, ascending; all of them under the full protocol.
  var cases: [Int] = []
  /// The 1-based mid-rank of each target.
  var ranks: [Double] = []
  /// The number of candidates each target was ranked among, itself included.
  var candidateCounts: [Int] = []
}

/// Ranks all cases under both protocols, a block of users at a time, so that user vectors never exist all at once.
struct CaseRanker {
  /// Users whose vectors exist at the same time.
  static let blockSize = 8192

  let sequences: UserSequences
  let negatives: EvaluationNegatives
  let threads: Int
  /// Whether items of the history are candidates too.
  var allowsRepeats = false

  /// Ranks the cases, and adds up what their lists look like.
  ///
  /// - Parameters:
  ///   - cases: who is evaluated.
  ///   - model: gives the user vectors.
  ///   - items: the item vectors, `[I, w]`.
  ///   - lists: gets the list of every case, as long as its longest cut.
  ///   - progress: called with the number of users done since the last call.
  /// - Returns: the ranks by protocol.
  /// - Throws: `PipelineError` `.dataFormat` if the model gives scores that are not numbers.
  func ranks(
    _ cases: EvaluationCases, model: some ScoringModel, items: Matrix,
    lists: inout ListMetrics, progress: (Int) -> Void
  ) throws(PipelineError) -> [RankingProtocol: CaseRanks] {
    var full = CaseRanks()
    var sampled = CaseRanks()
    let rows = Dictionary(uniqueKeysWithValues: zip(negatives.users, 0..<negatives.users.count))
    for first in stride(from: 0, to: cases.count, by: Self.blockSize) {
      let block = first..<min(cases.count, first + Self.blockSize)
      let histories = cases.histories(block, in: sequences)
      let users = model.userVectors(histories, threads: threads)
      guard users.values.allSatisfy(\.isFinite) else { throw .modelNotFinite("user") }
      let excluded =
        allowsRepeats
        ? RaggedArray(offsets: [Int](repeating: 0, count: block.count + 1), values: []) : histories
      full.append(
        cases: Array(block),
        ranks: midRanks(
          users: users, items: items, targets: Array(cases.targets[block]), excluded: excluded,
          threads: threads),
        candidateCounts: block.map { index in
          items.rows - Set(excluded[index - first]).subtracting([cases.targets[index]]).count
        })
      let chosen = block.compactMap { index in
        rows[UInt32(cases.users[index])].map { (index: index, row: $0) }
      }
      rank(chosen, cases, users: users, first: first, items: items, into: &sampled)
      let top = topK(
        users: users, items: items, count: lists.longestCutoff, excluded: excluded,
        threads: threads)
      for index in 0..<histories.count {
        lists.add(list: top.items[index], history: histories[index])
      }
      progress(block.count)
    }
    return [.full: full, .negatives: sampled]
  }

  /// Ranks the cases of a block that have stored negatives.
  private func rank(
    _ chosen: [(index: Int, row: Int)], _ cases: EvaluationCases, users: Matrix, first: Int,
    items: Matrix, into sampled: inout CaseRanks
  ) {
    var candidates = RaggedArray<UInt32>()
    var vectors: [Float] = []
    vectors.reserveCapacity(chosen.count * users.columns)
    for (index, row) in chosen {
      candidates.append(contentsOf: negatives.negatives[row])
      vectors.append(contentsOf: users[row: index - first])
    }
    sampled.append(
      cases: chosen.map(\.index),
      ranks: midRanks(
        users: Matrix(rows: chosen.count, columns: users.columns, values: vectors), items: items,
        targets: chosen.map { cases.targets[$0.index] }, candidates: candidates, threads: threads),
      candidateCounts: chosen.indices.map { 1 + candidates[$0].count })
  }
}

extension CaseRanks {
  fileprivate mutating func append(cases: [Int], ranks: [Double], candidateCounts: [Int]) {
    self.cases += cases
    self.ranks += ranks
    self.candidateCounts += candidateCounts
  }
}
