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
  ///   - ranker: the model.
  ///   - result: what everything is added to; lists are as long as its longest cut.
  ///   - progress: called with the number of users done since the last call.
  /// - Throws: `PipelineError` `.dataFormat` if the model gives scores that are not numbers, or negatives are damaged.
  func rank(
    _ cases: EvaluationCases, with ranker: Ranker, into result: inout Result,
    progress: (Int) -> Void
  ) throws(PipelineError) {
    var walks = negatives
    for first in stride(from: 0, to: cases.count, by: Self.blockSize) {
      let block = first..<min(cases.count, first + Self.blockSize)
      let histories = cases.histories(block, in: sequences)
      let users = ranker.users(histories)
      guard users.reading?.states.values.allSatisfy(\.isFinite) ?? true else {
        throw .modelNotFinite("user")
      }
      if let weights = users.reading?.diagnostics[UserReading.gateWeights] {
        result.gates.add(weights, cases: block)
      }
      rankAmongAll(block, cases, histories, users, itemCount: ranker.itemCount, into: &result)
      for kind in RankingProtocol.allCases {
        guard let found = try walks[kind]?.candidates(of: block, cases) else { continue }
        rank(found, cases, users, first, into: &result.ranks[kind, default: CaseRanks()])
      }
      progress(block.count)
    }
  }

  /// Ranks a block of cases among the whole catalogue, and makes their lists.
  private func rankAmongAll(
    _ block: Range<Int>, _ cases: EvaluationCases, _ histories: RaggedArray<UInt32>,
    _ users: RankedUsers, itemCount: Int, into result: inout Result
  ) {
    let excluded =
      allowsRepeats
      ? RaggedArray(offsets: [Int](repeating: 0, count: block.count + 1), values: []) : histories
    if let ranks = users.ranks(of: Array(cases.targets[block]), excluded: excluded) {
      result.ranks[.full]?.append(
        cases: block, ranks: ranks,
        candidateCounts: block.map { index in
          itemCount
            - Set(excluded[index - block.lowerBound]).subtracting([cases.targets[index]]).count
        })
    }
    guard let top = users.top(result.lists.longestCutoff, excluded: excluded) else { return }
    for index in 0..<histories.count {
      result.lists.add(list: top.items[index], history: histories[index])
    }
  }

  /// Ranks the cases of a block that have stored negatives.
  private func rank(
    _ found: (cases: [Int], candidates: RaggedArray<UInt32>), _ cases: EvaluationCases,
    _ users: RankedUsers, _ first: Int, into sampled: inout CaseRanks
  ) {
    sampled.append(
      cases: found.cases,
      ranks: users.ranks(
        of: found.cases.map { cases.targets[$0] }, candidates: found.candidates,
        members: found.cases.map { $0 - first }),
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
