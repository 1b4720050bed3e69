import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What cron sees of a run; the programs are stand-ins.
@Suite struct NightlyTests {
  @Test func `success is one JSON line a stage that ran, and nothing else`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let first = try await pipeline.nightly()
      #expect(first.status == .exited(0))
      #expect(first.output.split(separator: "\n").count == 5)
      #expect(first.stages == ["sample", "preprocess", "tokenize", "train", "evaluate"])
      #expect(first.error == "")

      let second = try await pipeline.nightly()
      #expect(second.status == .exited(0))
      #expect(second.output == "")
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

  @Test(arguments: ["TERM", "INT"], [true, false])
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

  @Test func `a second run at the same time exits 75`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      #expect(try await pipeline.nightly().status == .exited(0))
      let lock = pipeline.run.appending(".make/lock")
      let second = try await holding(lock) { try await pipeline.nightly() }
      #expect(second.status == .exited(75))
      #expect(second.error == "nightly: \(pipeline.run): error: another run is under way\n")
    }
  }
}

/// Runs `body` while another process holds the lock on a file.
func holding<Result>(
  _ lock: FilePath, _ body: () async throws -> Result
) async throws -> Result {
  let descriptor = try FileDescriptor.open(
    lock, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite])
  defer { try? descriptor.close() }
  try #require(flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0)
  return try await body()
}
