internal import Foundation
internal import Subprocess
internal import SystemPackage
internal import TestSupport

/// The four programs, in the order in which they run.
let stageNames = ["preprocess", "tokenize", "train", "evaluate"]

/// A folder with a RUN of the Makefile, and the programs that the Makefile starts.
struct Pipeline {
  /// The folder; `run` in it is RUN.
  let directory: FilePath
  /// The programs: the real ones, or those that stand in for them.
  let programs: FilePath

  /// The outputs.
  var run: FilePath { directory.appending("run") }

  /// A pipeline of the programs under test.
  init(real directory: FilePath) {
    self.directory = directory
    programs = productsDirectory
  }

  /// A pipeline of programs that write a manifest and do nothing else.
  init(standIns directory: FilePath) throws {
    self.directory = directory
    programs = directory.appending("programs")
    let manager = FileManager.default
    try manager.createDirectory(atPath: programs.string, withIntermediateDirectories: true)
    let standIn = fixtureDirectory.appending("make").appending("stand-in")
    for stage in stageNames {
      try manager.copyItem(
        atPath: standIn.string, toPath: programs.appending("h2rec-\(stage)").string)
    }
  }

  /// Runs the Makefile of the package on RUN, quietly.
  func make(
    _ arguments: String..., environment: [Environment.Key: String?] = [:]
  ) async throws -> StageResult {
    try await make(arguments, environment: environment)
  }

  /// Runs the Makefile of the package on RUN, quietly.
  func make(
    _ arguments: [String], environment: [Environment.Key: String?] = [:]
  ) async throws -> StageResult {
    try await start(.name("make"), ["--silent"] + arguments, environment)
  }

  /// Runs the script for cron on RUN.
  func nightly(
    _ arguments: [String] = [], environment: [Environment.Key: String?] = [:]
  ) async throws -> StageResult {
    try await start(.path(packageDirectory.appending("Scripts/nightly")), arguments, environment)
  }

  /// Runs the script for cron on RUN and sends it a signal once the patient stage is at work: to its whole group, or to
  /// the script alone.
  func nightly(
    stoppedBy signal: String, alone: Bool, environment: [Environment.Key: String?]
  ) async throws -> StageResult {
    let ready = run.string + ".ready"
    let script = packageDirectory.appending("Scripts/nightly").string
    let target = alone ? "$job" : "-$job"
    // Job control gives the script a process group of its own.
    let shell = """
      set -m; "$@" & job=$!; set +m
      until [ -e '\(ready)' ] || ! kill -0 $job 2>/dev/null; do sleep 0.05; done
      kill -s \(signal) -- \(target); wait $job
      """
    return try await start(
      .name("bash"), ["-c", shell, "nightly", script],
      environment.merging(["PATIENT_READY": ready]) { $1 })
  }

  private func start(
    _ program: Executable, _ arguments: [String], _ environment: [Environment.Key: String?]
  ) async throws -> StageResult {
    // Under `make test` the environment speaks of that make.
    var variables: [Environment.Key: String?] = [
      "MAKEFLAGS": nil, "MFLAGS": nil, "MAKELEVEL": nil, "MAKEOVERRIDES": nil, "DATA": nil,
      "RUN": nil, "PRESET": nil, "SEED": nil, "THREADS": nil, "QUIET": nil,
      "TIMES": nil,
    ]
    variables.merge(environment) { $1 }
    return try await runProgram(
      program, arguments + ["BIN=\(programs)", "RUN=\(run)"], in: packageDirectory,
      environment: variables)
  }

  /// Every file of RUN with its contents and the time of its last change, but for the summaries with the stages' times.
  func state() throws -> [String: FileState] {
    var result: [String: FileState] = [:]
    for (name, bytes) in try contents(of: run) where !name.hasPrefix(".make/times/") {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: run.appending(name).string)
      result[name] = FileState(
        bytes: bytes, changed: attributes[.modificationDate] as? Date ?? .distantPast)
    }
    return result
  }
}

/// The contents of a file and the time of its last change.
struct FileState: Equatable {
  var bytes: [UInt8]
  var changed: Date
}

extension StageResult {
  /// The stages that printed their summary line, in order.
  var stages: [String] {
    output.split(separator: "\n").compactMap { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["stage"] as? String
    }
  }
}
