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

  /// A pipeline of programs that write a manifest and do nothing else, but for the pipeline itself, which is the real one.
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
    let real = programs.appending("real")
    try manager.createDirectory(atPath: real.string, withIntermediateDirectories: true)
    try manager.createSymbolicLink(
      atPath: real.appending("h2rec-preprocess").string,
      withDestinationPath: productsDirectory.appending("h2rec-preprocess").string)
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

  /// Runs make with these words alone, where RUN and BIN are among them or wanted by default.
  func bareMake(_ arguments: String...) async throws -> StageResult {
    try await start(.name("make"), ["--silent"] + arguments, [:], own: [])
  }

  /// Runs the script for cron on RUN, without nights.
  func nightly(
    _ arguments: [String] = [], environment: [Environment.Key: String?] = [:]
  ) async throws -> StageResult {
    try await start(
      .path(packageDirectory.appending("Scripts/nightly")), ["all"] + arguments, environment)
  }

  /// Runs the script for cron with these words alone.
  func bareNightly(_ arguments: [String]) async throws -> StageResult {
    try await start(
      .path(packageDirectory.appending("Scripts/nightly")), arguments, [:], own: [])
  }

  /// Runs the script for cron on RUN, without nights, and sends it a signal once the patient stage is at work: to its whole group, or to
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
      .name("bash"), ["-c", shell, "nightly", script, "all"],
      environment.merging(["PATIENT_READY": ready]) { $1 })
  }

  private func start(
    _ program: Executable, _ arguments: [String], _ environment: [Environment.Key: String?],
    own: [String]? = nil
  ) async throws -> StageResult {
    // Under `make test` the environment speaks of that make.
    var variables: [Environment.Key: String?] = [
      "MAKEFLAGS": nil, "MFLAGS": nil, "MAKELEVEL": nil, "MAKEOVERRIDES": nil, "DATA": nil,
      "RUN": nil, "PRESET": nil, "SEED": nil, "THREADS": nil, "QUIET": nil,
      "TIMES": nil,
    ]
    variables.merge(environment) { $1 }
    return try await runProgram(
      program, arguments + (own ?? ["BIN=\(programs)", "RUN=\(run)"]), in: packageDirectory,
      environment: variables)
  }

  /// Everything in RUN with its contents, the time of its last change and its place on the disk.
  func state() throws -> [String: FileState] {
    var result: [String: FileState] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: run.string) {
      let bytes = FileManager.default.contents(atPath: run.appending(name).string)
      let attributes = try FileManager.default.attributesOfItem(
        atPath: run.appending(name).string)
      result[name] = FileState(
        bytes: bytes ?? Data(), changed: attributes[.modificationDate] as? Date ?? .distantPast,
        inode: attributes[.systemFileNumber] as? Int ?? 0)
    }
    return result
  }
}

/// The contents of a file, the time of its last change and its place.
struct FileState: Equatable {
  var bytes: Data
  var changed: Date
  var inode: Int
}

extension StageResult {
  /// The stages that had work and printed their summary line, in order.
  var stages: [String] { summaries.filter { !$0.isUpToDate }.map(\.stage) }

  /// The stages that had none, in order.
  var idleStages: [String] { summaries.filter(\.isUpToDate).map(\.stage) }

  private var summaries: [(stage: String, isUpToDate: Bool)] {
    output.split(separator: "\n").compactMap { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return (object?["stage"] as? String).map { ($0, object?["upToDate"] as? Bool ?? false) }
    }
  }
}
