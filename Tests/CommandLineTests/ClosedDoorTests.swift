internal import Foundation
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// What a program is started with may be hostile: no descriptors, no threads, no memory, small files, a signal at any time.
@Suite(.serialized, .timeLimit(.minutes(30))) struct ClosedDoorTests {
  /// A shell line that runs a command without any thread but its first.
  ///
  /// As root nothing limits threads, so another user runs it.
  private static let withoutThreads = """
    chmod -R a+rwX . 2>/dev/null
    if [ "$(id -u)" = 0 ]; then exec setpriv --reuid=65534 --regid=65534 --clear-groups prlimit --nproc=1 "$@"
    else exec prlimit --nproc=1 "$@"; fi
    """

  private func withRun(_ body: (TinyRun) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
      try await body(try await TinyRun(in: directory))
    }
  }

  private func expectSame(_ run: TinyRun, _ stage: Int, _ what: String) throws {
    let expected = try contents(of: run.directory.appending(TinyRun.outputs[stage]))
    #expect(try contents(of: run.directory.appending("out")) == expected, "\(what)")
    try FileManager.default.removeItem(atPath: run.directory.appending("out").string)
  }

  @Test func `closed descriptors end up in no file`() async throws {
    try await withRun { run in
      for stage in stageNames.indices {
        for (closed, status) in [("<&- 2>&-", 0), ("2>&-", 0), ("<&-", 0), ("<&- >&- 2>&-", 74)] {
          let result = try await run.run(stage, "out", under: "exec \"$@\" \(closed)")
          #expect(result.status == .exited(Int32(status)), "\(stageNames[stage]) \(closed)")
          try expectSame(run, stage, "\(stageNames[stage]) \(closed)")
        }
      }
    }
  }

  @Test(.enabled(if: hasProgram("prlimit") && hasProgram("setpriv"), "needs util-linux"))
  func `refused threads change no byte and are said once`() async throws {
    try await withRun { run in
      for stage in stageNames.indices {
        let result = try await run.run(
          stage, "out", under: Self.withoutThreads, ["--threads", "2"])
        #expect(result.status == .exited(0), "\(stageNames[stage]): \(result.error)")
        let words = "warning: 1 of 2 threads: the system refuses another"
        #expect(result.error.components(separatedBy: words).count <= 2, "\(result.error)")
        if stage != 1, ProcessInfo.processInfo.activeProcessorCount > 1 {
          #expect(result.error.contains(words), "\(stageNames[stage])")
        }
        try expectSame(run, stage, stageNames[stage])
      }
    }
  }

  @Test(arguments: [false, true])
  func `SIGTERM ends every stage within seconds, whatever it is doing`(
    isThreadless: Bool
  ) async throws {
    try await withRun { run in
      let clock = ContinuousClock()
      let prefix = isThreadless ? Self.withoutThreads + "\n" : ""
      let script =
        "program() { \(prefix) \"$@\"; }\nsend=$1; shift\n"
        + "( program \"$@\" ) & job=$!; sleep $send; pkill -TERM -P $job 2>/dev/null || kill -TERM $job; wait $job"
      for stage in stageNames.indices {
        for delay in ["0.02", "0.1", "0.3"] {
          let program = productsDirectory.appending("h2rec-\(stageNames[stage])").string
          let more = stage == 2 ? ["--epochs", "100000", "--patience", "100000"] : []
          let start = clock.now
          _ = try await runProgram(
            .name("bash"),
            ["-c", script, "bash", delay, program]
              + TinyRun.arguments(stage, "out")
              .replacing(["--epochs", "1"], with: more), in: run.directory)
          #expect(clock.now - start < .seconds(15), "\(stageNames[stage]) after \(delay) s")
        }
      }
    }
  }

  @Test func `memory that the system refuses ends with one message and 75`() async throws {
    try await withRun { run in
      var refusals = 0
      for stage in stageNames.indices {
        for mebibytes in stride(from: 112, through: 208, by: 16) {
          let result = try await run.run(
            stage, "out", under: "ulimit -v \(mebibytes << 10); exec \"$@\"")
          // Below this the dynamic linker finds no room for the libraries.
          if result.status == .exited(127) { continue }
          if result.status == .exited(0) {
            try expectSame(run, stage, "\(stageNames[stage]) \(mebibytes)")
            continue
          }
          refusals += 1
          #expect(
            result.status == .exited(75), "\(stageNames[stage]) \(mebibytes): \(result.error)")
          #expect(result.error.contains(": error: out of memory: "), "\(result.error)")
          #expect(result.error.components(separatedBy: "error: ").count == 2, "\(result.error)")
        }
      }
      #expect(refusals > 0)
    }
  }

  @Test func `a limit on the size of files is a write that fails`() async throws {
    try await withRun { run in
      for stage in stageNames.indices {
        let result = try await run.run(stage, "out", under: "ulimit -f 1; exec \"$@\"")
        #expect(result.status == .exited(74), "\(stageNames[stage]): \(result.status)")
        #expect(result.error.contains("cannot write: File too large"), "\(result.error)")
        #expect(!FileManager.default.fileExists(atPath: run.directory.appending("out").string))
      }
    }
  }

  @Test func `an argument that is not UTF-8 is refused, not written under another name`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      let result = try await runProgram(
        .name("bash"),
        [
          "-c", "exec \"$1\" sample --output $'shop\\xff' --quiet", "bash",
          productsDirectory.appending("h2rec-preprocess").string,
        ], in: directory)
      #expect(result.status == .exited(64))
      #expect(
        result.error == """
          h2rec-preprocess: error: argument 3 is not UTF-8: 'shop\u{FFFD}'
          note: rename the file or the directory that it names

          """)
      #expect(try contents(of: directory).isEmpty)
    }
  }

  @Test func `numbers that are not finite are refused on the command line`() async throws {
    for value in ["-inf", "inf", "nan"] {
      let rating = try await runStage(
        "h2rec-preprocess",
        ["--interactions", "x", "--output", "out", "--minimum-rating=\(value)"], in: "/tmp")
      #expect(rating.status == .exited(64), "\(value): \(rating.error)")
      let limit = try await runStage(
        "h2rec-tokenize",
        ["encode", "--data", "x", "--output", "out", "--codes", "y", "--drift-limit=\(value)"],
        in: "/tmp")
      #expect(limit.status == .exited(64), "\(value): \(limit.error)")
    }
  }

  @Test(arguments: [
    ("h2rec-tokenize", "--quantizer", "write the quantizer first: h2rec-tokenize pq"),
    ("h2rec-tokenize", "--encode-only=2", "write h2rec-tokenize encode --codes DIR"),
    ("h2rec-tokenize", "--import", "write h2rec-tokenize import FILE"),
    ("h2rec-tokenize", "--lint-only", "write h2rec-tokenize lint PATH"),
    ("h2rec-tokenize", "--mini-batch", "give --sample-size instead"),
    ("h2rec-train", "--model", "write the model first: h2rec-train sasrec"),
    ("h2rec-train", "--average-decay", "write --ema-decay"),
  ])
  func `an option that is gone is refused with what to write now`(
    program: String, option: String, advice: String
  ) async throws {
    let result = try await runStage(program, ["--data", "1", option, "x"], in: "/tmp")
    #expect(result.status == .exited(64))
    #expect(result.output == "")
    let name = option.prefix { $0 != "=" }
    #expect(
      result.error.hasPrefix("\(program): error: '\(name)' is gone\nnote: \(advice)"),
      "\(result.error)")
  }
}
