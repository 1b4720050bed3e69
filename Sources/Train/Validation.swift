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

  /// What became of a measurement.
  enum Outcome {
    /// There is no target.
    case nothing
    /// Mean NDCG@10 and hit rate at 10.
    case measured(ndcg: Double, hitRate: Double)
    /// The program was asked to stop.
    case stopped
  }

  /// Targets that are measured before the program looks again whether it was asked to stop.
  private static let blockSize = 4096

  /// Mean NDCG@10 and hit rate at 10 of the current parameters; nil where there is no target.
  func measure(_ network: Network) -> (ndcg: Double, hitRate: Double)? {
    guard case .measured(let ndcg, let hitRate) = measure(network, until: { false }) else {
      return nil
    }
    return (ndcg, hitRate)
  }

  /// Measures the current parameters.
  ///
  /// - Parameters:
  ///   - network: the parameters.
  ///   - isStopAsked: whether to give up; asked every few thousand targets.
  /// - Returns: the means over all targets, the same however they are cut.
  func measure(_ network: Network, until isStopAsked: () -> Bool) -> Outcome {
    guard count > 0 else { return .nothing }
    let items = network.itemVectors(threads: threads)
    var sums = (ndcg: 0.0, hitRate: 0.0)
    for first in stride(from: 0, to: count, by: Self.blockSize) {
      if isStopAsked() { return .stopped }
      let rows = first..<min(first + Self.blockSize, count)
      var known = RaggedArray<UInt32>()
      for row in rows { known.append(contentsOf: excluded[row]) }
      let ranks = midRanks(
        users: network.states(after: Array(histories[rows]), threads: threads), items: items,
        targets: Array(targets[rows]), excluded: known, threads: threads)
      for rank in ranks {
        sums.ndcg += ndcg(rank, 10)
        sums.hitRate += hitRate(rank, 10)
      }
    }
    return .measured(ndcg: sums.ndcg / Double(count), hitRate: sums.hitRate / Double(count))
  }
}
