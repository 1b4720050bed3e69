import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A training that is stopped at any moment ends, in the end, with the bytes of one that was not.
@Suite(.serialized, .timeLimit(.minutes(30))) struct ResumeTests {
  private static let options = [
    "sasrec", "--data", "data", "--dimension", "16", "--epochs", "30", "--patience",
    "30", "--batch-size", "16", "--validation-users", "40", "--ema-decay", "0.9", "--quiet",
  ]

  /// A small shop in `directory`, and the output of a straight run on it, which is removed again.
  private func prepare(_ directory: FilePath) async throws -> [String: [UInt8]] {
    let stages = [
      ("preprocess", "sample --output shop --users 150 --items 80 --interactions 2000"),
      (
        "preprocess",
        """
        --interactions shop/interactions.csv --items shop/items.jsonl --vectors shop/item_embeddings.npy \
        --vector-ids shop/item_ids.txt --user-core 2 --item-core 2 --output data
        """
      ),
    ]
    for (stage, arguments) in stages {
      let words = arguments.split(separator: " ").map(String.init)
      let result = try await runStage("h2rec-\(stage)", words + ["--quiet"], in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
    }
    let result = try await runStage(
      "h2rec-train", Self.options + ["--output", "model"], in: directory)
    try #require(result.status == .exited(0), "\(result.error)")
    let output = directory.appending("model")
    let straight = try contents(of: output)
    #expect(!straight.keys.contains { $0.hasPrefix("checkpoints") })
    try FileManager.default.removeItem(atPath: output.string)
    return straight
  }

  /// Starts the training and sends it a signal after some seconds, unless it has ended before.
  private func train(
    _ directory: FilePath, signal: String, after seconds: Double, _ more: [String] = []
  ) async throws -> StageResult {
    let program = productsDirectory.appending("h2rec-train").string
    return try await runProgram(
      .name("timeout"),
      ["--preserve-status", "--signal=\(signal)", "\(seconds)", program] + Self.options
        + ["--output", "model"] + more, in: directory)
  }

  @Test(arguments: ["TERM", "INT"])
  func `a signal saves the training, exits 75 and the same command goes on`(
    signal: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      let straight = try await prepare(directory)
      // How long a training takes here, a start of the program included.
      let start = ContinuousClock.now
      let whole = try await runStage(
        "h2rec-train", Self.options + ["--output", "timed"], in: directory)
      try #require(whole.status == .exited(0))
      let duration = (ContinuousClock.now - start) / .seconds(1)
      var generator = SeededGenerator(seed: 5)
      var stops = 0
      var misses = 0
      // A signal that comes before the first step, while the data is read, ends the program as it ends any other; one that
      // comes too late ends nothing. Neither proves anything, so another delay is drawn.
      let early = TerminationStatus.exited(signal == "TERM" ? 143 : 130)
      while true {
        try #require(misses < 100)
        let delay = Double.random(in: 0.02...1.2, using: &generator) * duration
        let result = try await train(directory, signal: signal, after: delay)
        if result.status == early {
          misses += 1
          #expect(result.error == "" && result.output == "")
          continue
        }
        if result.status == .exited(0), stops == 0 {
          misses += 1
          try FileManager.default.removeItem(atPath: directory.appending("model").string)
          continue
        }
        if result.status == .exited(0) {
          #expect(result.output.contains("\"resumedStep\":"), "\(result.output)")
          break
        }
        stops += 1
        try #require(result.status == .exited(75), "\(result.error)")
        try #require(stops < 100)
        let lines = result.error.split(separator: "\n")
        #expect(lines.count == 2 && result.output == "")
        #expect(
          result.error.wholeMatch(
            of:
              #/.*h2rec-train: model/checkpoints: error: stopped by a signal after step \d+, which is saved\n.*\n/#
          ) != nil, "\(result.error)")
        #expect(lines.last == "note: the same command goes on from there")
      }
      #expect(stops > 0)
      #expect(try contents(of: directory.appending("model")) == straight)
    }
  }

  // The generated code of oneDNN uses the stack pointer as an ordinary register: the frame of a handler would be written
  // over its matrices.
  @Test func `no handler runs for the signals that stop a training`() async throws {
    try await withTemporaryDirectory { directory in
      _ = try await prepare(directory)
      let script = """
        "$@" & program=$!
        until grep -q '^SigBlk:.*4002$' /proc/$program/status || ! kill -0 $program; do sleep 0.01; done
        grep '^SigCgt:' /proc/$program/status
        kill -TERM $program; wait $program
        """
      let program = productsDirectory.appending("h2rec-train").string
      let result = try await runProgram(
        .name("sh"), ["-c", script, "sh", program] + Self.options + ["--output", "model"],
        in: directory)
      #expect(result.status == .exited(75), "\(result.error)")
      let digits = try #require(result.output.split(separator: "\t").last).dropLast()
      let handled = try #require(UInt64(digits, radix: 16))
      #expect(handled & 0x4002 == 0)
    }
  }

  @Test func `a training killed again and again ends with the bytes of a straight run`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      let straight = try await prepare(directory)
      var generator = SeededGenerator(seed: 6)
      var kills = 0
      while true {
        let seconds = Double.random(in: 0.1...1.0, using: &generator) * (1 + Double(kills) / 10)
        let result = try await train(
          directory, signal: "KILL", after: seconds, ["--checkpoint-steps", "3"])
        if result.status == .exited(0) {
          #expect(result.output.contains("\"resumedStep\":"), "\(result.output)")
          break
        }
        kills += 1
        try #require(result.error == "", "\(result.error)")
        try #require(kills < 100)
      }
      #expect(kills > 0)
      #expect(try contents(of: directory.appending("model")) == straight)
      let record = try JSONValue(
        parsing: try readWholeFile(directory.appending("model").appending(".made-from.json")),
        path: "record")
      #expect((record["resumedStep"]?.integerValue ?? 0) > 0)
    }
  }
}
