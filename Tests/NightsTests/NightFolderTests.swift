import Foundation
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Nights

/// 2026-11-30T03:00:00Z.
private let threeOClock: Int64 = 1796007600

private func record(_ isPublished: Bool, frozen: Bool = false) -> NightRecord {
  NightRecord(
    isPublished: isPublished, reasons: isPublished ? [] : ["tail: fell"], template: [["a", "b"]],
    isWarm: false, hasFrozenCodes: frozen, figures: ["seconds": 1.5])
}

/// Begins and ends a night at a time.
private func end(_ folder: NightFolder, _ seconds: Int64, _ isPublished: Bool) throws -> String {
  let night = try folder.begin(now: seconds)
  try FileManager.default.createDirectory(
    atPath: folder.folder(night).string, withIntermediateDirectories: true)
  try folder.end(night, record(isPublished))
  return night
}

struct `The folder of nights` {
  @Test(
    arguments: [
      (threeOClock, "2026-11-30T03-00-00Z"), (0, "1970-01-01T00-00-00Z"),
      (951_782_400 + 86_399, "2000-02-29T23-59-59Z"), (4_102_444_800, "2100-01-01T00-00-00Z"),
    ] as [(Int64, String)])
  func `has names that are times`(seconds: Int64, name: String) {
    #expect(NightFolder.name(seconds) == name && NightFolder.seconds(name) == seconds)
    #expect(
      NightFolder.seconds("x" + name) == nil && NightFolder.seconds(".removed-\(name)") == nil)
  }

  @Test func `publishes good nights and keeps what was published before a bad one`() throws {
    try withTemporaryDirectory { directory in
      let folder = NightFolder(directory)
      #expect(folder.published == nil)
      let first = try end(folder, threeOClock, true)
      #expect(folder.published == first)
      let bad = try end(folder, threeOClock + 86_400, false)
      #expect(folder.published == first)
      // The clock went back: the name still comes after the newest one.
      let third = try end(folder, threeOClock - 3600, true)
      #expect(third > bad && folder.published == third)
      let lines = try folder.history()
      #expect(lines.map { $0["night"]?.stringValue } == [first, bad, third])
      #expect(lines.map { $0["published"]?.boolValue } == [true, false, true])
      #expect(try folder.record(bad) == record(false))
      #expect(try folder.rollBack(now: threeOClock) == first)
      #expect(folder.published == first)
      #expect(throws: PipelineError.self) { try folder.rollBack(now: threeOClock) }
      try folder.recover()
      #expect(folder.published == first)
    }
  }

  @Test func `never goes back to a night that was taken back`() throws {
    try withTemporaryDirectory { directory in
      let folder = NightFolder(directory)
      let good = try end(folder, threeOClock, true)
      let bad = try end(folder, threeOClock + 100, true)
      #expect(try folder.rollBack(now: threeOClock + 150) == good)
      let next = try end(folder, threeOClock + 200, true)
      #expect(try folder.predecessor(of: next) == good && bad < next)
      #expect(try folder.rollBack(now: threeOClock + 250) == good)
    }
  }

  @Test func `finishes a rollback that was cut short, once`() throws {
    try withTemporaryDirectory { directory in
      let folder = NightFolder(directory)
      let first = try end(folder, threeOClock, true)
      let second = try end(folder, threeOClock + 100, true)
      let third = try end(folder, threeOClock + 200, true)
      #expect(try folder.rollBack(now: threeOClock + 250) == second)
      // Killed after the line of the history, before the link.
      try FileManager.default.removeItem(atPath: folder.link.string)
      try FileManager.default.createSymbolicLink(
        atPath: folder.link.string, withDestinationPath: "runs/\(third)")
      #expect(try folder.recover() && folder.published == second)
      #expect(try !folder.recover() && folder.published == second)
      #expect(try folder.history().count == 4)
      #expect(try folder.rollBack(now: threeOClock + 300) == first)
    }
  }

  @Test func `goes on with a night that has no end`() throws {
    try withTemporaryDirectory { directory in
      let folder = NightFolder(directory)
      let night = try folder.begin(now: threeOClock)
      try FileManager.default.createDirectory(
        atPath: folder.folder(night).string, withIntermediateDirectories: true)
      #expect(try folder.begin(now: threeOClock + 9999) == night)
    }
  }

  @Test func `finishes what a record decided before a crash`() throws {
    try withTemporaryDirectory { directory in
      let folder = NightFolder(directory)
      let first = try end(folder, threeOClock, true)
      // Killed after the record, before the link and the history.
      let second = try end(folder, threeOClock + 100, true)
      try FileManager.default.removeItem(atPath: folder.link.string)
      try FileManager.default.createSymbolicLink(
        atPath: folder.link.string, withDestinationPath: "runs/\(first)")
      let lines = String(decoding: try readWholeFile(folder.historyFile), as: UTF8.self)
        .split(separator: "\n")
      try write(Array((lines[0] + "\n").utf8), to: folder.historyFile)
      #expect(folder.published == first)
      try folder.recover()
      #expect(try folder.published == second && folder.history().count == 2)
      // And after the link, before the history.
      try write(Array((lines[0] + "\n").utf8), to: folder.historyFile)
      try folder.recover()
      #expect(try folder.published == second && folder.history().count == 2)
    }
  }

  @Test func `keeps the last nights, one a week, the published one and its predecessor`() throws {
    try withTemporaryDirectory { directory in
      let folder = NightFolder(directory)
      let day: Int64 = 86_400
      var names: [String] = []
      for number in 0..<30 {
        names.append(try end(folder, threeOClock + Int64(number) * day, number < 9))
      }
      // A rest of a removal that was cut short.
      let rest = folder.nights.appending(".removed-2020-01-01T00-00-00Z")
      try FileManager.default.createDirectory(
        atPath: rest.string, withIntermediateDirectories: true)
      try folder.recover()
      #expect(!FileManager.default.fileExists(atPath: rest.string))
      let removed = try folder.retain(last: 3, weeks: 2)
      let left = try folder.all()
      #expect(Set(removed).isDisjoint(with: left) && removed.count + left.count == 30)
      // Nights 7 and 8 are the predecessor and the published one.
      #expect(left.contains(names[7]) && left.contains(names[8]) && folder.published == names[8])
      #expect(left.suffix(3) == names.suffix(3) && left.count <= 7)
      #expect(try folder.retain(last: 3, weeks: 2).isEmpty)
    }
  }

  @Test func `is not fooled by other links and damaged records`() throws {
    try withTemporaryDirectory { directory in
      let folder = NightFolder(directory)
      try FileManager.default.createSymbolicLink(
        atPath: folder.link.string, withDestinationPath: "../elsewhere/2026-11-30T03-00-00Z")
      #expect(folder.published == nil)
      let night = try end(folder, threeOClock, false)
      try write(Array("{\"published\": 1}".utf8), to: folder.folder(night).appending("night.json"))
      #expect(throws: PipelineError.self) { try folder.record(night) }
    }
  }
}

struct `The gate` {
  private func report(
    _ drop: Double, chance: Double, popularity: Double = 0.01, coverage: Double = 0.5,
    changed: Double = 0.9
  ) -> JSONValue {
    func group(_ value: Double) -> JSONValue { ["ndcg@10": .number(value)] }
    let difference: JSONValue = [
      "ndcg@10": ["difference": .number(-drop), "p-bootstrap": .number(chance)]
    ]
    return [
      "protocols": ["full": ["overall": group(0.1), "tail": group(0.05)]],
      "against": [
        "values": ["full": ["overall": group(0.1), "tail": group(0.05)]],
        "protocols": ["full": ["overall": difference, "tail": difference]],
        "listChange": ["items": 10, "changedShare": .number(changed), "keptShare": 0.5],
      ],
      "baselines": ["popularity": ["values": ["overall": group(popularity)]]],
      "lists": ["coverage@10": .number(coverage)],
    ]
  }

  private let gate = NightGate(
    maximumDrops: [("overall", 0.01), ("tail", 0.1)], minimumCoverage: 0.2)

  @Test func `refuses falls beyond a limit that are no chance, each group by its own`() {
    #expect(gate.reasons(report(0.0005, chance: 0.01)).isEmpty)
    // 2 % of .1 overall, 4 % of .05 on the tail.
    let reasons = gate.reasons(report(0.002, chance: 0.01))
    #expect(
      reasons.count == 1 && reasons[0].hasPrefix("overall: NDCG@10 fell by 2.0 %, more than 1.0 %"))
    #expect(gate.reasons(report(0.002, chance: 0.06)).isEmpty)
    #expect(gate.reasons(report(0.006, chance: 0)).count == 2)
    // What is no chance to one is to another.
    let (bold, careful) = (
      NightGate(maximumDrops: [("overall", 0.01)], confidence: 0.99),
      NightGate(maximumDrops: [("overall", 0.01)], confidence: 0.9)
    )
    #expect(bold.reasons(report(0.002, chance: 0.02)).isEmpty)
    #expect(careful.reasons(report(0.002, chance: 0.06)).count == 1)
  }

  @Test func `refuses what popularity does as well, and lists of few items`() {
    #expect(gate.reasons(report(0, chance: 1, popularity: 0.1)).count == 1)
    #expect(gate.reasons(report(0, chance: 1, coverage: 0.19)).count == 1)
    #expect(NightGate(maximumDrops: []).reasons(["protocols": [:]]).isEmpty)
  }

  @Test func `refuses lists that are other ones for more users than its limit`() {
    let limited = NightGate(maximumDrops: [], maximumChangedShare: 0.8)
    #expect(limited.reasons(report(0, chance: 1, changed: 0.8)).isEmpty)
    #expect(
      limited.reasons(report(0, chance: 1, changed: 0.85)) == [
        "the first ten items of 85.0 % of the users are another set, more than 80.0 %"
      ])
  }
}

struct `The plan of a night` {
  private let words = [
    ["bin/h2rec-preprocess", "--data-folder=d", "--output=@NIGHT@/1-preprocess"],
    [
      "bin/h2rec-tokenize", "rq-kmeans", "--codebooks", "4,4", "--data=@NIGHT@/1-preprocess",
      "--output=@NIGHT@/2-tokenize", "--threads", "2", "--quiet",
    ],
    [
      "bin/h2rec-train", "h2rec", "--data=@NIGHT@/1-preprocess", "--codes=@NIGHT@/2-tokenize",
      "--output=@NIGHT@/3-train",
    ],
    [
      "bin/h2rec-evaluate", "--data=@NIGHT@/1-preprocess", "--codes=@NIGHT@/2-tokenize",
      "--model=@NIGHT@/3-train", "--output=@NIGHT@/4-evaluate",
    ],
  ]

  @Test func `begins from nothing, and then from the published night`() throws {
    let plan = try NightPlan(words)
    #expect(
      plan.train("n", from: nil) == [
        "bin/h2rec-train", "h2rec", "--data=n/1-preprocess", "--codes=n/2-tokenize",
        "--output=n/3-train",
      ])
    #expect(
      plan.train("n", from: "p").suffix(2) == [
        "--start-from=p/3-train", "--start-data=p/1-preprocess",
      ])
    #expect(
      plan.tokenize("n", from: "p", isFrozen: true)
        == [
          "bin/h2rec-tokenize", "encode", "--codes=p/2-tokenize", "--data=n/1-preprocess",
          "--output=n/2-tokenize", "--threads", "2", "--quiet",
        ])
    #expect(plan.tokenize("n", from: "p", isFrozen: false).last == "--align-to=p/2-tokenize")
    #expect(plan.preprocess("n", encoder: "p").last == "--text-encoder=p/1-preprocess")
    #expect(
      NightPlan.carry(words[2], "n", from: "p", codes: "published/2-tokenize").dropFirst(2)
        == [
          "--data=n/1-preprocess", "--codes=n/published/2-tokenize", "--output=n/published/3-train",
          "--epochs=0", "--start-from=p/3-train", "--start-data=p/1-preprocess",
        ])
    #expect(plan.evaluate("n", isCompared: true).last == "--against=n/published/4-evaluate")
    #expect(
      plan.evaluatePublished("n", codes: "2-tokenize").contains("--model=n/published/3-train"))
  }

  @Test func `needs all stages, and outputs in the night`() {
    #expect(throws: PipelineError.self) { try NightPlan(Array(words.dropLast())) }
    #expect(throws: PipelineError.self) {
      try NightPlan(words.map { $0.map { $0.replacing("--output=@NIGHT@", with: "--output=run") } })
    }
  }
}
