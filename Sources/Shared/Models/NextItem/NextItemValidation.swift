internal import Dataset
internal import Metrics
internal import Numerics
internal import Retrieval
internal import ShardIO
internal import Training

/// The validation targets: full ranking over the catalogue, with the history excluded unless the log keeps repeated items.
struct NextItemValidation: ValidationTask {
  private var histories = RaggedArray<UInt32>()
  private var targets: [UInt32] = []
  private let allowsRepeats: Bool
  private let scoring: Scoring
  private let itemCount: Int
  private let threads: Int

  let title = "NDCG@10"
  let metricKey = "validationNdcg@10"
  let metricLimit = 1.0

  /// Takes every validation target of a user with at least one earlier item.
  ///
  /// - Parameters:
  ///   - sequences: the histories of all users.
  ///   - userCount: the users of a sample that is drawn from the seed; nil for all.
  ///   - seed: of the sample.
  ///   - scoring: what is measured.
  ///   - itemCount: I.
  ///   - threads: the largest number of threads; changes no result.
  init(
    _ sequences: UserSequences, userCount: Int? = nil, seed: UInt64, scoring: Scoring,
    itemCount: Int, threads: Int
  ) {
    allowsRepeats = sequences.keepsRepeats
    self.scoring = scoring
    self.itemCount = itemCount
    self.threads = threads
    let chosen = Self.sample(userCount, of: sequences, seed: seed)
    for user in 0..<sequences.count where chosen?.contains(user) ?? true {
      let items = sequences.items[user]
      for position in Self.positions(user, sequences) {
        histories.append(contentsOf: items.prefix(position))
        targets.append(items[items.startIndex + position])
      }
    }
  }

  /// The places of a user's validation targets that follow an earlier item.
  private static func positions(_ user: Int, _ sequences: UserSequences) -> [Int] {
    (Int(sequences.trainEnds[user])..<Int(sequences.validEnds[user])).filter { $0 > 0 }
  }

  /// Users drawn from those with targets; nil for all.
  private static func sample(
    _ userCount: Int?, of sequences: UserSequences, seed: UInt64
  ) -> Set<Int>? {
    guard let userCount else { return nil }
    let all = (0..<sequences.count).filter { !positions($0, sequences).isEmpty }
    guard userCount < all.count else { return nil }
    let order = CounterRandom(seed: seed, stream: 0x5641_4C49).permutation(all.count)
    return Set(order.prefix(userCount).map { all[$0] })
  }

  /// The number of targets.
  var count: Int { targets.count }

  /// Targets that are measured before the program looks again whether it was asked to stop.
  private static let blockSize = 4096

  /// Mean NDCG@10 and hit rate at 10 of the current parameters.
  func measure(until isStopAsked: () -> Bool) -> ValidationOutcome {
    guard count > 0 else { return .nothing }
    let ranker = Ranker(scoring, itemCount: itemCount, threads: threads)
    var sums = (ndcg: 0.0, hitRate: 0.0)
    for first in stride(from: 0, to: count, by: Self.blockSize) {
      if isStopAsked() { return .stopped }
      let rows = first..<min(first + Self.blockSize, count)
      var known = RaggedArray<UInt32>()
      for row in rows { known.append(contentsOf: histories[row]) }
      let excluded = allowsRepeats ? RaggedArray(emptyRows: known.count) : known
      let ranks = ranker.users(known).ranks(of: Array(targets[rows]), excluded: excluded) ?? []
      for rank in ranks {
        sums.ndcg += ndcg(rank, 10)
        sums.hitRate += hitRate(rank, 10)
      }
    }
    return .measured([
      (metricKey, sums.ndcg / Double(count)), ("validationHr@10", sums.hitRate / Double(count)),
    ])
  }
}
