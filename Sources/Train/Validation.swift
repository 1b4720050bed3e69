import Dataset
import Model
import Ranking
import ShardIO

/// The validation targets: full ranking over the catalogue with the history excluded.
struct Validation {
  private let histories: [ArraySlice<UInt32>]
  private let excluded: RaggedArray<UInt32>
  private let targets: [UInt32]
  private let threads: Int

  /// Takes every validation target of a user with at least one earlier item.
  init(_ sequences: UserSequences, threads: Int) {
    var histories: [ArraySlice<UInt32>] = []
    var targets: [UInt32] = []
    var excluded = RaggedArray<UInt32>()
    for user in 0..<sequences.count {
      let items = sequences.items[user]
      for place in Int(sequences.trainEnds[user])..<Int(sequences.validEnds[user]) where place > 0 {
        let history = items.prefix(place)
        histories.append(history)
        excluded.append(contentsOf: history)
        targets.append(items[items.startIndex + place])
      }
    }
    self.histories = histories
    self.targets = targets
    self.excluded = excluded
    self.threads = threads
  }

  /// The number of targets.
  var count: Int { targets.count }

  /// Mean NDCG@10 and hit rate at 10 of the current parameters.
  func measure(_ network: Network) -> (ndcg: Double, hitRate: Double) {
    guard !targets.isEmpty else { return (0, 0) }
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
