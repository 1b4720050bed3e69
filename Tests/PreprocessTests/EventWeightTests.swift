import Dataset
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Preprocess

struct `Weights of events` {
  /// x is viewed, bought, bought and viewed again; y is viewed twice; z is put into the cart.
  private static let rows: [(String, String, Int64)] = [
    ("u", "x", 1), ("u", "y", 2), ("u", "x", 3), ("u", "x", 4), ("u", "y", 5), ("u", "z", 6),
    ("u", "x", 7),
  ]
  private static let weights: [UInt16] = [1, 1, 5, 5, 1, 2, 1]

  private func times(_ rule: Deduplication, _ minimumWeight: Int = 0) throws -> [Int64] {
    try makeHistories(Self.rows, rule, minimumWeight: minimumWeight, weights: Self.weights).1.times
  }

  @Test func `of repeated events the heaviest stays, the rule decides between equal ones`() throws {
    #expect(try times(.none) == [1, 2, 3, 4, 5, 6, 7])
    #expect(try times(.first) == [2, 3, 6])
    #expect(try times(.last) == [4, 5, 6])
    // The runs are x, y, x x, y, z, x.
    #expect(try times(.consecutive) == [1, 2, 3, 5, 6, 7])
  }

  @Test func `a run keeps its heaviest event`() throws {
    let rows: [(String, String, Int64)] = [("u", "x", 1), ("u", "x", 2), ("u", "x", 3)]
    #expect(try makeHistories(rows, .consecutive, weights: [1, 5, 5]).1.times == [2])
  }

  @Test func `users and items whose weights sum to too little go`() throws {
    #expect(try times(.none, 1) == [1, 2, 3, 4, 5, 6, 7])
    #expect(try times(.none, 2) == [1, 2, 3, 4, 5, 6, 7])
    #expect(try times(.none, 3) == [1, 3, 4, 7])
    #expect(try times(.first, 3) == [3])
    #expect(try times(.none, 12) == [1, 3, 4, 7])
    #expect(try times(.none, 13) == [])
  }

  @Test func `without weights every event weighs 1`() throws {
    let histories = try makeHistories(Self.rows, .none, minimumWeight: 2).1
    #expect(try histories.times == [1, 2, 3, 4, 5, 7])
  }

  @Test func `weights follow their events through sorting`() throws {
    let rows: [(String, String, Int64)] = [("b", "x", 9), ("a", "x", 5), ("b", "x", 1)]
    #expect(try makeHistories(rows, .first, weights: [1, 1, 5]).1.times == [5, 1])
    #expect(try makeHistories(rows, .first, weights: [5, 1, 1]).1.times == [5, 9])
  }

  @Test(
    arguments: [
      ("buy", ["buy": 1]), ("view=1,cart=2,buy=5", ["view": 1, "cart": 2, "buy": 5]),
      ("buy=1000,view", ["buy": 1000, "view": 1]),
    ] as [(String, [String: UInt16])])
  func `kinds of events are read with and without weights`(
    argument: String, weights: [String: UInt16]
  ) {
    #expect(EventKinds(argument: argument)?.weights == weights)
  }

  @Test(arguments: [
    "", "=", "buy=", "=1", "buy=0", "buy=1001", "buy=1.5", "buy=-1", "a,,b", "a=1=1",
    "a=1,a=2",
  ])
  func `other texts are no kinds of events`(argument: String) {
    #expect(EventKinds(argument: argument) == nil)
  }

  private static let csv = """
    user_id,item_id,event,timestamp
    a,p,view,1
    a,p,buy,2
    a,q,view,3
    a,r,cart,4
    a,r,view,5
    a,s,play,6

    """

  private static let json = """
    {"user_id":"a","item_id":"p","event":"view","timestamp":1}
    {"user_id":"a","item_id":"p","event":"buy","timestamp":2}
    {"user_id":"a","item_id":"q","event":"view","timestamp":3}
    {"user_id":"a","item_id":"r","event":"cart","timestamp":4}
    {"user_id":"a","item_id":"r","event":"view","timestamp":5}
    {"user_id":"a","item_id":"s","event":"play","timestamp":6}

    """

  @Test(arguments: [csv, json])
  func `the program keeps the events that weigh enough`(log: String) async throws {
    try await withTemporaryDirectory { directory in
      try write(Array(log.utf8), to: directory.appending("log"))
      let result = try await runStage(
        "h2rec-preprocess",
        [
          "--interactions", "log", "--events", "view=1,cart=2", "buy=5", "--minimum-weight", "3",
          "--dedup", "last", "--user-core", "0", "--item-core", "0", "--output", "out",
        ], in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      let input = try StageInput(directory: directory.appending("out"), expecting: "preprocess")
      let data = try PreprocessedData(input)
      #expect(data.catalogue.itemIDs == ["p", "r"])
      #expect(Array(data.times[0]) == [2, 4])
      #expect(input.manifest.counters["eventsTooWeak"] == 1)
      #expect(input.manifest.counters["eventsRepeated"] == 2)
      #expect(input.manifest.counters["rowsOfOtherEvents"] == 1)
      #expect(input.manifest.configuration["events"] == ["view": 1, "cart": 2, "buy": 5])
    }
  }

  @Test(arguments: [
    (
      ["--events", "buy=5"], "The weights of '--events' need '--minimum-weight' or '--dedup'."
    ),
    (
      ["--events", "buy=5", "buy=4", "--dedup", "first"],
      "'--events' gives the kind 'buy' two weights."
    ),
    (["--minimum-weight", "0"], "'--minimum-weight' must be from 1 to 1000000, not 0."),
  ])
  func `weights without a use are refused`(options: [String], message: String) async throws {
    try await withTemporaryDirectory { directory in
      let result = try await runStage(
        "h2rec-preprocess", ["--interactions", "log", "--output", "out"] + options, in: directory)
      #expect(result.status == .exited(64))
      #expect(result.error.contains(message))
    }
  }
}
