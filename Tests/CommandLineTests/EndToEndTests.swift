import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// The real programs under the real Makefile, on a tiny sample.
@Suite(.serialized, .timeLimit(.minutes(30))) struct EndToEndTests {
  private static let tiny = [
    "SAMPLE_OPTIONS=--users 150 --items 60 --interactions 1800",
    "TOKENIZE_OPTIONS=--codebooks 8,8,8,8",
    "TRAIN_OPTIONS=--dimension 16 --max-length 10 --epochs 2",
  ]
  private static let outputs = ["1-preprocess", "2-tokenize", "3-train", "4-evaluate"]

  @Test func `from nothing to recommendations, and again with other threads`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = Pipeline(real: directory)
      let first = try await make(pipeline, "all", "THREADS=1")
      #expect(first.status == .exited(0), "\(first.error)")
      #expect(first.stages == ["sample"] + stageNames)
      let report = "\nreport: \(pipeline.run)/4-evaluate/report.html\n"
      #expect(first.output.contains(report))
      try expectReport(in: pipeline.run.appending("4-evaluate"))
      let before = try pipeline.state()

      let second = try await make(pipeline, "all", "THREADS=2")
      #expect(second.status == .exited(0), "\(second.error)")
      #expect(second.stages == [])
      #expect(second.output.contains("\nh2rec ") && second.output.contains("\npopularity "))
      #expect(second.output.contains(report))
      #expect(try pipeline.state() == before)

      for stage in stageNames {
        let rerun = try await make(pipeline, "rerun-\(stage)", "THREADS=2")
        #expect(rerun.stages == [stage], "\(rerun.error)")
      }
      let after = try pipeline.state()
      #expect(after.keys.sorted() == before.keys.sorted())
      for (name, file) in before
      where after[name]?.bytes != file.bytes && !name.hasSuffix(".made-from.json") {
        Issue.record("\(name) depends on the threads or differs from run to run")
      }
    }
  }

  @Test func `a generator gives lists, digits and hits by code, and refuses what needs vectors`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      let pipeline = Pipeline(real: directory)
      let options = [
        "PRESET=tiger", Self.tiny[0], "TOKENIZE_OPTIONS=--codebooks 8,8",
        "TRAIN_OPTIONS=--dimension 16 --max-length 10 --feed-forward 16 --beam 12 --epochs 1",
      ]
      let run = try await pipeline.make(["all"] + options)
      #expect(run.status == .exited(0), "\(run.error)")
      #expect(run.output.contains("\ntiger "))
      let output = pipeline.run.appending("4-evaluate")
      let report = try JSONValue(
        parsing: try readWholeFile(output.appending("report.json")), path: "report.json")
      let found = report["generation"]
      #expect(found?["listLimit"] == 12 && found?["digits"]?.arrayValue?.count == 3)
      let hits = report["protocols"]?["full"]?["overall"]?["hr@10"]?.numberValue ?? -1
      // Codes are unique, so that a hit by code is one by item.
      #expect(hits >= 0 && found?["codeHr@10"]?.numberValue == hits)
      let page = String(decoding: try readWholeFile(output.appending("report.html")), as: UTF8.self)
      #expect(page.contains("<h2>Digits</h2>") && page.contains("at most 12 of them"))
      let lists = String(
        decoding: try readWholeFile(output.appending("recommendations.csv")), as: UTF8.self)
      let rows = lists.split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
      #expect(rows.count == 150 * 10 && Set(rows.map { "\($0[0]) \($0[2])" }).count == 1500)
      // Ranks beyond the beam, which are stored as infinity, are read again.
      let inputs = ["--data", "1-preprocess", "--codes", "2-tokenize", "--model", "3-train"]
      let again = try await runStage(
        "h2rec-evaluate", inputs + ["--output", "again", "--against", "4-evaluate", "--quiet"],
        in: pipeline.run)
      #expect(again.status == .exited(0), "\(again.error)")
      for command in ["export", "similar"] {
        let refused = try await runStage(
          "h2rec-evaluate", [command] + inputs + ["--output", "vectors"], in: pipeline.run)
        #expect(refused.status == .exited(78), "\(command): \(refused.error)")
        #expect(refused.error.contains("tiger"), "\(refused.error)")
      }
    }
  }

  @Test func `stages of different runs are refused`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = Pipeline(real: directory)
      #expect(try await make(pipeline, "train").status == .exited(0))
      _ = try await make(pipeline, "rerun-preprocess", "PREPROCESS_OPTIONS=--seed 7")
      let result = try await runStage(
        "h2rec-evaluate",
        ["--data", "1-preprocess", "--codes", "2-tokenize", "--model", "3-train"]
          + ["--output", "4-evaluate"], in: pipeline.run)
      #expect(result.status == .exited(78))
      #expect(result.error.hasPrefix("h2rec-evaluate: "))
      #expect(result.error.contains("manifest.json: error: "))
    }
  }

  @Test func `nothing is printed with quiet but one JSON line a stage`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = Pipeline(real: directory)
      let result = try await pipeline.nightly(Self.tiny)
      #expect(result.status == .exited(0))
      #expect(result.error == "")
      #expect(result.stages.count == result.output.split(separator: "\n").count)
      #expect(result.stages == ["sample"] + stageNames)
    }
  }

  @Test func `killed at any time, a stage leaves its old output or its new one`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = Pipeline(real: directory)
      #expect(try await make(pipeline, "evaluate").status == .exited(0))
      for stage in stageNames {
        try await killRepeatedly(stage, pipeline)
      }
    }
  }

  @Test func `a second run on the same output ends with 75`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = Pipeline(real: directory)
      #expect(try await make(pipeline, "evaluate").status == .exited(0))
      for stage in stageNames {
        let output = pipeline.run.appending(outputName(stage))
        let before = try contents(of: output)
        let result = try await holding(output.appending(".lock")) {
          try await runStage(
            "h2rec-\(stage)", try await arguments(of: stage, pipeline) + ["--quiet"],
            in: packageDirectory)
        }
        #expect(result.status == .exited(75))
        #expect(
          result.error.hasPrefix("h2rec-\(stage): \(output): error: another run holds the lock"))
        #expect(result.output == "")
        #expect(try contents(of: output) == before)
      }
    }
  }

  // MARK: - Helpers

  private func make(_ pipeline: Pipeline, _ arguments: String...) async throws -> StageResult {
    try await pipeline.make(arguments + Self.tiny)
  }

  private func outputName(_ stage: String) -> String {
    Self.outputs.first { $0.hasSuffix(stage) } ?? stage
  }

  /// Kills a stage that would write another output, later and later, until it comes to its end.
  private func killRepeatedly(_ stage: String, _ pipeline: Pipeline) async throws {
    let output = pipeline.run.appending(outputName(stage))
    let old = try manifest(of: output)
    let arguments = try await arguments(of: stage, pipeline) + ["--seed", "7"]
    var milliseconds = 2.0
    while true {
      let result = try await runProgram(
        .name("timeout"),
        ["--signal=KILL", "\(milliseconds / 1000)"]
          + [pipeline.programs.appending("h2rec-\(stage)").string] + arguments,
        in: packageDirectory)
      let now = try manifest(of: output)
      // Opening verifies that everything that the manifest lists is there and whole.
      _ = try StageInput(directory: output, expecting: stage)
      if result.status == .exited(0) {
        #expect(now != old, "\(stage) ignores its seed")
        return
      }
      if now != old { return }
      milliseconds *= 1.6
      try #require(milliseconds < 120_000, "\(stage) does not end: \(result.error)")
    }
  }

  /// The options with which the Makefile runs a stage.
  private func arguments(of stage: String, _ pipeline: Pipeline) async throws -> [String] {
    let words = try await make(pipeline, "all-command").output
      .split(separator: " ").map { String($0.replacing("\\", with: "")) }
    let program = pipeline.programs.appending("h2rec-\(stage)").string
    let commands = words.split { $0 == "--then" }.dropFirst().map(Array.init)
    let command = commands.first { $0.first == program && !$0.contains("sample") }
    return try Array(#require(command).dropFirst()).filter { $0 != "--if-needed" }
  }

  private func manifest(of output: FilePath) throws -> Data {
    try Data(contentsOf: URL(filePath: output.appending("manifest.json").string))
  }

  /// The report has the protocols and groups that it promises.
  private func expectReport(in output: FilePath) throws {
    let data = try Data(contentsOf: URL(filePath: output.appending("report.json").string))
    let report = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let protocols = try #require(report?["protocols"] as? [String: Any])
    let full = try #require(protocols["full"] as? [String: Any])
    let overall = try #require(full["overall"] as? [String: Any])
    let value = try #require(overall["ndcg@10"] as? Double)
    #expect((0...1).contains(value))
    let recommendations = try String(
      contentsOfFile: output.appending("recommendations.csv").string, encoding: .utf8)
    #expect(recommendations.split(separator: "\n").count == 1 + 150 * 10)
  }
}
