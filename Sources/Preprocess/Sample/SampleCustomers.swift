internal import Glibc
internal import Numerics

/// The customers of the sample shop: what each buys when, one event at a time.
///
/// Memory is a few dozen bytes a customer, however many events there are.
struct SampleCustomers {
  private let world: SampleWorld
  private let random: CounterRandom
  private var remaining: [UInt32]
  private var eventIndex: [UInt32]
  private var current: [UInt32]
  private var nextTime: [UInt32]
  private var meanGap: [Float]
  /// The last ranks of each customer, so that nothing is bought again at once.
  private var recent: [UInt32]

  private static let recentCount = 8
  private static let none = UInt32.max
  /// The time that the log covers, seconds.
  static let duration = 730 * 86_400

  /// Distributes events over customers: five or so at least, the rest log-normal, in sum exactly `eventCount`.
  init(_ world: SampleWorld, userCount: Int, eventCount: Int, seed: UInt64) {
    self.world = world
    random = CounterRandom(seed: seed, stream: 0x55_5345_5253)
    let sizes = random.substream(0)
    let base = min(5, eventCount / userCount)
    let weights = (0..<userCount).map { exp(1.1 * sizes.normal(UInt64($0))) }
    let total = weights.reduce(0, +)
    let extra = eventCount - base * userCount
    var sum = 0.0
    var given = 0
    remaining = weights.enumerated().map { user, weight in
      sum += weight
      let due = user == userCount - 1 ? extra : min(extra, Int(sum / total * Double(extra)))
      defer { given = due }
      return UInt32(base + due - given)
    }
    let starts = random.substream(1)
    nextTime = (0..<userCount).map {
      UInt32(starts.uniform(UInt64($0)) * 0.6 * Double(Self.duration))
    }
    meanGap = (0..<userCount).map { _ in 0 }
    for user in 0..<userCount {
      let left = Double(Self.duration) - Double(nextTime[user])
      meanGap[user] = Float(0.8 * left / Double(max(remaining[user], 1)))
    }
    eventIndex = Array(repeating: 0, count: userCount)
    current = Array(repeating: Self.none, count: userCount)
    recent = Array(repeating: Self.none, count: userCount * Self.recentCount)
  }

  var count: Int { remaining.count }

  func isFinished(_ user: Int) -> Bool { remaining[user] == 0 }

  /// Seconds after the opening of the shop.
  func time(of user: Int) -> Int { Int(nextTime[user]) }

  /// The next event of a customer who is not finished.
  mutating func advance(_ user: Int) -> (rank: Int, rating: Int) {
    let draws = random.substream(UInt64(user) + 2)
    let base = UInt64(eventIndex[user]) * 32
    var rank = 0
    for attempt in 0..<6 {
      let index = base + UInt64(attempt) * 4
      let draw = (draws.uniform(index), draws.uniform(index + 1), draws.uniform(index + 2))
      rank =
        current[user] == Self.none
        ? world.popularRank(draw.1) : world.next(after: Int(current[user]), draw)
      if !isRecent(rank, user) { break }
    }
    recent[user * Self.recentCount + Int(eventIndex[user]) % Self.recentCount] = UInt32(rank)
    current[user] = UInt32(rank)
    eventIndex[user] += 1
    remaining[user] -= 1
    let gap = -log(1 - draws.uniform(base + 30)) * Double(meanGap[user])
    nextTime[user] = UInt32(min(Double(nextTime[user]) + 1 + gap, Double(Self.duration - 1)))
    return (rank, 1 + Int(4.999 * draws.uniform(base + 31).squareRoot()))
  }

  private func isRecent(_ rank: Int, _ user: Int) -> Bool {
    recent[user * Self.recentCount..<(user + 1) * Self.recentCount].contains(UInt32(rank))
  }
}
