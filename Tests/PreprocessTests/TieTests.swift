import ArgumentParser
import Dataset
import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing
import TextInput

@testable import Preprocess

/// Baskets without any order in them: a user, the items, the time of all of them.
private func baskets(_ count: Int, seed: Int) -> [(String, String, Int64)] {
  var random = SeededGenerator(seed: seed)
  return (0..<count).flatMap { user in
    var items = Set<Int>()
    while items.count < 8 { items.insert(Int.random(in: 0..<200, using: &random)) }
    return items.sorted().shuffled(using: &random).map { item in
      ("u\(user)", "i\(1000 + item)", Int64(1_500_000_000_000_000))
    }
  }
}

struct `Events at one time` {
  @Test(
    arguments: [
      (42, ["ann: f b e g c a d h", "bob: c e g d b f a h"]),
      (7, ["ann: b f d a g h c e", "bob: d e c g b f h a"]),
    ] as [(UInt64, [String])])
  func `are in the order of a hash of seed, user, time and item`(
    seed: UInt64, expected: [String]
  ) throws {
    // The expected order is that of a program in Python with libxxhash.
    let rows = ["ann", "bob"].flatMap { user in
      "abcdefgh".map { (user, String($0), Int64(1_500_000_000_000_000)) }
    }
    let (log, histories) = try makeHistories(rows, ties: (.hash, seed))
    #expect(try described(log, histories) == expected)
  }

  @Test func `of one item are parted, each by its number among them`() throws {
    // The order is that of the same program.
    let rows = "abacda".map { ("ann", String($0), Int64(1_500_000_000_000_000)) }
    let (log, histories) = try makeHistories(rows)
    #expect(try described(log, histories) == ["ann: a b a c a d"])
  }

  @Test func `of one item count as consecutive, wherever they stand in the file`() throws {
    let rows = "abacda".map { ("ann", String($0), Int64(1_500_000_000_000_000)) }
    let (_, histories) = try makeHistories(rows, .consecutive)
    #expect(histories.eventCount == 4)
  }

  @Test func `give no advantage to the alphabet`() throws {
    let (log, histories) = try makeHistories(baskets(4000, seed: 5))
    let rows = try described(log, histories).map { Array($0.split(separator: " ").dropFirst()) }
    // Each of the eight places is as likely as any other: 500 expected, standard deviation 21.
    var lastRanks = [Int](repeating: 0, count: 8)
    var rising = 0
    for row in rows {
      let last = try #require(row.last)
      lastRanks[row.count { $0 < last }] += 1
      rising += zip(row, row.dropFirst()).count { $0 < $1 }
    }
    #expect(lastRanks.allSatisfy { (395...605).contains($0) }, "\(lastRanks)")
    // 28,000 neighbours, half of them rising; their standard deviation is below 84.
    #expect((13_580...14_420).contains(rising), "\(rising)")
  }

  @Test func `are another order when items have other names, and chance is the same`() throws {
    let rows = baskets(4000, seed: 6)
    let names = Dictionary(
      uniqueKeysWithValues: (0..<200).map { ("i\(1000 + $0)", "n\(1000 + $0 * 77 % 200)") })
    let renamed = rows.map { ($0.0, names[$0.1] ?? "", $0.2) }
    func lastShare(_ rows: [(String, String, Int64)]) throws -> (last: [String], maxima: Int) {
      let (log, histories) = try makeHistories(rows)
      let found = try described(log, histories).map { Array($0.split(separator: " ").dropFirst()) }
      return (found.map { String($0.last ?? "") }, found.count { $0.last == $0.max() })
    }
    let first = try lastShare(rows)
    let second = try lastShare(renamed)
    #expect((395...605).contains(first.maxima) && (395...605).contains(second.maxima))
    // With eight items in a basket the same one is last in an eighth of the baskets by chance.
    let same = zip(first.last, second.last).count { names[$0] == $1 }
    #expect((395...605).contains(same), "\(same)")
  }

  @Test func `do not depend on the order of the rows, with weights neither`() throws {
    var random = SeededGenerator(seed: 8)
    let rows = (0..<600).map { _ in
      (
        "u\(Int.random(in: 0..<9, using: &random))", "i\(Int.random(in: 0..<9, using: &random))",
        Int64.random(in: 0..<3, using: &random)
      )
    }
    let weights = rows.indices.map { _ in UInt16.random(in: 1...3, using: &random) }
    let order = rows.indices.shuffled(using: &random)
    for rule in Deduplication.allCases {
      let (log, histories) = try makeHistories(rows, rule, weights: weights)
      let (other, shuffled) = try makeHistories(
        order.map { rows[$0] }, rule, .narrow, weights: order.map { weights[$0] })
      let (expected, found) = (try described(log, histories), try described(other, shuffled))
      #expect(found == expected)
      #expect(try histories.times == shuffled.times)
    }
  }

  @Test(arguments: [false, true])
  func `keep the order of the rows with --ties file, in memory and out of it`(
    hasWeights: Bool
  ) throws {
    let weights = [UInt16](repeating: 1, count: hasWeights ? 20_000 : 0)
    let rows = (0..<20_000).map { index in
      ("u\(index * 7919 % 103)", "i\(index * index % 997)", Int64(index * 31 % 13))
    }
    let users = Set(rows.map(\.0)).sorted()
    let expected = users.flatMap { user in
      let mine = rows.filter { $0.0 == user }
      return mine.indices.sorted { (mine[$0].2, $0) < (mine[$1].2, $1) }.map { mine[$0].1 }
    }
    for storage in [EventStorage.unlimited, .narrow] {
      let (log, histories) = try makeHistories(
        rows, .none, storage, weights: weights, ties: (.file, 1))
      #expect(try histories.items.map { log.items.text($0) } == expected)
    }
  }
}

struct `A log with ties` {
  /// What a run writes for some files in a folder.
  private func run(
    _ files: [(String, [String])], _ paths: [String], _ options: [String] = [],
    _ body: (StageInput, StageResult) throws -> Void
  ) async throws {
    try await withTemporaryDirectory { directory in
      try FileManager.default.createDirectory(
        atPath: directory.appending("log").string, withIntermediateDirectories: true)
      for (name, rows) in files {
        let text = (["user_id,item_id,timestamp"] + rows).joined(separator: "\n") + "\n"
        try write(Array(text.utf8), to: directory.appending("log").appending(name))
      }
      let result = try await runStage(
        "h2rec-preprocess",
        ["--interactions"] + paths + [
          "--output", "out", "--user-core", "0", "--item-core", "0", "--negatives", "0",
          "--popular-negatives", "0", "--pairs", "none", "--threads", "2",
        ] + options, in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      try body(
        try StageInput(directory: directory.appending("out"), expecting: "preprocess"), result)
    }
  }

  private func items(_ input: StageInput) throws -> [String] {
    let data = try PreprocessedData(input)
    return data.sequences.items[0].map { data.catalogue.itemIDs[Int($0)] }
  }

  private let parts = [
    ("part-10.csv", ["u,c,7", "u,d,7"]), ("part-2.csv", ["u,e,7", "u,b,7"]),
    ("part-9.csv", ["u,a,7"]),
  ]

  @Test(arguments: [
    (["log"], "e b a c d"), (["log/part-*.csv"], "e b a c d"),
    (["log/part-9.csv", "log/part-10.csv", "log/part-2.csv"], "a c d e b"),
    (["log/part-9.csv", "log"], "a e b c d"),
  ])
  func `keeps the order of files given, and of the numbers in their names`(
    paths: [String], expected: String
  ) async throws {
    for options in [["--ties", "file"], ["--timestamp-format", "none"]] {
      try await run(parts, paths, options) { input, _ in
        let found = try items(input)
        #expect(found.joined(separator: " ") == expected)
      }
    }
  }

  @Test func `has its ties counted, and told above 5 %`() async throws {
    // Events 2 and 3 of ann share a time, and the last two of bob; cy has none.
    let rows = [
      "ann,a,1500000000", "ann,b,1500000001", "ann,c,1500000001", "ann,d,1500000002",
      "bob,a,1500000000", "bob,b,1500000001", "bob,c,1500000002", "bob,d,1500000002",
      "cy,a,1500000000", "cy,b,1500000000.5", "cy,c,1500000001",
    ]
    try await run([("log.csv", rows)], ["log"]) { input, result in
      let counters = input.manifest.counters
      #expect(counters["eventsTied"]?.integerValue == 4)
      #expect(counters["eventsTiedShare"]?.numberValue == 4.0 / 11)
      #expect(counters["validTargetsTied"]?.integerValue == 1)
      #expect(counters["testTargetsTied"]?.integerValue == 1)
      #expect(result.output.contains("36.4 % of the events share their time with another"))
      #expect(result.output.contains("Warning: 36.4 % of the events share their time"))
      #expect(result.output.contains("\"eventsTiedShare\":0.36"))
      let sequences = try PreprocessedData(input).sequences
      // The two held-out events of each, valid and test; half a second apart is no tie.
      #expect(sequences.heldOutTies?.values == [1, 0, 0, 1, 0, 0])
      #expect(sequences.sharesTime(of: 0, event: 2) == true)
      #expect(sequences.sharesTime(of: 1, event: 3) == true)
      #expect(sequences.sharesTime(of: 2, event: 2) == false)
    }
    try await run([("log.csv", rows)], ["log"], ["--timestamp-format", "none"]) { input, result in
      #expect(input.manifest.counters["eventsTied"] == nil)
      #expect(!result.output.contains("share their time"))
      let data = try PreprocessedData(input)
      #expect(data.sequences.heldOutTies == nil)
    }
  }
}
