internal import Dataset
internal import Kernels
internal import ShardIO

/// Draws the items that test targets are ranked against in the sampled protocol.
struct NegativeSampler: Sendable {
  /// The negatives of a user.
  var count: Int
  var seed: UInt64
  var threads = 1

  /// The random stream of the draws; one user has a stream of its own below it.
  private static let stream: UInt64 = 0x4E45_4741

  /// Draws for every user that has a test target, uniformly and without replacement, outside of the user's whole history.
  ///
  /// A user for whom fewer items are left gets all of them.
  func negatives(
    _ histories: Histories, validEnds: [UInt32], itemCount: Int
  ) -> EvaluationNegatives {
    negatives(histories, validEnds: validEnds, itemCount: itemCount) { user, history, lastUser in
      draw(user, history, &lastUser)
    }
  }

  /// The negatives that `draw` gives to every user that has a test target; each piece of users has scratch of its own.
  func negatives(
    _ histories: Histories, validEnds: [UInt32], itemCount: Int,
    _ draw: @Sendable (Int, ArraySlice<UInt32>, inout [UInt32]) -> [UInt32]
  ) -> EvaluationNegatives {
    let users = (0..<histories.userCount).filter {
      Int(validEnds[$0]) < histories.range(of: $0).count
    }
    let blockSize = 4096
    let pieces = parallelMap((users.count + blockSize - 1) / blockSize, threads: threads) { block in
      var lastUser = [UInt32](repeating: 0, count: itemCount)
      return users[block * blockSize..<min((block + 1) * blockSize, users.count)].map { user in
        draw(user, histories.items[histories.range(of: user)], &lastUser)
      }
    }
    var negatives = RaggedArray<UInt32>()
    negatives.reserveCapacity(rows: users.count, values: users.count * count)
    for row in pieces.joined() { negatives.append(contentsOf: row) }
    return EvaluationNegatives(users: users.map { UInt32($0) }, negatives: negatives)
  }

  /// `lastUser` is scratch: for each item, 1 + the last user it was taken for.
  private func draw(
    _ user: Int, _ history: ArraySlice<UInt32>, _ lastUser: inout [UInt32]
  ) -> [UInt32] {
    let mark = UInt32(user) + 1
    var taken = 0
    for item in history where lastUser[Int(item)] != mark {
      lastUser[Int(item)] = mark
      taken += 1
    }
    let free = lastUser.count - taken
    let random = CounterRandom(seed: seed &+ Self.stream, stream: UInt64(user))
    // Rejection is quick while at most half of the items are taken in the end; otherwise choose from the list.
    guard free >= lastUser.count / 2 + count else {
      return choose(lastUser.indices.filter { lastUser[$0] != mark }, random)
    }
    var chosen: [UInt32] = []
    chosen.reserveCapacity(count)
    var index: UInt64 = 0
    while chosen.count < count {
      let item = random.integer(below: lastUser.count, index)
      index += 1
      if lastUser[item] == mark { continue }
      lastUser[item] = mark
      chosen.append(UInt32(item))
    }
    return chosen.sorted()
  }

  /// A partial Fisher-Yates shuffle.
  private func choose(_ candidates: [Int], _ random: CounterRandom) -> [UInt32] {
    var candidates = candidates
    let size = min(count, candidates.count)
    for place in 0..<size {
      let other = place + random.integer(below: candidates.count - place, UInt64(place))
      candidates.swapAt(place, other)
    }
    return candidates[..<size].map { UInt32($0) }.sorted()
  }
}
