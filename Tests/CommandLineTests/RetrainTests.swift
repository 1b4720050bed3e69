internal import Foundation
internal import ShardIO
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// Nights of a small shop, by make, with the real programs.
@Suite(.serialized, .timeLimit(.minutes(30))) struct RetrainTests {
  /// A pipeline whose DATA is a shop of its own.
  private func withShop(_ body: (Pipeline, FilePath) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = Pipeline(real: directory)
      let data = directory.appending("shop")
      let result = try await runStage(
        "h2rec-preprocess",
        ["sample", "--output", data.string, "--users", "150", "--items", "60"]
          + ["--interactions", "1800", "--quiet"], in: directory)
      try #require(result.status == .exited(0))
      try await body(pipeline, data)
    }
  }

  private func night(
    _ pipeline: Pipeline, _ data: FilePath, _ more: String...
  ) async throws -> StageResult {
    try await pipeline.bareNightly(
      ["DATA=\(data)", "PRESET=sample", "RUN=\(pipeline.run)"]
        + ["BIN=\(pipeline.programs)"] + more + [
          "TOKENIZE_OPTIONS=--codebooks 8,8",
          "TRAIN_OPTIONS=--dimension 16 --epochs 12 --learning-rate 0.01",
        ])
  }

  /// What the last line of a night says.
  private func line(_ result: StageResult) throws -> JSONValue {
    let text = try #require(result.output.split(separator: "\n").last)
    return try JSONValue(parsing: Array(text.utf8), path: "line")
  }

  private func current(_ pipeline: Pipeline) throws -> String {
    try FileManager.default.destinationOfSymbolicLink(
      atPath: pipeline.run.appending("current").string)
  }

  /// More events of the first user, later than all others.
  private func append(_ count: Int, to data: FilePath) throws {
    let path = data.appending("interactions.csv")
    let text = String(decoding: try readWholeFile(path), as: UTF8.self)
    let lines = text.split(separator: "\n")
    let rows = (0..<count).map { number -> String in
      var fields = lines[1 + number % (lines.count - 1)].split(separator: ",").map(String.init)
      fields[3] = "\(1_900_000_000 + number)"
      return fields.joined(separator: ",")
    }
    try write(Array((text + rows.joined(separator: "\n") + "\n").utf8), to: path)
  }

  @Test(.enabled(if: hasProgram("systemd-analyze"), "systemd-analyze is not installed"))
  func `the files for systemd are what systemd takes`() async throws {
    try await withTemporaryDirectory { directory in
      let folder = packageDirectory.appending("Scripts").appending("systemd")
      for name in ["h2rec-retrain.service", "h2rec-retrain.timer"] {
        let text = String(decoding: try readWholeFile(folder.appending(name)), as: UTF8.self)
        let real = text.replacing("/opt/h2rec", with: packageDirectory.string)
          .replacing("/srv/shop", with: directory.string).replacing("User=h2rec", with: "User=root")
        try write(Array(real.utf8), to: directory.appending(name))
      }
      let result = try await runProgram(
        .name("systemd-analyze"),
        ["verify", "\(directory)/h2rec-retrain.timer", "\(directory)/h2rec-retrain.service"],
        in: directory)
      #expect(result.status == .exited(0), "\(result.error)")
      #expect(!result.error.contains("h2rec-retrain"), "\(result.error)")
    }
  }

  @Test func `options of a later stage are refused before the first one runs`() async throws {
    try await withShop { pipeline, data in
      let result = try await night(pipeline, data, "EVALUATE_OPTIONS=--resamples 5")
      #expect(result.status == .exited(64) && result.stages == [])
      #expect(result.error.contains("'--resamples' must be"), "\(result.error)")
      let limits = try await night(pipeline, data, "NIGHT_OPTIONS=--lint --min-beauty=1")
      #expect(limits.status == .exited(64) && limits.stages == [], "\(limits.error)")
      #expect(limits.error.contains("'--min-beauty"), "\(limits.error)")
      #expect(!FileSystem.exists(pipeline.run.appending("runs")))
    }
  }

  @Test func `publish, do nothing, go on from the night before, refuse, and go back`() async throws
  {
    try await withShop { pipeline, data in
      let first = try await night(pipeline, data)
      try #require(first.status == .exited(0), "\(first.error)")
      let name = try #require(try line(first)["night"]?.stringValue)
      #expect(try current(pipeline) == "runs/\(name)" && (try line(first))["published"] == true)
      #expect(first.stages == stageNames + ["night"])
      let folder = pipeline.run.appending("current")
      #expect(
        FileManager.default.fileExists(
          atPath: folder.appending("4-evaluate").appending("recommendations.csv").string))

      let idle = try await night(pipeline, data)
      #expect(idle.status == .exited(0) && idle.stages == [], "\(idle.output)\(idle.error)")
      #expect(try line(idle)["upToDate"] == true && line(idle)["night"]?.stringValue == name)

      try append(40, to: data)
      let second = try await night(pipeline, data)
      try #require(second.status == .exited(0), "\(second.error)")
      let next = try #require(try line(second)["night"]?.stringValue)
      #expect(try next > name && current(pipeline) == "runs/\(next)")
      let record = try JSONValue(
        parsing: try readWholeFile(folder.appending("night.json")), path: "night.json")
      #expect(record["warmStart"] == true && record["frozenCodes"] == true)
      #expect(record["published ndcg@10 overall"]?.numberValue != nil)
      #expect(record["warmStartItems"]?["freshItems"] == 0)

      // A limit that nothing keeps to: what is published stays, and the command for failures runs.
      try append(40, to: data)
      let told = pipeline.directory.appending("told")
      let refused = try await night(
        pipeline, data,
        "NIGHT_OPTIONS=--min-coverage 1 --on-failure 'echo $$H2REC_STATUS $$H2REC_MESSAGE >\(told)'"
      )
      #expect(refused.status == .exited(3), "\(refused.error)")
      #expect(
        try line(refused)["published"] == false && refused.error.contains("refused: lists hold"))
      #expect(try current(pipeline) == "runs/\(next)")
      let message = String(decoding: try readWholeFile(told), as: UTF8.self)
      #expect(message.hasPrefix("3 lists hold"), "\(message)")
      let refusedNight = try #require(try line(refused)["night"]?.stringValue)
      let nightPage = String(
        decoding: try readWholeFile(pipeline.run.appending("runs/\(refusedNight)/night.html")),
        as: UTF8.self)
      #expect(
        nightPage.contains("Refused; what was published stays.")
          && nightPage.contains("<li>lists hold"))
      #expect(nightPage.contains("at least 100.0 %"))

      let back = try await pipeline.make("rollback")
      #expect(try back.status == .exited(0) && current(pipeline) == "runs/\(name)")
      let history = try await pipeline.make("history")
      let lines = history.output.split(separator: "\n")
      #expect(lines.count == 4 && lines[0].hasSuffix("<- current") && lines[2].contains("refused"))
      #expect(lines[3].contains("rolled back to \(name)"))
      let page = String(
        decoding: try readWholeFile(pipeline.run.appending("history.html")), as: UTF8.self)
      #expect(page.contains("NDCG@10, tail") && page.contains("refused"))
    }
  }

  /// How often nights are killed, a thousand times with `H2REC_LONG`.
  private static let killCount =
    ProcessInfo.processInfo.environment["H2REC_LONG"] == nil ? 7 : 1000

  @Test(.timeLimit(.minutes(240)))
  func `killed at random, nights go on and end with the bytes of undisturbed ones`() async throws {
    try await withShop { pipeline, data in
      try #require(try await night(pipeline, data).status == .exited(0))
      // Undisturbed nights, on a copy.
      let copy = Pipeline(real: pipeline.directory.appending("copy"))
      try FileManager.default.createDirectory(
        atPath: copy.directory.string, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: pipeline.run.string, toPath: copy.run.string)
      var generator = SeededGenerator(seed: 9)
      var kills = 0
      let log = data.appending("interactions.csv")
      let start = try readWholeFile(log)
      var number = 0
      while kills < Self.killCount {
        number += 1
        // The shop stays small: every tenth night its log is that of the first one, and some events.
        if number.isMultiple(of: 10) { try write(start, to: log) }
        try append(60 + number, to: data)
        let published = try current(pipeline)
        let undisturbed = try await night(copy, data).status
        try #require(undisturbed == .exited(0) || undisturbed == .exited(3))
        var misses = 0
        while true {
          let seconds = Double.random(in: 0.05...0.6, using: &generator) * (1 + Double(misses) / 4)
          let status = try await killedNight(pipeline, data, after: seconds)
          let now = try current(pipeline)
          let record = pipeline.run.appending(now).appending("night.json")
          #expect(now == published || FileManager.default.fileExists(atPath: record.string))
          // A refusal is told once: where the program died after it, the next one has nothing to do.
          if status == undisturbed || status == .exited(0) { break }
          kills += 1
          misses += 1
          try #require(misses < 60)
        }
        #expect(try (current(pipeline) != published) == (undisturbed == .exited(0)))
        #expect(try outputs(pipeline) == outputs(copy))
      }
    }
  }

  /// A night that is killed with all its programs after some time; its status if it was done before.
  private func killedNight(
    _ pipeline: Pipeline, _ data: FilePath, after seconds: Double
  ) async throws -> TerminationStatus {
    let script =
      #"set -m; "$@" & job=$!; sleep \#(seconds); kill -KILL -- -$job 2>/dev/null; wait $job"#
    return try await runProgram(
      .name("bash"),
      [
        "-c", script, "night", packageDirectory.appending("Scripts/nightly").string,
        "DATA=\(data)", "PRESET=sample", "RUN=\(pipeline.run)", "BIN=\(pipeline.programs)",
        "TOKENIZE_OPTIONS=--codebooks 8,8",
        "TRAIN_OPTIONS=--dimension 16 --epochs 12 --learning-rate 0.01",
      ], in: packageDirectory, environment: ["MAKEFLAGS": nil, "MAKELEVEL": nil]
    ).status
  }

  /// The bytes of the outputs of the last night, but for what names their folder or their time.
  private func outputs(_ pipeline: Pipeline) throws -> [String: [UInt8]] {
    let nights = pipeline.run.appending("runs")
    let last = try #require(
      FileManager.default.contentsOfDirectory(atPath: nights.string)
        .filter { !$0.hasPrefix(".") }.max())
    let night = nights.appending(last)
    return try contents(of: night).filter { $0.key.hasSuffix(".h2s") || $0.key.hasSuffix(".csv") }
  }
}
