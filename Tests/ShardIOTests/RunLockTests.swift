import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// One writer a RUN.
@Suite(.serialized) struct RunLockTests {
  /// Runs `body` while a shell holds the lock of `run`.
  private func holding(_ run: FilePath, _ body: (Int32) throws -> Void) async throws {
    let lock = run.appending(".make/lock").string
    let ready = run.appending("ready").string
    async let shell = runProgram(
      .name("bash"),
      [
        "-c",
        "exec 9<>\"$0\"; flock 9; echo $$ >\"$1.new\"; mv \"$1.new\" \"$1\"; until [ -e \"$1.done\" ]; do sleep 0.01; done",
        lock, ready,
      ],
      in: run)
    while !FileManager.default.fileExists(atPath: ready) {
      try await Task.sleep(for: .milliseconds(10))
    }
    let text = try String(contentsOfFile: ready, encoding: .utf8)
    defer { _ = FileManager.default.createFile(atPath: ready + ".done", contents: nil) }
    try body(try #require(Int32(text.dropLast())))
    _ = FileManager.default.createFile(atPath: ready + ".done", contents: nil)
    _ = try await shell
  }

  private func write(_ output: FilePath) throws(PipelineError) {
    let stage = try StageOutput(directory: output, stage: "train")
    try stage.commit(configuration: [:], inputs: [], counters: [:])
  }

  @Test func `a stage in a RUN that is busy is told since when and by which process`() async throws
  {
    try await withTemporaryDirectory { directory in
      _ = try RunLock(run: directory)
      let now = Date()
      try await holding(directory) { process in
        let error = #expect(throws: PipelineError.self) {
          try write(directory.appending("3-train"))
        }
        #expect(error?.kind == .temporaryFailure)
        let match = try #require(
          try #/another run is under way since (\S+) \(process (\d+), 'bash -c exec 9.*'\)/#
            .wholeMatch(in: error?.message ?? ""))
        #expect(Int32(match.2) == process)
        let start = try #require(ISO8601DateFormatter().date(from: String(match.1)))
        #expect((now - 2...Date() + 2).contains(start))
        #expect(throws: PipelineError.self) { _ = try RunLock(run: directory) }
        #expect(!FileManager.default.fileExists(atPath: directory.appending("3-train").string))
      }
      try write(directory.appending("3-train"))
    }
  }

  @Test func `a folder that is no RUN is not locked`() throws {
    try withTemporaryDirectory { directory in
      try write(directory.appending("model"))
      #expect(!FileManager.default.fileExists(atPath: directory.appending(".make").string))
    }
  }

  @Test func `the lock lasts until its last holder lets go, and leaves the file as it was`() throws
  {
    try withTemporaryDirectory { directory in
      let lock = try RunLock(run: directory)
      #expect(throws: PipelineError.self) { _ = try RunLock(run: directory) }
      let inherited = dup(try lock.handOn())
      _ = consume lock
      #expect(throws: PipelineError.self) { _ = try RunLock(run: directory) }
      close(inherited)
      // Programs that other tests started meanwhile have inherited the lock, too, and let go as they end.
      let end = Date() + 120
      while (try? RunLock(run: directory)) == nil, Date() < end { usleep(50_000) }
      _ = try RunLock(run: directory)
      #expect(try contents(of: directory) == [".make/lock": []])
    }
  }

  @Test func `an inherited lock is believed only where it is one`() throws {
    try withTemporaryDirectory { directory in
      let output = directory.appending("3-train")
      let lock = try RunLock(run: directory)
      defer { unsetenv(RunLock.variable) }
      for value in ["", "x", "99999", "1"] {
        setenv(RunLock.variable, value, 1)
        #expect(throws: PipelineError.self) { try write(output) }
      }
      setenv(RunLock.variable, "\(try lock.handOn())", 1)
      try write(output)
      _ = consume lock
    }
  }
}
