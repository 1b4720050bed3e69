import Dataset
import ShardIO
import SystemPackage
import TestSupport
import Testing
import TextInput

@testable import Preprocess

/// A log of (user, item, time) in two blocks of two workers.
func makeLog(
  _ rows: [(String, String, Int64)], _ storage: EventStorage = .unlimited, weights: [UInt16] = []
) throws -> InteractionLog {
  var workers = [WorkerIDs(), WorkerIDs()]
  var blocks = [EventBlock(), EventBlock()]
  for (index, (user, item, time)) in rows.enumerated() {
    let worker = index < rows.count / 2 ? 0 : 1
    blocks[worker].worker = worker
    blocks[worker].append(
      user: workers[worker].users.insert(user.utf8), item: workers[worker].items.insert(item.utf8),
      time: time, weight: weights.isEmpty ? nil : weights[index])
  }
  if !storage.keepsBlock(byteCount: blocks[1].byteCount, worker: 0, idByteCount: 0) {
    try blocks[1].store(storage)
  }
  return InteractionLog(workers, blocks, storage, threads: 2)
}

extension EventStorage {
  /// Room for nothing.
  static var narrow: EventStorage { EventStorage(limit: 0, directory: "/tmp") }
}

extension Histories {
  /// All histories in one part.
  init(users: [UInt32], offsets: [Int], items: [UInt32], times: [Int64], threads: Int = 1) {
    self.init(
      parts: [HistoryPart(users: users, offsets: offsets, items: items, times: times)], .unlimited,
      threads: threads)
  }

  /// All parts with their events in memory.
  var loaded: [HistoryPart] {
    get throws { try parts.indices.map { try part($0) } }
  }

  var items: [UInt32] { get throws { try loaded.flatMap(\.items) } }
  var times: [Int64] { get throws { try loaded.flatMap(\.times) } }
}

/// Histories in time order as text, for example `["a: x y"]`.
func described(_ log: InteractionLog, _ histories: Histories) throws -> [String] {
  try histories.loaded.flatMap { part in
    (0..<part.userCount).map { user in
      let items = part.items[part.range(of: user)].map { log.items.text($0) }
      return "\(log.users.text(part.users[user])): \(items.joined(separator: " "))"
    }
  }
}

func makeHistories(
  _ rows: [(String, String, Int64)], _ deduplication: Deduplication = .none,
  _ storage: EventStorage = .unlimited, minimumWeight: Int = 0, weights: [UInt16] = [],
  ties: (TieRule, UInt64) = (.hash, 42)
) throws -> (InteractionLog, Histories) {
  var log = try makeLog(rows, storage, weights: weights)
  let admits = [Bool](repeating: true, count: log.items.count)
  let (histories, _) = try Histories.sorting(
    &log, admits: admits,
    RepeatRule(deduplication: deduplication, minimumWeight: minimumWeight), ties: ties,
    threads: 2)
  return (log, histories)
}

struct `User histories` {
  @Test func `users come in the order of their ids, events in the order of time`() throws {
    let (log, histories) = try makeHistories([
      ("b", "x", 3), ("b", "y", 1), ("a", "z", 6), ("b", "w", 4), ("a", "y", 5), ("10", "x", 0),
    ])
    #expect(try described(log, histories) == ["10: x", "a: y z", "b: y x w"])
  }

  @Test func `the order of the rows changes nothing`() throws {
    try withEvery("seed", in: 0..<20) { seed in
      var random = SeededGenerator(seed: seed)
      let rows = (0..<300).map { _ in
        (
          "u\(Int.random(in: 0..<20, using: &random))", "i\(Int.random(in: 0..<9, using: &random))",
          Int64.random(in: 0..<12, using: &random)
        )
      }
      for rule in Deduplication.allCases {
        let (log, histories) = try makeHistories(rows, rule)
        let (other, shuffled) = try makeHistories(rows.shuffled(using: &random), rule)
        try #require(try described(log, histories) == described(other, shuffled))
        try #require(try histories.times == shuffled.times)
      }
    }
  }

  @Test func `times of any size and resolution are sorted and kept`() throws {
    let extremes: [Int64] = [.min, -7, 0, 1, 999_999, 1_700_000_000_000_000, .max]
    try withEvery("seed", in: 0..<20) { seed in
      var random = SeededGenerator(seed: seed)
      let unit = ([1, 1000, 1_000_000] as [Int64]).randomElement(using: &random) ?? 1
      let rows = (0..<200).map { index in
        let time =
          seed.isMultiple(of: 4)
          ? extremes[index % extremes.count]
          : 1_700_000_000_000_000 + unit * Int64.random(in: -90...90, using: &random)
        return ("u\(index % 3)", "i\(Int.random(in: 0..<9, using: &random))", time)
      }
      let expected = ["u0", "u1", "u2"].flatMap { user in
        let mine = rows.filter { $0.0 == user }
        return mine.indices.sorted { (mine[$0].2, $0) < (mine[$1].2, $1) }.map { mine[$0] }
      }
      let (log, histories) = try makeHistories(rows, ties: (.file, 42))
      try #require(try histories.times == expected.map(\.2))
      try #require(try histories.items.map { log.items.text($0) } == expected.map(\.1))
    }
  }

  @Test(arguments: [
    (Deduplication.none, "u: x y x x y"), (.first, "u: x y"), (.last, "u: x y"),
    (.consecutive, "u: x y x y"),
  ])
  func `repeated items are kept, or one of them`(rule: Deduplication, expected: String) throws {
    let (log, histories) = try makeHistories(
      [("u", "x", 1), ("u", "y", 2), ("u", "x", 3), ("u", "x", 4), ("u", "y", 5)], rule)
    #expect(try described(log, histories) == [expected])
  }

  @Test func `first keeps the earliest and last the latest event of an item`() throws {
    let rows: [(String, String, Int64)] = [("u", "x", 9), ("u", "y", 5), ("u", "x", 1)]
    #expect(try makeHistories(rows, .first).1.times == [1, 5])
    #expect(try makeHistories(rows, .last).1.times == [5, 9])
  }

  @Test func `long histories lose repeats as short ones do`() throws {
    let rows = (0..<100).map { ("u", "i\($0 % 60)", Int64($0)) }
    #expect(try makeHistories(rows, .first).1.times == (0..<60).map { Int64($0) })
    #expect(try makeHistories(rows, .last).1.times == (40..<100).map { Int64($0) })
  }

  @Test func `items are numbered in the order of their first event`() throws {
    let (log, source) = try makeHistories([("b", "x", 1), ("a", "y", 9), ("a", "x", 7)])
    var histories = source
    let kept = try histories.renumberItems(itemCount: log.items.count)
    #expect(kept.map { log.items.text($0) } == ["x", "y"])
    #expect(try histories.items == [0, 1, 0])
  }

  @Test func `the maximum history keeps the last events`() throws {
    let (log, source) = try makeHistories([
      ("a", "x", 1), ("a", "y", 2), ("a", "z", 3), ("b", "x", 1),
    ])
    var histories = source
    #expect(try histories.keepLast(2) == 1)
    #expect(try described(log, histories) == ["a: y z", "b: x"])
  }
}

struct `Memory for events` {
  private let rows = (0..<20_000).map { index in
    ("u\(index * 7919 % 1013)", "i\(index * index % 997)", Int64(index * 31 % 5003))
  }

  @Test(arguments: Deduplication.allCases)
  func `that is too small changes nothing`(rule: Deduplication) throws {
    var (log, expected) = try makeHistories(rows, rule)
    var (_, found) = try makeHistories(rows, rule, .narrow)
    #expect(try found.items == expected.items)
    #expect(found.parts.allSatisfy { $0.items.isEmpty })
    let core = CoreFilter(minimumUserCount: 5, minimumItemCount: 20)
    #expect(
      try core.apply(to: &found, itemCount: log.items.count)
        == core.apply(to: &expected, itemCount: log.items.count))
    #expect(try found.keepLast(9) == expected.keepLast(9))
    #expect(
      try found.renumberItems(itemCount: log.items.count)
        == expected.renumberItems(itemCount: log.items.count))
    #expect(try found.items == expected.items)
    #expect(try found.times == expected.times)
    #expect(try found.orderedTimes([0, 99, 500]) == expected.times.sorted().places([0, 99, 500]))
  }

  @Test func `is found for the pairs, and for the rows of tables`() throws {
    var (log, expected) = try makeHistories(rows)
    var (_, found) = try makeHistories(rows, .none, .narrow)
    let itemCount = try expected.renumberItems(itemCount: log.items.count).count
    _ = try found.renumberItems(itemCount: log.items.count)
    let (trainEnds, validEnds) = try Split.last(1).ends(of: expected)
    let kinds = PositivePairs.Kind.allCases
    #expect(
      try PairBuilder().pairs(kinds, found, trainEnds: trainEnds, itemCount: itemCount)
        == PairBuilder().pairs(kinds, expected, trainEnds: trainEnds, itemCount: itemCount))
    for histories in [found, expected] {
      let rows = SequenceRows(
        histories: histories, userIDs: log.users, trainEnds: trainEnds, validEnds: validEnds,
        hasSeconds: false)
      let middle = try rows.sequences(100..<900)
      #expect(middle.items.count == 800)
      #expect(try middle.items.values == Array(expected.items[expected.rows(100..<900)]))
      #expect(middle.userIDs[0] == log.users.text(expected.parts.flatMap(\.users)[100]))
      #expect(rows.byteCounts.reduce(0, +) == (try rows.sequences(0..<1013).table.byteCount))
    }
  }
}

extension [Int64] {
  fileprivate func places(_ places: [Int]) -> [Int64] { places.map { self[$0] } }
}

extension Histories {
  /// The events of some users, counted through all parts.
  fileprivate func rows(_ users: Range<Int>) -> Range<Int> {
    let counts = parts.flatMap { part in (0..<part.userCount).map { part.range(of: $0).count } }
    return counts[..<users.lowerBound].reduce(0, +)..<counts[..<users.upperBound].reduce(0, +)
  }
}

struct `Core filter` {
  @Test func `users and items below the minimum go until nothing changes`() throws {
    // c has one event, so it goes; then z has one event left and goes; then b has one event left and goes.
    let (log, source) = try makeHistories([
      ("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("b", "z", 2), ("c", "z", 1), ("d", "x", 1),
      ("d", "y", 2),
    ])
    var histories = source
    let core = CoreFilter(minimumUserCount: 2, minimumItemCount: 2)
    #expect(try core.apply(to: &histories, itemCount: log.items.count) == 3)
    #expect(try described(log, histories) == ["a: x y", "d: x y"])
  }

  @Test func `one pass counts users and items before anything goes`() throws {
    let (log, source) = try makeHistories([
      ("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("b", "z", 2), ("c", "z", 1), ("d", "x", 1),
      ("d", "y", 2),
    ])
    var histories = source
    let core = CoreFilter(minimumUserCount: 2, minimumItemCount: 2, isIterated: false)
    #expect(try core.apply(to: &histories, itemCount: log.items.count) == 1)
    #expect(try described(log, histories) == ["a: x y", "b: x z", "d: x y"])
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
      let (log, source) = try makeHistories(rows)
      var histories = source
      _ = try CoreFilter(minimumUserCount: 4, minimumItemCount: 4)
        .apply(to: &histories, itemCount: log.items.count)
      let found = try Set(described(log, histories))
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
  private func ends(_ split: Split, _ lengths: [Int]) throws -> [[UInt32]] {
    let rows = lengths.enumerated().flatMap { user, count in
      (0..<count).map { ("u\(user)", "i\($0)", Int64($0)) }
    }
    let (train, valid) = try split.ends(of: makeHistories(rows).1)
    return zip(train, valid).map { [$0, $1] }
  }

  @Test func `leave-one-out holds out the last two events of users with three or more`() throws {
    #expect(try ends(.last(1), [1, 2, 3, 7]) == [[1, 1], [2, 2], [1, 2], [5, 6]])
  }

  @Test func `last-n holds out two times n events where one is left`() throws {
    #expect(try ends(.last(2), [4, 5, 9]) == [[4, 4], [1, 3], [5, 7]])
  }

  @Test func `no event of a time split's train part is at or after its cut`() throws {
    #expect(try ends(.time(valid: 3, test: 5), [2, 4, 9]) == [[2, 2], [3, 4], [3, 5]])
  }
}

struct `Popularity groups` {
  /// Train counts: item 0 three, item 1 two, item 2 two, item 3 one, item 4 none; the held-out events do not count.
  private func groups() throws -> PopularityGroups {
    let (log, source) = try makeHistories([
      ("a", "v", 1), ("a", "w", 2), ("a", "v", 3), ("a", "x", 4), ("a", "z", 5), ("a", "z", 6),
      ("b", "v", 1), ("b", "w", 2), ("b", "x", 3), ("b", "y", 4), ("b", "z", 5), ("b", "v", 6),
    ])
    var histories = source
    _ = try histories.renumberItems(itemCount: log.items.count)
    return try PopularityGroups(
      histories, trainEnds: [4, 4], itemCount: 5, headShare: 0.4, tailThreshold: 2)
  }

  @Test func `popularity is counted on train events`() throws {
    // v w x z y in the order of first events.
    #expect(try groups().trainCounts == [3, 2, 2, 0, 1])
  }

  @Test func `head is a share of the items, ties by smaller number`() throws {
    #expect(try groups().isHead == [true, true, false, false, false])
  }

  @Test func `tail is below the threshold`() throws {
    #expect(try groups().isTail == [false, false, false, true, true])
  }

  @Test func `buckets begin at 1, 10, 30, 60 and 100, cold is none`() throws {
    #expect(try groups().buckets.map(\.label) == ["1-9", "1-9", "1-9", "cold", "1-9"])
  }
}
