import Dataset
import Metrics
import Numerics
import Retrieval
import ShardIO

/// Ranks all cases under every protocol, a block of users at a time, so that user vectors, lists and stored negatives never
/// exist all at once; what stays of a user is a rank and a number of candidates for each protocol.
struct CaseRanker {
  /// Users whose vectors exist at the same time.
  static let blockSize = 8192

  let sequences: UserSequences
  /// The stored negatives of each protocol that has some.
  let negatives: [RankingProtocol: NegativeWalk]
  let threads: Int
  /// Ranks for users without a history, who get popular items.
  let popularity: PopularityOrder
  /// Whether items of the history are candidates too.
  var allowsRepeats = false

  /// What is found out on the way.
  struct Result {
    /// The ranks by protocol.
    var ranks: [RankingProtocol: CaseRanks] = [.full: CaseRanks(), .fullWithHistory: CaseRanks()]
    /// What the lists look like.
    var lists: ListMetrics
    /// What the gate does, where the model has one.
    var gates: GateMeans
  }

  /// Ranks the cases, and adds up what their lists look like and what the gate does.
  ///
  /// - Parameters:
  ///   - cases: who is evaluated.
  ///   - model: gives the user vectors.
  ///   - items: the item vectors, `[I, w]`.
  ///   - result: what everything is added to; lists are as long as its longest cut.
  ///   - progress: called with the number of users done since the last call.
  /// - Throws: `PipelineError` `.dataFormat` if the model gives scores that are not numbers, or negatives are damaged.
  func rank(
    _ cases: EvaluationCases, model: some ScoringModel, items: Matrix, into result: inout Result,
    progress: (Int) -> Void
  ) throws(PipelineError) {
    var walks = negatives
    for first in stride(from: 0, to: cases.count, by: Self.blockSize) {
      let block = first..<min(cases.count, first + Self.blockSize)
      let histories = cases.histories(block, in: sequences)
      let reading = model.read(histories, threads: threads)
      let users = reading.vectors
      guard users.values.allSatisfy(\.isFinite) else { throw .modelNotFinite("user") }
      if let weights = reading.gates { result.gates.add(weights, cases: block) }
      rankAmongAll(block, cases, histories, users, items, into: &result)
      for kind in RankingProtocol.allCases {
        guard let found = try walks[kind]?.candidates(of: block, cases) else { continue }
        let ranks = self.ranks(found, cases, users, first, items)
        result.ranks[kind, default: CaseRanks()].append(
          cases: found.cases, ranks: ranks,
          candidateCounts: found.cases.indices.map { 1 + found.candidates[$0].count })
      }
      progress(block.count)
    }
  }

  /// Ranks a block of cases among the whole catalogue, and makes their lists.
  private func rankAmongAll(
    _ block: Range<Int>, _ cases: EvaluationCases, _ histories: RaggedArray<UInt32>,
    _ users: Matrix, _ items: Matrix, into result: inout Result
  ) {
    let targets = Array(cases.targets[block])
    let excluded =
      allowsRepeats
      ? RaggedArray(offsets: [Int](repeating: 0, count: block.count + 1), values: []) : histories
    var ranks = midRanks(
      users: users, items: items, targets: targets, excluded: excluded, threads: threads)
    let board = ScoreBoard(itemCount: items.rows)
    for row in ranks.indices where histories[row].isEmpty {
      ranks[row] = popularity.midRank(of: targets[row], board, excluded: [])
    }
    // The competitors that a row leaves out, each once.
    let left = targets.indices.map { Set(excluded[$0]).subtracting([targets[$0]]) }
    result.ranks[.full]?.append(
      cases: block, ranks: ranks, candidateCounts: left.map { items.rows - $0.count })
    // What the history adds to a rank is the target's rank among it.
    let among = midRanks(
      users: users, items: items, targets: targets,
      candidates: RaggedArray(left.map { $0.sorted() }), threads: threads)
    result.ranks[.fullWithHistory]?.append(
      cases: block, ranks: zip(ranks, among).map { min($0 + $1 - 1, Double(items.rows)) },
      candidateCounts: block.map { _ in items.rows })
    let top = topK(
      users: users, items: items, count: result.lists.longestCutoff, excluded: excluded,
      threads: threads)
    let popular = popularity.list(result.lists.longestCutoff, without: [])
    for row in 0..<histories.count {
      let isFallback = histories[row].isEmpty
      result.lists.add(list: isFallback ? popular[...] : top.items[row], history: histories[row])
    }
  }

  /// The ranks of the cases of a block that have stored negatives.
  private func ranks(
    _ found: (cases: [Int], candidates: RaggedArray<UInt32>), _ cases: EvaluationCases,
    _ users: Matrix, _ first: Int, _ items: Matrix
  ) -> [Double] {
    var vectors: [Float] = []
    vectors.reserveCapacity(found.cases.count * users.columns)
    for position in found.cases { vectors.append(contentsOf: users[row: position - first]) }
    var ranks = midRanks(
      users: Matrix(rows: found.cases.count, columns: users.columns, values: vectors),
      items: items, targets: found.cases.map { cases.targets[$0] }, candidates: found.candidates,
      threads: threads)
    for (row, position) in found.cases.enumerated() where cases.historyLengths[position] == 0 {
      ranks[row] = popularity.midRank(
        of: cases.targets[position], among: found.candidates[row])
    }
    return ranks
  }
}

extension NegativeWalk {
  /// The cases of a block that have stored negatives, and these.
  fileprivate mutating func candidates(
    of block: Range<Int>, _ cases: EvaluationCases
  ) throws(PipelineError) -> (cases: [Int], candidates: RaggedArray<UInt32>) {
    var found: [Int] = []
    var candidates = RaggedArray<UInt32>()
    for position in block {
      guard let row = try negatives(of: cases.users[position]) else { continue }
      found.append(position)
      candidates.append(contentsOf: row)
    }
    return (found, candidates)
  }
}
