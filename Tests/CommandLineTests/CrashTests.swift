internal import Foundation
internal import ShardIO
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// Crashes, and a full disk, at every system call by which a stage changes files: the output is the old or the new one.
@Suite struct CrashTests {
  /// A stage that replaces an old output, or writes a first one.
  struct Case: Sendable, CustomTestStringConvertible {
    /// The stage.
    var stage: String
    /// Whether there is an old output.
    var hasOldOutput: Bool

    var testDescription: String { stage + (hasOldOutput ? " over an old output" : "") }
  }

  private static let isLong = ProcessInfo.processInfo.environment["H2REC_LONG"] != nil

  /// Four of the eight, unless `H2REC_LONG` is set: each takes hundreds of runs.
  static let cases = [
    Case(stage: "preprocess", hasOldOutput: true), Case(stage: "tokenize", hasOldOutput: false),
    Case(stage: "train", hasOldOutput: true), Case(stage: "evaluate", hasOldOutput: true),
    Case(stage: "preprocess", hasOldOutput: false), Case(stage: "tokenize", hasOldOutput: true),
    Case(stage: "train", hasOldOutput: false), Case(stage: "evaluate", hasOldOutput: false),
  ].prefix(isLong ? 8 : 4)

  /// Every call with `H2REC_LONG`; else one in 61 of training, which saves itself often, and one in 17 of the other stages.
  private static func stride(of run: Case) -> Int {
    guard !isLong else { return 1 }
    return run.stage == "train" ? 61 : 17
  }

  /// The process dies in the middle of a write or before another call; or the disk is full from a call on.
  enum Fault: CaseIterable, Sendable {
    case death
    case fullDisk

    var environment: [Environment.Key: String?] {
      switch self {
      case .death: ["CRASH_HALF": "1"]
      case .fullDisk: ["CRASH_ERRNO": "28", "CRASH_HALF": "1"]
      }
    }
  }

  @Test(.timeLimit(.minutes(30)), arguments: cases, Fault.allCases)
  func `after a fault at any system call the output is old or new`(
    _ run: Case, _ fault: Fault
  )
    async throws
  {
    try await withTemporaryDirectory { directory in
      let experiment = try await Experiment(run, in: directory)
      var call = 1
      while try await experiment.survives(fault, at: call) == false {
        call += Self.stride(of: run)
        try #require(call < 1000)
      }
      #expect(call > 20, "the shim was not loaded")
    }
  }
}

/// One stage, its input, and what its output was and will be.
private struct Experiment {
  private let run: CrashTests.Case
  private let directory: FilePath
  private let old: [String: [UInt8]]
  private let new: [String: [UInt8]]

  private var output: FilePath { directory.appending("output") }
  private var saved: FilePath { directory.appending("saved") }

  /// Makes a small shop, the input of the stage, an old output and, once without any fault, the new one.
  init(_ run: CrashTests.Case, in directory: FilePath) async throws {
    self.run = run
    self.directory = directory
    let shop = ["sample", "--output", "shop", "--users", "12", "--items", "12"]
    try await Self.succeed("h2rec-preprocess", shop + ["--interactions", "100"], directory)
    for (stage, output) in [("preprocess", "data"), ("tokenize", "codes"), ("train", "model")] {
      guard stage != run.stage else { break }
      try await Self.succeed("h2rec-\(stage)", Self.arguments(stage, output, seed: 1), directory)
    }
    func state(seed: Int) async throws -> [String: [UInt8]] {
      try? FileManager.default.removeItem(atPath: directory.appending("saved").string)
      try await Self.succeed(
        "h2rec-\(run.stage)", Self.arguments(run.stage, "saved", seed: seed), directory)
      return try contents(of: directory.appending("saved"))
    }
    new = try await state(seed: 2)
    old = run.hasOldOutput ? try await state(seed: 1) : [:]
    try #require(new != old)
  }

  private static func arguments(_ stage: String, _ output: String, seed: Int) -> [String] {
    let own =
      switch stage {
      case "preprocess":
        [
          "--interactions", "shop/interactions.csv", "--items", "shop/items.jsonl", "--vectors",
          "shop/item_embeddings.npy", "--vector-ids", "shop/item_ids.txt", "--user-core", "2",
          "--item-core", "2", "--negatives", "3",
        ]
      case "tokenize": ["--data", "data", "--codebooks", "3,3", "--pca", "0"]
      // Three steps, a checkpoint after each, so that the third replaces the first.
      case "train":
        [
          "sasrec", "--data", "data", "--dimension", "4", "--epochs", "3", "--batch-size", "128",
          "--checkpoint-steps", "1",
        ]
      default:
        [
          "--data", "data", "--codes", "codes", "--model", "model", "--resamples", "100",
          "--recommend", "2", "--recommend-compression", "gzip",
        ]
      }
    return own + ["--output", output, "--seed", "\(seed)", "--quiet"]
  }

  @discardableResult
  private static func succeed(
    _ program: String, _ arguments: [String], _ directory: FilePath
  ) async throws -> StageResult {
    let result = try await runStage(program, arguments, in: directory)
    try #require(result.status == .exited(0), "\(result.error)")
    return result
  }

  /// Runs the stage with a fault at its `call`-th system call, and checks what is left.
  ///
  /// - Returns: whether the stage reached its end without the fault.
  func survives(_ fault: CrashTests.Fault, at call: Int) async throws -> Bool {
    let manager = FileManager.default
    try? manager.removeItem(atPath: output.string)
    if run.hasOldOutput { try manager.copyItem(atPath: saved.string, toPath: output.string) }
    var environment: [Environment.Key: String?] = [
      "LD_PRELOAD": productsDirectory.appending("libCrashShim.so").string, "CRASH_AT": "\(call)",
    ]
    environment.merge(fault.environment) { $1 }
    let result = try await runStage(
      "h2rec-\(run.stage)", Self.arguments(run.stage, "output", seed: 2), in: directory,
      environment: environment)

    switch result.status {
    case .exited(0):
      #expect(try contents(of: output) == new, "call \(call)")
      return true
    case .signaled(9) where fault == .death:
      try checkWhole(call)
      try await Self.succeed(
        "h2rec-\(run.stage)", Self.arguments(run.stage, "output", seed: 2), directory)
      #expect(try contents(of: output) == new, "after call \(call) and another run")
    case .exited(73), .exited(74):
      #expect(fault == .fullDisk)
      #expect(result.error.contains(": error: cannot "), "\(result.error)")
      #expect(result.error.contains("No space left on device"), "\(result.error)")
      #expect(result.error.count { $0 == "\n" } == 1, "\(result.error)")
      try checkCleanedUp(call)
      guard run.stage == "train" else { break }
      try await Self.succeed(
        "h2rec-\(run.stage)", Self.arguments(run.stage, "output", seed: 2), directory)
      #expect(try contents(of: output) == new, "after call \(call) and another run")
    default:
      Issue.record("call \(call): \(result.status): \(result.error)")
      return true
    }
    return false
  }

  /// The listed files are those of one run, old or new, whatever else lies around.
  private func checkWhole(_ call: Int) throws {
    let found = (try? contents(of: output)) ?? [:]
    guard let manifest = found["manifest.json"] else {
      #expect(!run.hasOldOutput, "call \(call): the old manifest is gone")
      return
    }
    let expected = manifest == old["manifest.json"] ? old : new
    for (name, bytes) in expected where !bytes.starts(with: Array("-> ".utf8)) {
      #expect(found[name] == bytes, "call \(call): \(name)")
    }
    _ = try StageInput(directory: output, expecting: run.stage)
  }

  /// A failed run has removed everything that it wrote, unless only a step after the commit failed.
  private func checkCleanedUp(_ call: Int) throws {
    // Training keeps what it has saved.
    let found = ((try? contents(of: output)) ?? [:]).filter { !$0.key.hasPrefix("checkpoints/") }
    if found["manifest.json"] == new["manifest.json"], found["manifest.json"] != nil {
      try checkWhole(call)
    } else {
      #expect(Set(found.keys) == Set(old.keys), "call \(call)")
      #expect(found == old, "call \(call)")
      let hasCheckpoints = FileManager.default.fileExists(
        atPath: output.appending("checkpoints").string)
      #expect(!hasCheckpoints || run.stage == "train")
      #expect(
        run.hasOldOutput || hasCheckpoints || !FileManager.default.fileExists(atPath: output.string)
      )
    }
  }
}
