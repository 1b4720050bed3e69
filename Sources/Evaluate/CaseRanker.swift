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
  /// Whether items of the history are candidates too.
  var allowsRepeats = false

  /// What is found out on the way.
  struct Result {
    /// The ranks by protocol.
    var ranks: [RankingProtocol: CaseRanks] = [.full: CaseRanks()]
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
        rank(found, cases, users, first, items, into: &result.ranks[kind, default: CaseRanks()])
      }
      progress(block.count)
    }
  }

  /// Ranks a block of cases among the whole catalogue, and makes their lists.
  private func rankAmongAll(
    _ block: Range<Int>, _ cases: EvaluationCases, _ histories: RaggedArray<UInt32>,
    _ users: Matrix, _ items: Matrix, into result: inout Result
  ) {
    let excluded =
      allowsRepeats
      ? RaggedArray(offsets: [Int](repeating: 0, count: block.count + 1), values: []) : histories
    result.ranks[.full]?.append(
      cases: block,
      ranks: midRanks(
        users: users, items: items, targets: Array(cases.targets[block]), excluded: excluded,
        threads: threads),
      candidateCounts: block.map { index in
        items.rows
          - Set(excluded[index - block.lowerBound]).subtracting([cases.targets[index]]).count
      })
    let top = topK(
      users: users, items: items, count: result.lists.longestCutoff, excluded: excluded,
      threads: threads)
    for index in 0..<histories.count {
      result.lists.add(list: top.items[index], history: histories[index])
    }
  }

  /// Ranks the cases of a block that have stored negatives.
  private func rank(
    _ found: (cases: [Int], candidates: RaggedArray<UInt32>), _ cases: EvaluationCases,
    _ users: Matrix, _ first: Int, _ items: Matrix, into sampled: inout CaseRanks
  ) {
    var vectors: [Float] = []
    vectors.reserveCapacity(found.cases.count * users.columns)
    for position in found.cases { vectors.append(contentsOf: users[row: position - first]) }
    sampled.append(
      cases: found.cases,
      ranks: midRanks(
        users: Matrix(rows: found.cases.count, columns: users.columns, values: vectors),
        items: items, targets: found.cases.map { cases.targets[$0] }, candidates: found.candidates,
        threads: threads),
      candidateCounts: found.cases.indices.map { 1 + found.candidates[$0].count })
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
