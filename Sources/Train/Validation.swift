import Dataset
import Metrics
import Models
import Numerics
import Retrieval
import ShardIO

/// The validation targets: full ranking over the catalogue with the history excluded.
struct Validation {
  private var histories: [ArraySlice<UInt32>]
  private var excluded: RaggedArray<UInt32>
  private var targets: [UInt32]
  /// The user of each target.
  private var users: [Int]
  private let threads: Int

  /// Takes every validation target of a user with at least one earlier item.
  init(_ sequences: UserSequences, threads: Int) {
    var histories: [ArraySlice<UInt32>] = []
    var targets: [UInt32] = []
    var users: [Int] = []
    var excluded = RaggedArray<UInt32>()
    for user in 0..<sequences.count {
      let items = sequences.items[user]
      for place in Int(sequences.trainEnds[user])..<Int(sequences.validEnds[user]) where place > 0 {
        let history = items.prefix(place)
        histories.append(history)
        excluded.append(contentsOf: history)
        targets.append(items[items.startIndex + place])
        users.append(user)
      }
    }
    self.histories = histories
    self.targets = targets
    self.users = users
    self.excluded = excluded
    self.threads = threads
  }

  /// The targets of some users, drawn from a seed, or nil where `userCount` is 0 or there are no more users than that.
  func sample(_ userCount: Int, seed: UInt64) -> Validation? {
    let all = Set(users).sorted()
    guard userCount > 0, userCount < all.count else { return nil }
    let order = CounterRandom(seed: seed, stream: 0x5641_4C49).permutation(all.count)
    let chosen = Set(order.prefix(userCount).map { all[$0] })
    var result = self
    result.histories = []
    result.targets = []
    result.users = []
    result.excluded = RaggedArray()
    for place in users.indices where chosen.contains(users[place]) {
      result.histories.append(histories[place])
      result.excluded.append(contentsOf: histories[place])
      result.targets.append(targets[place])
      result.users.append(users[place])
    }
    return result
  }

  /// The number of targets.
  var count: Int { targets.count }

  /// Mean NDCG@10 and hit rate at 10 of the current parameters; nil where there is no target.
  func measure(_ network: Network) -> (ndcg: Double, hitRate: Double)? {
    guard count > 0 else { return nil }
    let ranks = midRanks(
      users: network.states(after: histories, threads: threads),
      items: network.itemVectors(threads: threads), targets: targets, excluded: excluded,
      threads: threads)
    let count = Double(ranks.count)
    return (
      ranks.reduce(0) { $0 + ndcg($1, 10) } / count,
      ranks.reduce(0) { $0 + hitRate($1, 10) } / count
    )
  }
}
