import Dataset
import ShardIO

/// Items by their training events: what is recommended where nothing else is known.
struct PopularityOrder: Sendable {
  /// Training events by item, or what orders the items as they would.
  let counts: [UInt32]
  /// The same counts, ascending.
  private let sorted: [UInt32]

  /// Sorts the items of a catalogue.
  init(_ catalogue: Catalogue) { self.init(counts: catalogue.trainCounts) }

  /// Sorts the items by their training events not earlier than the first of the last tenth of all, by time; equal ones by all
  /// their training events.
  init(recentOf sequences: UserSequences, _ catalogue: Catalogue) {
    let users = 0..<sequences.count
    let times = users.flatMap { sequences.times[$0].prefix(Int(sequences.trainEnds[$0])) }.sorted()
    var recent = [UInt32](repeating: 0, count: catalogue.count)
    if !times.isEmpty {
      let first = times[times.count - (times.count + 9) / 10]
      for user in users {
        for (item, time) in zip(sequences.train(of: user), sequences.times[user])
        where time >= first { recent[Int(item)] += 1 }
      }
    }
    let keys = zip(recent, catalogue.trainCounts).map { UInt64($0) << 32 | UInt64($1) }
    let places = Dictionary(
      uniqueKeysWithValues: Set(keys).sorted().enumerated().map { ($1, UInt32($0)) })
    self.init(counts: keys.map { places[$0] ?? 0 })
  }

  private init(counts: [UInt32]) {
    self.counts = counts
    sorted = counts.sorted()
  }

  /// The most popular items outside some others, best first; of equally popular ones the first in the catalogue.
  func list(_ count: Int, without excluded: ArraySlice<UInt32>) -> [UInt32] {
    // Each excluded item takes at most one place of the longer list.
    let pool = best(count + Set(excluded).count)
    let excluded = Set(excluded)
    return Array(pool.lazy.filter { !excluded.contains($0) }.prefix(count))
  }

  private func best(_ count: Int) -> ArraySlice<UInt32> {
    (0..<UInt32(counts.count)).sorted { first, second in
      let (a, b) = (counts[Int(first)], counts[Int(second)])
      return a == b ? first < second : a > b
    }.prefix(count)
  }

  /// The mid-rank of a target among all items by (score, training events); items without a score have 0.
  ///
  /// - Parameters:
  ///   - target: the item to rank.
  ///   - board: the scores.
  ///   - excluded: items that do not compete; the target competes all the same.
  /// - Returns: 1 + greater + equal / 2.
  func midRank(of target: UInt32, _ board: ScoreBoard, excluded: Set<UInt32>) -> Double {
    let own = (score: board[target], count: counts[Int(target)])
    var (above, equal) = (0, 0)
    // Items that are more popular, or as popular, and have a score or are excluded.
    var (popular, alike) = (0, 0)
    for item in board.items where item != target {
      let other = (score: board[item], count: counts[Int(item)])
      above += other > own ? 1 : 0
      equal += other == own ? 1 : 0
      popular += other.count > own.count ? 1 : 0
      alike += other.count == own.count ? 1 : 0
    }
    var scoreless = sorted.count - board.items.count
    for item in excluded where item != target {
      let other = (score: board[item], count: counts[Int(item)])
      if board.contains(item) {
        above -= other > own ? 1 : 0
        equal -= other == own ? 1 : 0
      } else {
        scoreless -= 1
        popular += other.count > own.count ? 1 : 0
        alike += other.count == own.count ? 1 : 0
      }
    }
    if own.score == 0 {
      // Items without a score compete by popularity; the target itself is as popular as it is.
      above += sorted.count - place(after: own.count) - popular
      equal += place(after: own.count) - place(before: own.count) - 1 - alike
    } else if own.score < 0 {
      above += scoreless
    }
    return 1 + Double(above) + Double(equal) / 2
  }

  /// The mid-rank of a target among candidates by training events; a candidate that is the target does not count.
  func midRank(of target: UInt32, among candidates: ArraySlice<UInt32>) -> Double {
    let own = counts[Int(target)]
    let others = candidates.lazy.filter { $0 != target }.map { counts[Int($0)] }
    return 1 + Double(others.count { $0 > own }) + Double(others.count { $0 == own }) / 2
  }

  /// The number of items with fewer events.
  private func place(before count: UInt32) -> Int { partition { $0 < count } }

  /// The number of items with at most as many events.
  private func place(after count: UInt32) -> Int { partition { $0 <= count } }

  private func partition(_ isBefore: (UInt32) -> Bool) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(sorted[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Scores of a few items out of many; cleared in a time that only the few take.
struct ScoreBoard: Sendable {
  private var scores: [Double]
  private var hasScore: [Bool]
  /// The items that have a score, in the order in which they got it.
  private(set) var items: [UInt32] = []

  /// A board on which no item has a score.
  init(itemCount: Int) {
    scores = [Double](repeating: 0, count: itemCount)
    hasScore = [Bool](repeating: false, count: itemCount)
  }

  /// The score of an item; 0 without one.
  subscript(item: UInt32) -> Double { scores[Int(item)] }

  /// Whether an item has a score.
  func contains(_ item: UInt32) -> Bool { hasScore[Int(item)] }

  /// Adds to the score of an item.
  mutating func add(_ score: Double, to item: UInt32) {
    if !hasScore[Int(item)] {
      hasScore[Int(item)] = true
      items.append(item)
    }
    scores[Int(item)] += score
  }

  /// Adds to the scores of all items.
  ///
  /// - Precondition: one number an item.
  mutating func add(_ row: ArraySlice<Float>) {
    precondition(row.count == scores.count, "\(row.count) scores of \(scores.count) items")
    if items.count < scores.count {
      items = Array(0..<UInt32(scores.count))
      hasScore = [Bool](repeating: true, count: scores.count)
    }
    for (item, score) in zip(scores.indices, row) { scores[item] += Double(score) }
  }

  /// Takes all scores away.
  mutating func clear() {
    for item in items {
      scores[Int(item)] = 0
      hasScore[Int(item)] = false
    }
    items.removeAll(keepingCapacity: true)
  }
}
