internal import Dataset
internal import Numerics
internal import ShardIO

extension NegativeSampler {
  /// The random stream of the draws by popularity.
  private static let popularStream: UInt64 = 0x504F_5055

  /// Draws for every user that has a test target, in proportion to train events and without replacement, outside of
  /// the user's whole history.
  ///
  /// Items without a train event are never drawn; a user for whom fewer items are left gets all that have one.
  ///
  /// - Returns: the table, whose rows are drawn when they are written.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  func popularNegatives(
    _ histories: Histories, trainEnds: [UInt32], validEnds: [UInt32], trainCounts: [UInt32]
  ) throws(PipelineError) -> TableSource {
    let rows = histories.firstRows
    var events: [UInt32] = []
    events.reserveCapacity(trainEnds.reduce(0) { $0 + Int($1) })
    for index in histories.parts.indices {
      let part = try histories.part(index)
      for user in 0..<part.userCount {
        events += part.items[part.range(of: user).prefix(Int(trainEnds[rows[index] + user]))]
      }
    }
    let draws = PopularityDraws(events: events, trainCounts: trainCounts, count: count)
    let drawing = NegativeDrawing(
      kind: .popular, count: draws.drawnCount,
      draw: { user, history, lastUser in
        draws.draw(
          user, history, CounterRandom(seed: seed &+ Self.popularStream, stream: UInt64(user)),
          &lastUser)
      })
    return try table(
      histories, validEnds: validEnds, itemCount: trainCounts.count, drawing)
  }
}

/// Draws of items in proportion to their train events.
private struct PopularityDraws: Sendable {
  /// The item of every train event: a random one of them is a draw by popularity.
  let events: [UInt32]
  let trainCounts: [UInt32]
  let count: Int
  /// The items that have train events.
  private let candidateCount: Int

  init(events: [UInt32], trainCounts: [UInt32], count: Int) {
    (self.events, self.trainCounts, self.count) = (events, trainCounts, count)
    candidateCount = trainCounts.count { $0 > 0 }
  }

  /// The negatives of a user with a history.
  @Sendable func drawnCount(_ history: ArraySlice<UInt32>) -> Int {
    if candidateCount - history.count >= count { return count }
    return min(count, candidateCount - Set(history).count { trainCounts[Int($0)] > 0 })
  }

  /// `lastUser` is scratch: for each item, 1 + the last user it was taken for.
  func draw(
    _ user: Int, _ history: ArraySlice<UInt32>, _ random: CounterRandom, _ lastUser: inout [UInt32]
  ) -> [UInt32] {
    let mark = UInt32(user) + 1
    for item in history { lastUser[Int(item)] = mark }
    var chosen: [UInt32] = []
    var index: UInt64 = 0
    var rejections = 0
    while !events.isEmpty, chosen.count < count, rejections < 64 + 8 * count {
      let item = events[random.integer(below: events.count, index)]
      index += 1
      guard lastUser[Int(item)] != mark else {
        rejections += 1
        continue
      }
      lastUser[Int(item)] = mark
      chosen.append(item)
    }
    // What is left is rare: weigh the items that are left alone, one draw at a time.
    while chosen.count < count, let item = drawRest(random, index, mark, lastUser) {
      index += 1
      lastUser[Int(item)] = mark
      chosen.append(item)
    }
    return chosen.sorted()
  }

  /// One of the items that are left, in proportion to their train events; nil where none has one.
  private func drawRest(
    _ random: CounterRandom, _ index: UInt64, _ mark: UInt32, _ lastUser: [UInt32]
  ) -> UInt32? {
    let total = trainCounts.indices.reduce(0) {
      $0 + (lastUser[$1] == mark ? 0 : Int(trainCounts[$1]))
    }
    guard total > 0 else { return nil }
    var place = random.integer(below: total, index)
    for item in trainCounts.indices where lastUser[item] != mark {
      place -= Int(trainCounts[item])
      if place < 0 { return UInt32(item) }
    }
    return nil
  }
}
