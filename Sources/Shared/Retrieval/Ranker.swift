public import Numerics
public import ShardIO
internal import Synchronization

/// Ranks users' targets and makes their lists with any kind of scoring; validation in training and all of evaluation go through it.
///
/// A rank is 1 + (number of candidates with a greater score) + (number of other candidates with an equal score) / 2.
public struct Ranker: Sendable {
  /// How the model scores.
  public let scoring: Scoring
  /// The number of items, I.
  public let itemCount: Int
  /// The vectors of all items, `[I, w]`, where the model has some.
  public let items: Matrix?
  private let threads: Int

  /// Prepares a model for ranking; the vectors of its items are computed here, once.
  ///
  /// - Parameters:
  ///   - scoring: the model.
  ///   - itemCount: I.
  ///   - items: the vectors of all items, where they are at hand.
  ///   - threads: the largest number of threads; changes no result.
  public init(_ scoring: Scoring, itemCount: Int, items: Matrix? = nil, threads: Int) {
    self.scoring = scoring
    self.itemCount = itemCount
    self.threads = threads
    if case .vectors(let model) = scoring {
      self.items = items ?? model.itemVectors(threads: threads)
    } else {
      self.items = nil
    }
  }

  /// Reads some histories once, for all that is asked about their users.
  public func users(_ histories: RaggedArray<UInt32>) -> RankedUsers {
    var reading: UserReading?
    if case .vectors(let model) = scoring { reading = model.read(histories, threads: threads) }
    return RankedUsers(
      scoring: scoring, histories: histories, items: items, reading: reading, threads: threads)
  }
}

/// Some users of a ``Ranker``.
public struct RankedUsers: Sendable {
  private let scoring: Scoring
  private let histories: RaggedArray<UInt32>
  private let items: Matrix?
  /// The states of the users, where the model has some.
  public let reading: UserReading?
  private let threads: Int
  private let made = MadeLists()

  init(
    scoring: Scoring, histories: RaggedArray<UInt32>, items: Matrix?, reading: UserReading?,
    threads: Int
  ) {
    self.scoring = scoring
    self.histories = histories
    self.items = items
    self.reading = reading
    self.threads = threads
  }

  /// The rank of each user's target among the whole catalogue minus the user's excluded items.
  ///
  /// - Parameters:
  ///   - targets: one item a user.
  ///   - excluded: one row a user; a target that is in it is ranked all the same.
  /// - Returns: 1-based ranks; infinity for a target that a model of lists does not find; nil for a model of pairs, which ranks no
  ///   catalogue.
  public func ranks(of targets: [UInt32], excluded: RaggedArray<UInt32>) -> [Double]? {
    switch scoring {
    case .vectors:
      guard let items, let reading else { return nil }
      return midRanks(
        users: reading.states, items: items, targets: targets, excluded: excluded,
        threads: threads)
    case .lists(let model):
      // The targets stay candidates, also where they are in the history.
      var open = RaggedArray<UInt32>()
      for user in targets.indices {
        open.append(contentsOf: excluded[user].filter { $0 != targets[user] })
      }
      let lists = made.lists(
        model, histories, count: model.listLimit, excluded: open, threads: threads)
      return targets.indices.map { user in
        Self.midRank(of: targets[user], items: lists.items[user], scores: lists.scores[user])
      }
    case .pairs:
      return nil
    }
  }

  /// The rank of each user's target among candidates of its own.
  ///
  /// - Parameters:
  ///   - targets: one item a user.
  ///   - candidates: one row a user: the items that compete with the target.
  ///   - members: the places of these users among those that were read; nil for all, in their order.
  /// - Returns: 1-based ranks; a target whose score is not a number is ranked last.
  public func ranks(
    of targets: [UInt32], candidates: RaggedArray<UInt32>, members: [Int]? = nil
  ) -> [Double] {
    switch scoring {
    case .vectors:
      guard let items, let reading else { return [] }
      let states = members.map { reading.states.gathering($0) } ?? reading.states
      return midRanks(
        users: states, items: items, targets: targets, candidates: candidates, threads: threads)
    case .lists(let model):
      return ranks(targets, candidates, members) {
        model.scores($0, candidates: $1, threads: threads)
      }
    case .pairs(let model):
      return ranks(targets, candidates, members) {
        model.scores($0, candidates: $1, threads: threads)
      }
    }
  }

  /// The best items of each user, best first; equal scores by smaller item.
  ///
  /// - Parameters:
  ///   - count: the number of items wanted for each user.
  ///   - excluded: one row a user: the items not to give.
  /// - Returns: nil for a model of pairs.
  public func top(_ count: Int, excluded: RaggedArray<UInt32>) -> TopItems? {
    switch scoring {
    case .vectors:
      guard let items, let reading else { return nil }
      return topK(
        users: reading.states, items: items, count: count, excluded: excluded, threads: threads)
    case .lists(let model):
      return made.lists(model, histories, count: count, excluded: excluded, threads: threads)
    case .pairs:
      return nil
    }
  }

  /// Ranks by the exact scores of targets and candidates.
  private func ranks(
    _ targets: [UInt32], _ candidates: RaggedArray<UInt32>, _ members: [Int]?,
    _ score: (RaggedArray<UInt32>, RaggedArray<UInt32>) -> RaggedArray<Float>
  ) -> [Double] {
    var chosen = RaggedArray<UInt32>()
    var all = RaggedArray<UInt32>()
    for (row, target) in targets.enumerated() {
      chosen.append(contentsOf: histories[members?[row] ?? row])
      all.append(contentsOf: [target] + candidates[row].filter { $0 != target })
    }
    let scores = score(chosen, all)
    return targets.indices.map { row in
      Self.midRank(of: targets[row], items: all[row], scores: scores[row])
    }
  }

  /// The rank of a target among items with scores; infinity where it is not among them, last where its score is not a number.
  private static func midRank(
    of target: UInt32, items: ArraySlice<UInt32>, scores: ArraySlice<Float>
  ) -> Double {
    guard let place = items.firstIndex(of: target) else { return .infinity }
    let own = scores[scores.startIndex + place - items.startIndex]
    guard !own.isNaN else { return Double(items.count) }
    var (greater, equal) = (0, -1)
    for score in scores {
      if score > own { greater += 1 } else if score == own { equal += 1 }
    }
    return 1 + Double(greater) + Double(equal) / 2
  }
}

/// The last lists that a model made for some users, since ranks and lists are often asked of the same ones.
private final class MadeLists: Sendable {
  private struct Answer {
    let count: Int
    let excluded: RaggedArray<UInt32>
    let lists: TopItems
  }

  private let last = Mutex<Answer?>(nil)

  /// Lists from the model, or the beginnings of longer ones that it made.
  func lists(
    _ model: any ListScoring, _ histories: RaggedArray<UInt32>, count: Int,
    excluded: RaggedArray<UInt32>, threads: Int
  ) -> TopItems {
    last.withLock { last in
      if let last, last.count >= count, last.excluded.offsets == excluded.offsets,
        last.excluded.values == excluded.values
      {
        return last.lists.prefix(count)
      }
      let lists = model.lists(histories, count: count, excluded: excluded, threads: threads)
      last = Answer(count: count, excluded: excluded, lists: lists)
      return lists
    }
  }
}
