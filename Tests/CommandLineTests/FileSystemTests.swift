internal import Foundation
internal import ShardIO
internal import Subprocess
internal import Synchronization
internal import SystemPackage
internal import TestSupport
internal import Testing

/// File systems that lack something, and readers that read while a stage publishes.
@Suite(.serialized) struct FileSystemTests {
  private func without(_ what: String) -> [Environment.Key: String?] {
    [
      "LD_PRELOAD": productsDirectory.appending("libCrashShim.so").string,
      "CRASH_WITHOUT": "\(what)",
    ]
  }

  @Test func `a file system whose directories cannot be flushed takes every output`() async throws {
    try await withTemporaryDirectory { directory in
      let run = try await TinyRun(in: directory)
      for stage in stageNames.indices {
        let result = try await runStage(
          "h2rec-\(stageNames[stage])", TinyRun.arguments(stage, "out"), in: directory,
          environment: without("fsync"))
        #expect(result.status == .exited(0), "\(result.error)")
        let expected = try contents(of: directory.appending(TinyRun.outputs[stage]))
        #expect(try contents(of: directory.appending("out")) == expected)
        try FileManager.default.removeItem(atPath: run.directory.appending("out").string)
      }
    }
  }

  @Test func `a file system without symbolic links is named, and the output is whole`() async throws
  {
    try await withTemporaryDirectory { directory in
      _ = try await TinyRun(in: directory)
      let result = try await runStage(
        "h2rec-preprocess", TinyRun.arguments(0, "out"), in: directory,
        environment: without("symlink"))
      #expect(result.status == .exited(74))
      #expect(
        result.error == """
          h2rec-preprocess: out/report.json: error: cannot link: Operation not permitted
          note: the output is whole; its names need a file system with symbolic links

          """)
      let input = try StageInput(directory: directory.appending("out"), expecting: "preprocess")
      #expect(try input.table("items").rowCount > 0)
    }
  }

  @Test func `a file system without nameless files takes what has no room in memory`() async throws
  {
    try await withTemporaryDirectory { directory in
      var log = Array("user_id,item_id,timestamp\n".utf8)
      for row in 0..<600_000 {
        log += "user-\(row &* 7919 % 20_011),i\(row &* row % 9_973),\(row)\n".utf8
      }
      try write(log, to: directory.appending("log.csv"))
      func run(_ output: String, _ memory: String) async throws -> [String: [UInt8]] {
        let result = try await runStage(
          "h2rec-preprocess",
          [
            "--interactions", "log.csv", "--memory", memory, "--output", output, "--pairs", "none",
            "--quiet",
          ], in: directory, environment: without("tmpfile"))
        try #require(result.status == .exited(0), "\(result.error)")
        let found = try contents(of: directory.appending(output))
        #expect(!found.keys.contains { $0.contains("scratch") })
        return found
      }
      #expect(try await run("narrow", "64MiB") == run("wide", "4GiB"))
    }
  }

  @Test func `a shard of another run is refused by its checksum`() async throws {
    try await withTemporaryDirectory { directory in
      let run = try await TinyRun(in: directory)
      try await run.succeed("h2rec-preprocess", TinyRun.arguments(0, "other", ["--seed", "7"]))
      let kind = "negatives-00000-"
      func path(_ output: String) throws -> FilePath {
        let names = try FileManager.default.contentsOfDirectory(
          atPath: directory.appending(output).string)
        return directory.appending(output)
          .appending(try #require(names.first { $0.hasPrefix(kind) }))
      }
      let (own, other) = (try path("1-preprocess"), try path("other"))
      // The sizes are made equal, so that nothing but the checksum tells the two apart.
      var bytes = try readWholeFile(other)
      let count = try readWholeFile(own).count
      bytes = Array(bytes.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - bytes.count))
      try write(bytes, to: own)
      let result = try await runStage(
        "h2rec-evaluate", TinyRun.arguments(3, "out"), in: directory)
      #expect(result.status == .exited(65))
      #expect(result.error.contains(": error: checksum "), "\(result.error)")
    }
  }

  /// A million reads with `H2REC_LONG`.
  private static let readCount =
    ProcessInfo.processInfo.environment["H2REC_LONG"] == nil ? 200 : 1_000_000

  @Test(.timeLimit(.minutes(60)))
  func `a reader sees the old or the new output while a stage publishes`() async throws {
    try await withTemporaryDirectory { directory in
      let run = try await TinyRun(in: directory)
      try FileManager.default.createSymbolicLink(
        atPath: directory.appending("current").string, withDestinationPath: ".")
      let path = directory.appending("current").appending(TinyRun.outputs[1])
      let sums = try await withThrowingTaskGroup(of: Set<String>.self) { group in
        let isDone = Flag()
        let isReadEnough = Flag()
        group.addTask {
          var found: Set<String> = []
          var reads = 0
          while !isDone.value.load(ordering: .relaxed) || reads < Self.readCount {
            reads += 1
            // Where there is one processor, the stages are waited for on this very thread.
            await Task.yield()
            if reads == Self.readCount { isReadEnough.value.store(true, ordering: .relaxed) }
            do throws(PipelineError) {
              let input = try StageInput(directory: path, expecting: "tokenize")
              let codes = try input.table("codes")
              let page = try input.file("codes.csv")
              found.insert("\(input.reference.checksum) \(codes.rowCount) \(checksum(page))")
            } catch {
              // A file of the manifest that was read may be gone by now; nothing else may be amiss.
              #expect(error.kind == .temporaryFailure, "\(error)")
            }
          }
          return found
        }
        var seed = 0
        while seed < 8 || !isReadEnough.value.load(ordering: .relaxed) {
          try await run.succeed(
            "h2rec-tokenize",
            TinyRun.arguments(1, TinyRun.outputs[1], ["--seed", "\(seed % 2)"]))
          seed += 1
        }
        isDone.value.store(true, ordering: .relaxed)
        return try await group.next() ?? []
      }
      // The output of the run itself, and those of two seeds.
      #expect(sums.count >= 2 && sums.count <= 3, "\(sums)")
    }
  }
}

/// A sign that one task gives to another.
private final class Flag: Sendable {
  let value = Atomic(false)
}
