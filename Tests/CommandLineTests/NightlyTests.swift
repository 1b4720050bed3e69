import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What cron sees of a run; the stages are stand-ins.
@Suite struct NightlyTests {
  @Test func `success is one JSON line a stage, and nothing else`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let first = try await pipeline.nightly()
      #expect(first.status == .exited(0), "\(first.error)")
      #expect(first.output.split(separator: "\n").count == 5)
      #expect(first.stages == ["sample", "preprocess", "tokenize", "train", "evaluate"])
      #expect(first.error == "")

      let second = try await pipeline.nightly()
      #expect(second.status == .exited(0))
      #expect(second.output.split(separator: "\n").count == 5)
      #expect(second.stages == [] && second.idleStages == first.stages)
      #expect(second.error == "")
    }
  }

  @Test func `a failure is the message of the stage and its exit status`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.nightly(environment: ["FAILING_STAGE": "train"])
      #expect(result.status == .exited(65))
      #expect(
        result.error == "h2rec-train: input.csv:7: error: the row has 2 fields, expected 4\n")
    }
  }

  @Test(arguments: ["TERM", "INT", "HUP"], [true, false])
  func `a signal reaches the stage, and its status is that of the run`(
    signal: String, isAlone: Bool
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.nightly(
        stoppedBy: signal, alone: isAlone, environment: ["PATIENT_STAGE": "train"])
      #expect(result.status == .exited(75))
      #expect(
        result.error
          == "h2rec-train: output: error: stopped by a signal after step 3, which is saved\n")
      #expect(result.stages == ["sample", "preprocess", "tokenize"])
    }
  }

  @Test(arguments: ["sample", "preprocess", "tokenize", "train", "evaluate"], ["TERM", "HUP"])
  func `a stage that dies from the signal makes it 75 with one message`(
    stage: String, signal: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.nightly(
        stoppedBy: signal, alone: true, environment: ["DEAF_STAGE": stage])
      #expect(result.status == .exited(75))
      let program = stage == "sample" ? "preprocess" : stage
      #expect(
        result.error == """
          h2rec-preprocess: \(pipeline.run): error: h2rec-\(program) was stopped by a signal; its output is the one from \
          before
          note: the same command goes on with this stage

          """)
    }
  }

  @Test(arguments: [("SEGV", 70, "crashed (Segmentation fault)"), ("KILL", 75, "was killed, ")])
  func `a stage that crashes is a fault of the program, one that is killed is not`(
    signal: String, status: Int32, words: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.nightly(
        environment: ["CRASHING_STAGE": "tokenize", "CRASH_SIGNAL": signal])
      #expect(result.status == .exited(status))
      #expect(
        result.error.hasPrefix("h2rec-preprocess: \(pipeline.run): error: h2rec-tokenize \(words)"),
        "\(result.error)")
      #expect(result.error.split(separator: "\n").count == 2)
    }
  }

  @Test func `a second run at the same time exits 75 and says which is under way`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      #expect(try await pipeline.nightly().status == .exited(0))
      let lock = pipeline.run.appending(".make/lock")
      let (second, third) = try await holding(lock) {
        (try await pipeline.nightly(), try await pipeline.make("all"))
      }
      #expect(second.status == .exited(75))
      let message = "h2rec-preprocess: \(pipeline.run): error: another run is under way since "
      #expect(second.error.hasPrefix(message), "\(second.error)")
      #expect(second.error.contains(" (process \(getpid()), '"), "\(second.error)")
      #expect(second.error.hasSuffix(")\nnote: wait for it, or choose another RUN\n"))
      #expect(third.error.hasPrefix(message) && third.error.hasSuffix("Error 75\n"))
      #expect(second.output == "" && third.output == "")
    }
  }

  @Test(arguments: [
    (["PRESET=nonesuch"], "there is no preset 'nonesuch'; choose one of: bert4rec "),
    (["DATAS=x"], "there is no variable 'DATAS'; 'make help' lists them: DATA "),
    (["DATA="], "DATA is empty; leave it out for the built-in sample"),
    (["evaluate"], "found 'evaluate', expected VARIABLE=VALUE"),
    (["RUN="], "RUN=FOLDER is missing"),
  ])
  func `a wrong command line is 64 with one message`(
    words: [String], message: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.bareNightly(
        ["all", "RUN=\(pipeline.run)", "BIN=\(pipeline.programs)"] + words)
      #expect(result.status == .exited(64))
      #expect(result.error.hasPrefix("nightly: error: \(message)"), "\(result.error)")
      #expect(!result.error.contains("***"))
      #expect(result.output == "")
      #expect(!FileManager.default.fileExists(atPath: pipeline.run.string))
    }
  }

  @Test func `a folder for temporary files is not needed`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.nightly(environment: ["TMPDIR": "/nonesuch"])
      #expect(result.status == .exited(0) && result.error == "", "\(result.error)")
    }
  }

  @Test func `a RUN that cannot be created is 73, a missing program 66`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      try write([], to: directory.appending("file"))
      let result = try await pipeline.bareNightly(
        ["all", "RUN=\(directory)/file/run", "BIN=\(pipeline.programs)"])
      #expect(result.status == .exited(73), "\(result.error)")
      #expect(result.error.contains("file/run/.make: error: cannot create: Not a directory\n"))
      try FileManager.default.removeItem(
        atPath: pipeline.programs.appending("h2rec-train").string)
      let other = try await pipeline.nightly()
      #expect(other.status == .exited(66))
      #expect(other.error.contains("/h2rec-train: error: cannot start the program: "))
    }
  }
}

/// Runs `body` while this process holds the lock on a file.
func holding<Result>(
  _ lock: FilePath, _ body: () async throws -> Result
) async throws -> Result {
  let descriptor = try FileDescriptor.open(
    lock, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite])
  defer { try? descriptor.close() }
  try #require(flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0)
  return try await body()
}
