internal import Foundation
internal import Nights
internal import ShardIO
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// Whole nights, with a fault at one of the system calls by which their programs change files.
///
/// Calls of the night's program and of all stages are counted together. `H2REC_LONG` has every call.
@Suite(.serialized) struct NightCrashTests {
  private static let isLong = ProcessInfo.processInfo.environment["H2REC_LONG"] != nil

  /// All programs die; or the disk is full from a call on.
  enum Fault: CaseIterable, Sendable {
    case death
    case fullDisk

    var environment: [String: String] {
      switch self {
      case .death: ["CRASH_HALF": "1"]
      case .fullDisk: ["CRASH_ERRNO": "28", "CRASH_HALF": "1"]
      }
    }
  }

  @Test(.timeLimit(.minutes(240)), arguments: Fault.allCases)
  func
    `after a fault at any call the old or the new night is published, and the next run completes`(
      _ fault: Fault
    ) async throws
  {
    try await withTemporaryDirectory { directory in
      let trial = try await NightTrial(directory, options: "--keep 1 --keep-weeks 0")
      // The stages, then every few calls of the end: the decision, the link, the history, what is removed, the pages. In short
      // the two faults share the calls.
      let first = fault == .death || Self.isLong ? 0 : 1
      let end = max(1, trial.callCount - 60)
      var calls = Array(
        stride(from: 7 + first * end / 4, to: end, by: Self.isLong ? 1 : max(1, end / 2)))
      calls += stride(from: end + first * 12, through: trial.callCount, by: Self.isLong ? 1 : 24)
      for call in calls { try await trial.survives(fault, at: call) }
    }
  }

  @Test(.timeLimit(.minutes(30)))
  func `a rollback that dies at any call is done or not done`() async throws {
    try await withTemporaryDirectory { directory in
      let trial = try await NightTrial(directory, options: "")
      var call = 1
      while try await trial.survivesRollback(diesAt: call) == false {
        call += Self.isLong ? 1 : 4
        try #require(call < 200)
      }
      #expect(call > 6, "the shim was not loaded")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func `what stands in the way of a night is said with its status`() async throws {
    try await withTemporaryDirectory { directory in
      let trial = try await NightTrial(directory, options: "")
      let published = try trial.published()

      // Another run.
      let busy = try await holding(trial.run.appending(".make/lock")) { try await trial.night() }
      #expect(busy.status == .exited(75) && busy.error.contains("another run is under way since "))
      #expect(busy.error.contains("(process \(getpid()),"), "\(busy.error)")

      // No permission to write.
      let closed = try await trial.night(["CRASH_AT": "2", "CRASH_ERRNO": "13"])
      #expect(closed.status == .exited(73), "\(closed.error)")
      #expect(closed.error.contains("Permission denied"), "\(closed.error)")
      #expect(closed.error.split(separator: "\n").count <= 2, "\(closed.error)")

      // An input that grows while stage 1 is at work.
      let log = trial.data.appending("interactions.csv")
      let grown = try await trial.night(["CRASH_AT": "18", "CRASH_GROW": log.string])
      #expect(grown.status == .exited(75), "\(grown.error)")
      #expect(
        grown.error.contains("interactions.csv: error: this file was changed while it was read"))
      #expect(try trial.published() == published)

      // A file of the published night that is damaged.
      let shard = try trial.shard(of: published, "3-train")
      let bytes = try readWholeFile(shard)
      var damaged = bytes
      damaged[damaged.count / 2] ^= 0x10
      try write(damaged, to: shard)
      let refused = try await trial.night()
      #expect(refused.status == .exited(65), "\(refused.error)")
      #expect(refused.error.contains("this night is damaged: publish another one"))
      #expect(try trial.published() == published)
      let cold = try await trial.night(more: ["NIGHT_OPTIONS=--damaged cold"])
      #expect(cold.status == .exited(0), "\(cold.error)")
      #expect(cold.error.contains("warning: the published night is damaged"), "\(cold.error)")
      let next = try trial.published()
      #expect(next > published)
      let record = try #require(try NightFolder(trial.run).record(next))
      #expect(!record.isWarm && !record.hasFrozenCodes && record.figures["damaged"] == true)

      // The way back is closed while that night is damaged, and open again when it is restored.
      let shut = try await trial.program(["rollback", "--run=\(trial.run)"])
      #expect(shut.status == .exited(65), "\(shut.error)")
      #expect(try trial.published() == next)
      try write(bytes, to: shard)
      let back = try await trial.program(["rollback", "--run=\(trial.run)"])
      #expect(try back.status == .exited(0) && trial.published() == published, "\(back.error)")

      // A damaged line of the history.
      try write(Array("{\"event\":\n".utf8), to: trial.run.appending("history.jsonl"))
      let lost = try await trial.night()
      #expect(lost.status == .exited(65) && lost.error.contains("history.jsonl"), "\(lost.error)")
    }
  }
}

/// A RUN with two published nights and data for a third.
private struct NightTrial {
  let directory: FilePath
  /// The calls of an undisturbed third night.
  private(set) var callCount = 0

  var run: FilePath { directory.appending("run") }
  var data: FilePath { directory.appending("shop") }
  private var saved: FilePath { directory.appending("saved") }
  private let options: String
  private var words: [String] = []
  private var expected: [String: [UInt8]] = [:]

  init(_ directory: FilePath, options: String) async throws {
    self.directory = directory
    self.options = options
    let sample = ["sample", "--output=\(data)", "--users=150", "--items=60", "--interactions=1800"]
    try #require(try await program(sample + ["--quiet"]).status == .exited(0))
    for _ in 0..<2 {
      let night = try await night()
      try #require(night.status == .exited(0), "\(night.error)")
      try append(30)
    }
    try FileManager.default.copyItem(atPath: run.string, toPath: saved.string)
    let last = try await self.night(["CRASH_AT": "0"])
    try #require(last.status == .exited(0), "\(last.error)")
    callCount = try counted()
    try #require(callCount > 200, "the shim was not loaded")
    expected = try outputs()
    try restore()
  }

  /// The night that is published.
  func published() throws -> String { try #require(NightFolder(run).published) }

  /// Runs the program of stage 1, which has the commands of nights.
  func program(_ words: [String], _ shim: [String: String] = [:]) async throws -> StageResult {
    try await start([productsDirectory.appending("h2rec-preprocess").string] + words, shim)
  }

  /// A night in a session of its own, so that all its programs can die at once.
  func night(_ shim: [String: String] = [:], more: [String] = []) async throws -> StageResult {
    let variables = [
      "DATA=\(data)", "RUN=\(run)", "BIN=\(productsDirectory)", "PRESET=sample", "THREADS=1",
      "TOKENIZE_OPTIONS=--codebooks 8,8", "NIGHT_OPTIONS=\(options)",
      "TRAIN_OPTIONS=--dimension 16 --epochs 8 --learning-rate 0.01",
      "EVALUATE_OPTIONS=--resamples 100",
    ]
    let words = try await runProgram(
      .name("make"), ["--silent", "retrain-command"] + variables + more, in: packageDirectory,
      environment: ["MAKEFLAGS": nil, "MAKELEVEL": nil, "QUIET": nil, "SEED": nil, "DATA": nil])
    try #require(words.status == .exited(0), "\(words.error)")
    return try await start(["bash", "-c", "exec \(words.output)"], shim)
  }

  private func start(_ words: [String], _ shim: [String: String]) async throws -> StageResult {
    var environment: [Environment.Key: String?] = [:]
    if !shim.isEmpty {
      try? FileManager.default.removeItem(atPath: counter.string)
      environment["LD_PRELOAD"] = productsDirectory.appending("libCrashShim.so").string
      environment["CRASH_COUNTER"] = counter.string
      for (name, value) in shim { environment[Environment.Key(stringLiteral: name)] = value }
    }
    return try await runProgram(
      .name("setsid"), ["--wait"] + words, in: directory, environment: environment)
  }

  private var counter: FilePath { directory.appending("counter") }

  private func counted() throws -> Int {
    try readWholeFile(counter).prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// Appends events that are later than all others.
  private func append(_ count: Int) throws {
    let path = data.appending("interactions.csv")
    let text = String(decoding: try readWholeFile(path), as: UTF8.self)
    let lines = text.split(separator: "\n")
    let rows = (0..<count).map { number -> String in
      var fields = lines[1 + number * 7 % (lines.count - 1)].split(separator: ",").map(String.init)
      fields[3] = "\(1_900_000_000 + lines.count + number)"
      return fields.joined(separator: ",")
    }
    try write(Array((text + rows.joined(separator: "\n") + "\n").utf8), to: path)
  }

  private func restore() throws {
    try FileManager.default.removeItem(atPath: run.string)
    try FileManager.default.copyItem(atPath: saved.string, toPath: run.string)
  }

  /// One of the tables of a stage.
  func shard(of night: String, _ stage: String) throws -> FilePath {
    let folder = run.appending("runs").appending(night).appending(stage)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
    return folder.appending(try #require(names.filter { $0.hasSuffix(".h2s") }.sorted().first))
  }

  /// The bytes of what is published, but for what names its folder or its time, and the number of nights on the disk.
  private func outputs() throws -> [String: [UInt8]] {
    let night = run.appending("runs").appending(try published())
    var found = try contents(of: night).filter {
      $0.key.hasSuffix(".h2s") || $0.key.hasSuffix(".csv")
    }
    let nights = try FileManager.default.contentsOfDirectory(
      atPath: run.appending("runs").string)
    found["nights"] = [UInt8(nights.count)]
    return found
  }

  /// Runs the third night with a fault, looks at what is left, and lets the next run complete it.
  func survives(_ fault: NightCrashTests.Fault, at call: Int) async throws {
    try restore()
    let before = try published()
    let result = try await night(fault.environment.merging(["CRASH_AT": "\(call)"]) { $1 })
    switch result.status {
    case .signaled(9): #expect(fault == .death, "call \(call)")
    case .exited(73), .exited(74):
      #expect(fault == .fullDisk, "call \(call)")
      let messages = result.error.split(separator: "\n").filter { $0.contains(": error: ") }
      #expect(
        messages.count == 1 && messages[0].hasSuffix("No space left on device"),
        "call \(call): \(result.error)")
    default:
      Issue.record("call \(call) of \(callCount): \(result.status): \(result.error)")
    }
    let left = try published()
    try NightFolder(run).requireIntact(left)
    let rest = try await night()
    #expect(rest.status == .exited(0), "call \(call): \(rest.error)")
    let now = try published()
    #expect(now > before && (left == before || left == now), "call \(call)")
    let found = try outputs()
    let names = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }
    #expect(names.isEmpty, "call \(call)")
    for name in ["night.json", "night.html", "openlineage.json"] {
      #expect(FileSystem.exists(run.appending("runs/\(now)/\(name)")), "call \(call): \(name)")
    }
    let lines = try NightFolder(run).history()
    #expect(lines.count == 3 && lines.last?["night"]?.stringValue == now, "call \(call)")
  }

  /// Takes the published night back with a fault.
  ///
  /// - Returns: whether the program reached its end without the fault.
  func survivesRollback(diesAt call: Int) async throws -> Bool {
    try restore()
    let before = try published()
    let result = try await program(
      ["rollback", "--run=\(run)"], ["CRASH_AT": "\(call)", "CRASH_HALF": "1"])
    let left = try published()
    try NightFolder(run).requireIntact(left)
    if result.status == .exited(0) {
      #expect(left < before)
      return true
    }
    #expect(result.status == .signaled(9), "call \(call): \(result.error)")
    _ = try NightFolder(run).history()
    if left == before {
      let again = try await program(["rollback", "--run=\(run)"])
      #expect(
        try again.status == .exited(0) && published() < before, "call \(call): \(again.error)")
    }
    return false
  }
}
