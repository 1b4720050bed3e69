internal import Foundation
internal import ShardIO
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// Checkpoints with right checksums that no training has written: each is refused with 65, or the training goes on from it; nothing
/// traps.
@Suite(.serialized) struct CheckpointMutationTests {
  private static let isLong = ProcessInfo.processInfo.environment["H2REC_LONG"] != nil
  /// One change in so many is tried, all with `H2REC_LONG`.
  private static let stride = isLong ? 1 : 41

  /// A training that can go on from where it stopped.
  enum Training: String, CaseIterable, Sendable {
    case model
    case codes

    var program: String { self == .model ? "h2rec-train" : "h2rec-tokenize" }
    var arguments: [String] {
      switch self {
      case .model:
        [
          "h2rec", "--data", "1-preprocess", "--codes", "2-tokenize", "--dimension", "8",
          "--max-length", "5", "--windows", "last", "--epochs", "4", "--batch-size", "8",
          "--ema-decay", "0.9",
        ]
      case .codes:
        [
          "rq-vae", "--data", "1-preprocess", "--codebooks", "4,4", "--hidden", "8",
          "--latent", "4", "--epochs", "4", "--batch-size", "8", "--codebook-decay", "0.9",
        ]
      }
    }
    /// The system call at which the program dies; some checkpoints are written by then, and two or three epochs done.
    var deadlyCall: Int { 700 }
  }

  /// The newest checkpoint of a training that died, alone, and what is left of its output.
  private struct Stopped {
    let run: TinyRun
    let training: Training
    /// Its directory is 1 or 2 of `checkpoints`.
    let slot: String

    init(_ training: Training, in directory: FilePath) async throws {
      self.training = training
      run = try await TinyRun(in: directory)
      let result = try await runStage(
        training.program,
        training.arguments + ["--output", "died", "--checkpoint-steps", "1", "--quiet"],
        in: directory,
        environment: [
          "LD_PRELOAD": productsDirectory.appending("libCrashShim.so").string,
          "CRASH_AT": "\(training.deadlyCall)",
        ])
      try #require(result.status == .signaled(9), "\(result.error)")
      let steps = ["1", "2"].map { slot -> (Int64, String) in
        let path = directory.appending("died/checkpoints/\(slot)")
        let input = try? StageInput(directory: path, expecting: "train-checkpoint")
        return (input?.manifest.counters["step"]?.integerValue ?? -1, slot)
      }
      let (newest, slot) = try #require(steps.max { $0.0 < $1.0 })
      try #require(newest > 0)
      self.slot = slot
      let other = slot == "1" ? "2" : "1"
      try FileManager.default.removeItem(
        atPath: directory.appending("died/checkpoints/\(other)").string)
    }

    var input: StageInput {
      get throws {
        try StageInput(
          directory: run.directory.appending("died/checkpoints/\(slot)"),
          expecting: "train-checkpoint")
      }
    }

    /// Changes a copy of the checkpoint and goes on from it.
    func goOn(_ change: (FilePath) throws -> Void) async throws -> StageResult {
      let manager = FileManager.default
      let output = run.directory.appending("out")
      try? manager.removeItem(atPath: output.string)
      try manager.copyItem(atPath: run.directory.appending("died").string, toPath: output.string)
      try change(output.appending("checkpoints/\(slot)"))
      return try await runStage(
        training.program, training.arguments + ["--output", "out", "--quiet"], in: run.directory)
    }

    func goOn(with table: Table) async throws -> StageResult {
      try await goOn { directory in
        _ = try replaceTable(in: directory, stage: "train-checkpoint", with: table)
      }
    }
  }

  /// A table with another number in a row of a column.
  private func changing(
    _ table: Table, _ name: String, _ values: ColumnValues
  ) throws -> Table {
    let index = try #require(table.columns.firstIndex { $0.name == name })
    var columns = table.columns
    columns[index] = Column(
      name: name, shape: .fixed, width: columns[index].width, values: values)
    return Table(kind: table.kind, rowCount: table.rowCount, columns: columns)
  }

  private func expectRefused(
    _ result: StageResult, _ words: String, _ what: String
  ) {
    #expect(result.status == .exited(65), "\(what): \(result.status): \(result.error)")
    #expect(result.error.contains(words), "\(what): \(result.error)")
    #expect(
      result.error.contains("and there is no other checkpoint to go on from"),
      "\(what): \(result.error)")
  }

  @Test(.timeLimit(.minutes(60)), arguments: Training.allCases)
  func `no change of any column of a checkpoint makes a program trap`(
    training: Training
  ) async throws {
    try await withTemporaryDirectory { directory in
      let stopped = try await Stopped(training, in: directory)
      #expect(try await stopped.goOn { _ in }.output.contains("\"resumedStep\":"))
      let input = try stopped.input
      let kinds = Set(input.manifest.outputs.filter { $0.rows != nil }.map(\.kind)).sorted()
      var number = 0
      var refusals = 0
      for kind in kinds {
        let table = try input.table(kind)
        for column in table.columns.indices {
          for mutation in TableMutation.allCases {
            number += 1
            guard number % Self.stride == 11 % Self.stride,
              let changed = mutation.apply(to: table, column: column)
            else { continue }
            let what = "\(kind) \(table.columns[column].name) \(mutation)"
            let result = try await stopped.goOn(with: changed)
            switch result.status {
            case .exited(0): break
            case .exited(65): refusals += 1
            // Finite numbers from which training diverges.
            case .exited(70): #expect(result.error.contains("finite"), "\(what): \(result.error)")
            default: Issue.record("\(what): \(result.status): \(result.error)")
            }
          }
        }
      }
      #expect(refusals > (Self.isLong ? 80 : 2))
    }
  }

  @Test(arguments: Training.allCases)
  func `places, metrics and logs that no training had are refused`(
    training: Training
  ) async throws {
    try await withTemporaryDirectory { directory in
      let stopped = try await Stopped(training, in: directory)
      let table = try stopped.input.table("position")
      for (column, number) in [
        ("batch", (1 << 62) - 1), ("batch", 1 << 63), ("epoch", 0), ("epoch", 1 << 40),
        ("epoch", (1 << 62) - 1), ("step", .max), ("averaged_step", (1 << 62) - 1),
        ("best_epoch", 99),
      ] as [(String, UInt64)] {
        let changed = try changing(table, column, .uint64([number]))
        expectRefused(
          try await stopped.goOn(with: changed), "table 'position', row 0: found ",
          "\(column) \(number)")
      }
      for metric in [-0.5, .nan, .infinity, -.infinity] + (training == .model ? [7] : []) {
        let changed = try changing(table, "best_metric", .double([metric]))
        expectRefused(
          try await stopped.goOn(with: changed), "table 'position', row 0: found ", "\(metric)")
      }
      for log in ["garbage\n", "", "{}\n", String(repeating: "[", count: 100_000)] {
        let result = try await stopped.goOn { directory in
          try replaceLog(in: directory, with: Array(log.utf8))
        }
        expectRefused(result, "training-log.jsonl", "the log \(log.prefix(9))")
      }
      let counter = try await stopped.goOn { directory in
        var manifest = try StageInput(directory: directory, expecting: "train-checkpoint").manifest
        manifest.counters["step"] = 1_000_000
        try replaceManifest(in: directory, manifest)
      }
      expectRefused(counter, "expected that of the manifest, 1000000", "the manifest's step")
    }
  }

  @Test func `counts and weights that would overflow are refused`() async throws {
    try await withTemporaryDirectory { directory in
      let stopped = try await Stopped(.codes, in: directory)
      for (kind, value, words) in [
        ("codebooks-usage", -1, "16 bits in a float"),
        ("codebooks-usage", 0.5, "16 bits in a float"),
        ("codebooks-usage", 1e30, "16 bits in a float"),
        ("codebooks-usage", 65_535, "a count below 2⁴⁸"),
        ("codebooks-weights", .nan, "16 bits in a float"),
        ("codebooks-weights", 65_535, "the bits of a finite number from 0"),
      ] as [(String, Float, String)] {
        let table = try stopped.input.table(kind)
        var values = try table.fixed("values", as: Float.self)
        values[0] = value
        let changed = try changing(table, "values", .float(values))
        expectRefused(try await stopped.goOn(with: changed), words, "\(kind) \(value)")
      }
    }
  }

  @Test func `averages of more steps than were taken are refused`() async throws {
    try await withTemporaryDirectory { directory in
      let stopped = try await Stopped(.model, in: directory)
      let table = try stopped.input.table("hash-average-steps")
      for value in [1e30, 1000, -1, 0.5] as [Float] {
        var values = try table.fixed("values", as: Float.self)
        values[0] = value
        let changed = try changing(table, "values", .float(values))
        expectRefused(
          try await stopped.goOn(with: changed), "a whole number of steps, at most", "\(value)")
      }
    }
  }

  /// Replaces the log of a checkpoint.
  private func replaceLog(in directory: FilePath, with bytes: [UInt8]) throws {
    var manifest = try StageInput(directory: directory, expecting: "train-checkpoint").manifest
    let index = try #require(manifest.outputs.firstIndex { $0.kind == "training-log.jsonl" })
    let found = checksum(bytes)
    let name = "training-log-\(found.prefix(16)).jsonl"
    manifest.outputs[index] = Manifest.Output(
      name: name, kind: "training-log.jsonl", bytes: bytes.count, rows: nil, checksum: found)
    try replaceManifest(in: directory, manifest, file: (name, bytes))
  }
}
