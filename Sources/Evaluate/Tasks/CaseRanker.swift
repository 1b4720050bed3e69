import Dataset
import Metrics
import Numerics
import Retrieval
import ShardIO

/// Ranks all cases under every protocol, a block of users at a time, so that user vectors, lists and stored negatives never
/// exist all at once; what stays of a user is a rank and a number of candidates for each protocol.
struct CaseRanker {
  /// Cases whose user vectors exist at the same time, at most.
  static let blockSize = 8192
  /// Events of histories that exist at the same time, at most, unless one history alone has more.
  static let blockEvents = 8_388_608
  /// Items of each list that are stored, so that runs can be compared.
  static let firstCount = 10

  let sequences: UserSequences
  /// The stored negatives of each protocol that has some.
  let negatives: [RankingProtocol: NegativeWalk]
  let threads: Int
  /// Ranks for users without a history, who get popular items.
  let popularity: PopularityOrder
  /// Whether items of the history are candidates too, the target as any other.
  var allowsRepeats = false

  /// What is found out on the way.
  struct Result {
    /// The ranks by protocol.
    var ranks: [RankingProtocol: CaseRanks] = [.full: CaseRanks(), .fullWithHistory: CaseRanks()]
    /// What the lists look like.
    var lists: ListMetrics
    /// The head of each list, at most ``CaseRanker/firstCount`` items; empty for a model that makes no lists.
    var firstItems = RaggedArray<UInt32>()
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
    var next = 0
    while next < cases.count {
      let block = Self.block(from: next, of: cases.historyLengths)
      let first = next
      next = block.upperBound
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
        let ranks = self.ranks(found, cases, users, first)
        result.ranks[kind, default: CaseRanks()].append(
          cases: found.cases, ranks: ranks,
          candidateCounts: found.cases.indices.map { 1 + found.candidates[$0].count })
      }
      progress(block.count)
    }
  }

  /// The cases of a block.
  ///
  /// - Parameters:
  ///   - first: its first case.
  ///   - lengths: of the histories of all cases.
  /// - Returns: one case or more.
  static func block(from first: Int, of lengths: [Int]) -> Range<Int> {
    var (end, events) = (first, 0)
    while end < min(lengths.count, first + blockSize),
      end == first || events + lengths[end] <= blockEvents
    {
      events += lengths[end]
      end += 1
    }
    return first..<end
  }

  /// Ranks a block of cases among the whole catalogue, and makes their lists.
  private func rankAmongAll(
    _ block: Range<Int>, _ cases: EvaluationCases, _ histories: RaggedArray<UInt32>,
    _ users: RankedUsers, itemCount: Int, into result: inout Result
  ) {
    let targets = Array(cases.targets[block])
    let excluded = allowsRepeats ? RaggedArray(emptyRows: block.count) : histories
    rank(block, targets, histories, excluded, users, itemCount, into: &result)
    guard let top = users.top(result.lists.longestCutoff, excluded: excluded) else { return }
    let popular = popularity.list(result.lists.longestCutoff, without: [])
    for row in 0..<histories.count {
      let list = histories[row].isEmpty ? popular[...] : top.items[row]
      result.lists.add(list: list, history: histories[row])
      result.firstItems.append(contentsOf: list.prefix(Self.firstCount))
    }
  }

  /// The ranks of a block under both full protocols; none for a model that ranks no catalogue.
  private func rank(
    _ block: Range<Int>, _ targets: [UInt32], _ histories: RaggedArray<UInt32>,
    _ excluded: RaggedArray<UInt32>, _ users: RankedUsers, _ itemCount: Int,
    into result: inout Result
  ) {
    guard var ranks = users.ranks(of: targets, excluded: excluded) else { return }
    let board = ScoreBoard(itemCount: itemCount)
    for row in ranks.indices where histories[row].isEmpty {
      ranks[row] = popularity.midRank(of: targets[row], board, excluded: [])
    }
    // The competitors that a row leaves out, each once.
    var left = targets.indices.map { Set(excluded[$0]) }
    let isClosed = targets.indices.map { left[$0].remove(targets[$0]) != nil }
    let counts = left.map { itemCount - $0.count }
    result.ranks[.full]?.append(
      cases: block,
      // An item of the history is no candidate where repeats are not allowed, and so comes last as a target, too.
      ranks: ranks.indices.map { isClosed[$0] ? Double(counts[$0]) : ranks[$0] },
      candidateCounts: counts)
    // What the history adds to a rank is the target's rank among it.
    let among = users.ranks(of: targets, candidates: RaggedArray(left.map { $0.sorted() }))
    result.ranks[.fullWithHistory]?.append(
      cases: block,
      ranks: zip(ranks, among).map { $0.isFinite ? min($0 + $1 - 1, Double(itemCount)) : $0 },
      candidateCounts: block.map { _ in itemCount })
  }

  /// The ranks of the cases of a block that have stored negatives.
  private func ranks(
    _ found: (cases: [Int], candidates: RaggedArray<UInt32>), _ cases: EvaluationCases,
    _ users: RankedUsers, _ first: Int
  ) -> [Double] {
    var ranks = users.ranks(
      of: found.cases.map { cases.targets[$0] }, candidates: found.candidates,
      members: found.cases.map { $0 - first })
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
