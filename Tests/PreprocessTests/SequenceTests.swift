import Dataset
import TestSupport
import Testing
import TextInput

@testable import Preprocess

/// A log of (user, item, time) in one block.
func makeLog(_ rows: [(String, String, Int64)]) -> InteractionLog {
  var log = InteractionLog()
  var block = EventBlock()
  for (user, item, time) in rows {
    block.append(
      user: log.users.insert(user.utf8), item: log.items.insert(item.utf8), time: time)
  }
  log.blocks = [block]
  return log
}

/// Histories in time order as text, for example `["a: x y"]`.
func described(_ log: InteractionLog, _ histories: Histories) -> [String] {
  (0..<histories.userCount).map { user in
    let items = histories.items[histories.range(of: user)].map { log.items.text($0) }
    return "\(log.users.text(histories.users[user])): \(items.joined(separator: " "))"
  }
}

func makeHistories(
  _ rows: [(String, String, Int64)], _ deduplication: Deduplication = .none,
  minimumWeight: Int = 0, weights: [UInt16] = []
) -> (InteractionLog, Histories) {
  var log = makeLog(rows)
  log.blocks[0].weights = weights
  let admits = [Bool](repeating: true, count: log.items.count)
  var histories = Histories(&log, admits: admits)
  _ = histories.sortByTime(
    RepeatRule(deduplication: deduplication, minimumWeight: minimumWeight), threads: 2)
  return (log, histories)
}

struct `User histories` {
  @Test
  func
    `users come in the order of their ids, events in the order of time, ties in that of the log`()
  {
    let (log, histories) = makeHistories([
      ("b", "x", 3), ("b", "y", 1), ("a", "z", 5), ("b", "w", 3), ("a", "y", 5), ("10", "x", 0),
    ])
    #expect(described(log, histories) == ["10: x", "a: z y", "b: y x w"])
  }

  @Test(arguments: [
    (Deduplication.none, "u: x y x x y"), (.first, "u: x y"), (.last, "u: x y"),
    (.consecutive, "u: x y x y"),
  ])
  func `repeated items are kept, or one of them`(rule: Deduplication, expected: String) {
    let (log, histories) = makeHistories(
      [("u", "x", 1), ("u", "y", 2), ("u", "x", 3), ("u", "x", 4), ("u", "y", 5)], rule)
    #expect(described(log, histories) == [expected])
  }

  @Test func `first keeps the earliest and last the latest event of an item`() {
    let rows: [(String, String, Int64)] = [("u", "x", 9), ("u", "y", 5), ("u", "x", 1)]
    #expect(makeHistories(rows, .first).1.times == [1, 5])
    #expect(makeHistories(rows, .last).1.times == [5, 9])
  }

  @Test func `long histories lose repeats as short ones do`() {
    let rows = (0..<100).map { ("u", "i\($0 % 60)", Int64($0)) }
    #expect(makeHistories(rows, .first).1.times == (0..<60).map { Int64($0) })
    #expect(makeHistories(rows, .last).1.times == (40..<100).map { Int64($0) })
  }

  @Test func `items are numbered in the order of their first event`() {
    let (log, source) = makeHistories([("b", "x", 1), ("a", "y", 9), ("a", "x", 7)])
    var histories = source
    let kept = histories.renumberItems(itemCount: log.items.count)
    #expect(kept.map { log.items.text($0) } == ["x", "y"])
    #expect(histories.items == [0, 1, 0])
  }

  @Test func `the maximum history keeps the last events`() {
    let (log, source) = makeHistories([
      ("a", "x", 1), ("a", "y", 2), ("a", "z", 3), ("b", "x", 1),
    ])
    var histories = source
    #expect(histories.keepLast(2) == 1)
    #expect(described(log, histories) == ["a: y z", "b: x"])
  }
}

struct `Core filter` {
  @Test func `users and items below the minimum go until nothing changes`() {
    // c has one event, so it goes; then z has one event left and goes; then b has one event left and goes.
    let (log, source) = makeHistories([
      ("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("b", "z", 2), ("c", "z", 1), ("d", "x", 1),
      ("d", "y", 2),
    ])
    var histories = source
    let core = CoreFilter(minimumUserCount: 2, minimumItemCount: 2)
    #expect(core.apply(to: &histories, itemCount: log.items.count) == 3)
    #expect(described(log, histories) == ["a: x y", "d: x y"])
  }

  @Test func `one pass counts users and items before anything goes`() {
    let (log, source) = makeHistories([
      ("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("b", "z", 2), ("c", "z", 1), ("d", "x", 1),
      ("d", "y", 2),
    ])
    var histories = source
    let core = CoreFilter(minimumUserCount: 2, minimumItemCount: 2, isIterated: false)
    #expect(core.apply(to: &histories, itemCount: log.items.count) == 1)
    #expect(described(log, histories) == ["a: x y", "b: x z", "d: x y"])
  }

  @Test func `the core is a fixed point that no larger set has`() throws {
    try withEvery("seed", in: 0..<50) { seed in
      var random = SeededGenerator(seed: seed)
      let rows = (0..<120).map { time in
        (
          "u\(Int.random(in: 0..<25, using: &random))",
          "i\(Int.random(in: 0..<25, using: &random))", Int64(time)
        )
      }
      let (log, source) = makeHistories(rows)
      var histories = source
      _ = CoreFilter(minimumUserCount: 4, minimumItemCount: 4)
        .apply(to: &histories, itemCount: log.items.count)
      let found = Set(described(log, histories))
      try #require(found == naiveCore(rows, 4))
    }
  }

  /// Removes one user or one item at a time.
  private func naiveCore(_ rows: [(String, String, Int64)], _ minimum: Int) -> Set<String> {
    var rows = rows
    while true {
      let users = Dictionary(grouping: rows, by: \.0).filter { $0.value.count < minimum }
      let items = Dictionary(grouping: rows, by: \.1).filter { $0.value.count < minimum }
      if let user = users.keys.first {
        rows.removeAll { $0.0 == user }
      } else if let item = items.keys.first {
        rows.removeAll { $0.1 == item }
      } else {
        break
      }
    }
    return Set(
      Dictionary(grouping: rows, by: \.0).map { user, events in
        "\(user): \(events.sorted { $0.2 < $1.2 }.map(\.1).joined(separator: " "))"
      })
  }
}

struct `Splits` {
  private func ends(_ split: Split, _ lengths: [Int]) -> [[UInt32]] {
    let rows = lengths.enumerated().flatMap { user, count in
      (0..<count).map { ("u\(user)", "i\($0)", Int64($0)) }
    }
    let (train, valid) = split.ends(of: makeHistories(rows).1)
    return zip(train, valid).map { [$0, $1] }
  }

  @Test func `leave-one-out holds out the last two events of users with three or more`() {
    #expect(ends(.last(1), [1, 2, 3, 7]) == [[1, 1], [2, 2], [1, 2], [5, 6]])
  }

  @Test func `last-n holds out two times n events where one is left`() {
    #expect(ends(.last(2), [4, 5, 9]) == [[4, 4], [1, 3], [5, 7]])
  }

  @Test func `no event of a time split's train part is at or after its cut`() {
    #expect(ends(.time(valid: 3, test: 5), [2, 4, 9]) == [[2, 2], [3, 4], [3, 5]])
  }
}

struct `Popularity groups` {
  /// Train counts: item 0 three, item 1 two, item 2 two, item 3 one, item 4 none; the held-out events do not count.
  private var groups: PopularityGroups {
    let (log, source) = makeHistories([
      ("a", "v", 1), ("a", "w", 2), ("a", "v", 3), ("a", "x", 4), ("a", "z", 5), ("a", "z", 6),
      ("b", "v", 1), ("b", "w", 2), ("b", "x", 3), ("b", "y", 4), ("b", "z", 5), ("b", "v", 6),
    ])
    var histories = source
    _ = histories.renumberItems(itemCount: log.items.count)
    return PopularityGroups(
      histories, trainEnds: [4, 4], itemCount: 5, headShare: 0.4, tailThreshold: 2)
  }

  @Test func `popularity is counted on train events`() {
    // v w x z y in the order of first events.
    #expect(groups.trainCounts == [3, 2, 2, 0, 1])
  }

  @Test func `head is a share of the items, ties by smaller number`() {
    #expect(groups.isHead == [true, true, false, false, false])
  }

  @Test func `tail is below the threshold`() {
    #expect(groups.isTail == [false, false, false, true, true])
  }

  @Test func `buckets begin at 1, 10, 30, 60 and 100, cold is none`() {
    #expect(groups.buckets.map(\.label) == ["1-9", "1-9", "1-9", "cold", "1-9"])
  }
}
