import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What runs again and what does not, with the real programs.
@Suite(.serialized, .timeLimit(.minutes(30))) struct FreshnessTests {
  private static let options = [
    "PRESET=sasrec", "PREPROCESS_OPTIONS=--user-core 2 --item-core 2",
    "TRAIN_OPTIONS=--dimension 8 --max-length 5 --epochs 1",
    "EVALUATE_OPTIONS=--resamples 0 --recommend 3",
  ]
  private static let stages = ["preprocess", "train", "evaluate"]

  /// A pipeline, and a folder `data` beside its RUN with a small log.
  private func withData(
    _ body: (Pipeline, FilePath) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { directory in
      let data = directory.appending("data")
      try FileManager.default.createDirectory(
        atPath: data.string, withIntermediateDirectories: true)
      try write(log(seed: 0), to: data.appending("interactions.csv"))
      try await body(Pipeline(real: directory), data)
    }
  }

  /// Forty users with six events each; another seed gives other items.
  private func log(seed: Int) -> [UInt8] {
    var text = "user_id,item_id,timestamp\n"
    for user in 0..<40 {
      for step in 0..<6 {
        text += "u\(user),i\((user * 7 + step * step * (seed + 3)) % 23),\(1_500_000_000 + step)\n"
      }
    }
    return Array(text.utf8)
  }

  private func make(
    _ pipeline: Pipeline, _ words: String..., options: [String] = options
  ) async throws -> StageResult {
    let result = try await pipeline.make(options + words)
    #expect(result.status == .exited(0), "\(result.error)")
    return result
  }

  @Test func `a folder spelled otherwise, moved, or with other times is the same input`()
    async throws
  {
    try await withData { pipeline, data in
      #expect(try await make(pipeline, "all", "DATA=\(data)").stages == Self.stages)
      let before = try pipeline.state()
      for spelling in ["\(data)", "\(data)/", "\(data)//", "\(data)/../data", "\(data)/./"] {
        #expect(try await make(pipeline, "all", "DATA=\(spelling)").stages == [], "\(spelling)")
      }
      let defaults = "--resamples 0 --recommend 3 --cutoffs 5,10,20 --mmr 1 --recommend-format csv"
      let same = try await make(pipeline, "all", "DATA=\(data)", "EVALUATE_OPTIONS=\(defaults)")
      #expect(same.stages == [])
      #expect(try pipeline.state() == before)

      let file = data.appending("interactions.csv").string
      for date in [Date(timeIntervalSinceNow: 1e9), Date(timeIntervalSince1970: 1e9)] {
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file)
        for _ in 0..<2 {
          #expect(try await make(pipeline, "all", "DATA=\(data)").stages == [])
        }
      }
      let moved = Pipeline(real: pipeline.directory.appending("moved"))
      try FileManager.default.createDirectory(
        atPath: moved.directory.string, withIntermediateDirectories: true)
      for name in ["run", "data"] {
        try FileManager.default.moveItem(
          atPath: pipeline.directory.appending(name).string,
          toPath: moved.directory.appending(name).string)
      }
      #expect(try await make(moved, "all", "DATA=\(moved.directory)/data").stages == [])
    }
  }

  @Test func `other contents are new input, whatever stands before them and says their time`()
    async throws
  {
    try await withData { pipeline, data in
      let manager = FileManager.default
      let link = data.appending("interactions.csv").string
      let store = pipeline.directory.appending("day.csv").string
      try manager.moveItem(atPath: link, toPath: store)
      try manager.createSymbolicLink(atPath: link, withDestinationPath: store)
      #expect(try await make(pipeline, "train", "DATA=\(data)").stages == ["preprocess", "train"])
      // As rsync and restored snapshots do it.
      let new = pipeline.directory.appending("new.csv")
      try write(log(seed: 1), to: new)
      try manager.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: new.string)
      try #require(rename(new.string, store) == 0)
      #expect(try await make(pipeline, "train", "DATA=\(data)").stages == ["preprocess", "train"])
      #expect(try await make(pipeline, "train", "DATA=\(data)").stages == [])

      try manager.removeItem(atPath: link)
      let folder = data.appending("interactions")
      try manager.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
      try write(log(seed: 1), to: folder.appending("part-0.csv"))
      #expect(try await make(pipeline, "preprocess", "DATA=\(data)").stages == ["preprocess"])
      #expect(try await make(pipeline, "preprocess", "DATA=\(data)").stages == [])
      try write(log(seed: 2), to: folder.appending("part-1.csv"))
      #expect(try await make(pipeline, "preprocess", "DATA=\(data)").stages == ["preprocess"])
    }
  }

  @Test func `a make that found the run busy runs its stage later`() async throws {
    try await withData { pipeline, data in
      _ = try await make(pipeline, "train", "DATA=\(data)")
      let other =
        Self.options + [
          "DATA=\(data)", "TRAIN_OPTIONS=--dimension 8 --max-length 5 --epochs 2",
        ]
      let busy = try await holding(pipeline.run.appending(".make/lock")) {
        try await pipeline.make(other + ["train"])
      }
      #expect(busy.status == .exited(2) && busy.error.hasSuffix("Error 75\n"))
      #expect(try await make(pipeline, "train", options: other).stages == ["train"])
      let input = try StageInput(
        directory: pipeline.run.appending("3-train"), expecting: "train")
      #expect(input.manifest.configuration["epochs"] == 2)
    }
  }

  @Test func `outputs that do not belong together are mended by make, and name it by hand`()
    async throws
  {
    try await withData { pipeline, data in
      let options =
        [
          "DATA=\(data)", "PRESET=sample", "TOKENIZE_OPTIONS=--codebooks 4,4 --pca 0",
        ] + Self.options.dropFirst()
      var items = "item_id,title\n"
      for item in 0..<23 { items += "i\(item),thing \(item) of \(item % 4) and \(item % 5)\n" }
      try write(Array(items.utf8), to: data.appending("items.csv"))
      _ = try await make(pipeline, "evaluate", options: options)
      // As if data had been replaced under a stage that was reading it.
      let command = ["--interactions", "\(data)/interactions.csv", "--items", "\(data)/items.csv"]
      let byHand = try await runStage(
        "h2rec-preprocess",
        command + ["--output", "1-preprocess", "--seed", "7", "--user-core", "2"],
        in: pipeline.run)
      #expect(byHand.status == .exited(0), "\(byHand.error)")
      let refused = try await runStage(
        "h2rec-train", ["--data", "1-preprocess", "--codes", "2-tokenize", "--output", "3-train"],
        in: pipeline.run)
      #expect(refused.status == .exited(78))
      #expect(
        refused.error.contains(
          "2-tokenize/manifest.json: error: this was not made from 1-preprocess")
      )
      #expect(refused.error.contains("\nnote: run 'make tokenize', "), "\(refused.error)")
      let mended = try await make(pipeline, "evaluate", options: options)
      #expect(mended.stages.first == "preprocess")
      #expect(try await make(pipeline, "evaluate", options: options).stages == [])
    }
  }

  @Test func `an output without a record, or a damaged one, is made again`() async throws {
    try await withData { pipeline, data in
      _ = try await make(pipeline, "train", "DATA=\(data)")
      let output = pipeline.run.appending("3-train")
      try FileManager.default.removeItem(
        atPath: output.appending(".made-from.json").string)
      #expect(try await make(pipeline, "train", "DATA=\(data)").stages == ["train"])
      let name = try #require(try contents(of: output).keys.first { $0.hasSuffix(".h2s") })
      try FileManager.default.removeItem(atPath: output.appending(name).string)
      #expect(try await make(pipeline, "train", "DATA=\(data)").stages == ["train"])
      #expect(try await make(pipeline, "train", "DATA=\(data)").stages == [])
    }
  }

  @Test func `a sample with other options or a changed file is written again`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = Pipeline(real: directory)
      let small = "SAMPLE_OPTIONS=--users 30 --items 20 --interactions 300"
      let first = try await make(pipeline, "sample", small, options: [])
      #expect(first.stages == ["sample"])
      #expect(try await make(pipeline, "sample", small, options: []).stages == [])
      try write([0x78], to: pipeline.run.appending("0-sample/items.jsonl"))
      #expect(try await make(pipeline, "sample", small, options: []).stages == ["sample"])
      let larger = "SAMPLE_OPTIONS=--users 31 --items 20 --interactions 300"
      #expect(try await make(pipeline, "sample", larger, options: []).stages == ["sample"])
    }
  }

  @Test func `a log alone is enough for the baseline, and vectors in an archive are found`()
    async throws
  {
    try await withData { pipeline, data in
      let first = try await make(pipeline, "train", "DATA=\(data)")
      #expect(first.error.contains("so the item table starts at random"), "\(first.error)")
      let choices = "by the data and the processor: --hash-init random --loss ce --precision "
      #expect(first.error.contains(choices), "\(first.error)")
      #expect(first.error.contains(" --batch-size 32 --warm-up-steps 0 "), "\(first.error)")
      let input = try StageInput(
        directory: pipeline.run.appending("3-train"), expecting: "train")
      #expect(input.manifest.configuration["hashInit"] == "random")
      // Items without any text are no reason to fail either.
      let items = "item_id,sku\n" + (0..<23).map { "i\($0),\($0)\n" }.joined()
      try write(Array(items.utf8), to: data.appending("items.csv"))
      #expect(try await make(pipeline, "train", "DATA=\(data)").stages.contains("train"))

      var rows = ""
      for item in 0..<23 {
        rows += "{\"item_id\":\"i\(item)\",\"vector\":[\(item),1,\(item % 3)]}\n"
      }
      try write(Array(rows.utf8), to: data.appending("item_embeddings.jsonl"))
      let found = try await make(pipeline, "train", "DATA=\(data)")
      #expect(
        found.error.contains(
          "data: reads 'interactions.csv', 'items.csv', 'item_embeddings.jsonl'\n"),
        "\(found.error)")
      #expect(found.stages == ["preprocess", "train"])
    }
  }

  @Test func `names of files are only names`() async throws {
    try await withData { pipeline, data in
      let manager = FileManager.default
      for name in ["interactions.`touch BAD`.csv", "interactions.;touch BAD;.csv"] {
        try write(log(seed: 3), to: data.appending(name))
      }
      try write([], to: data.appending("interactions.$(touch BAD)"))
      for flag in ["--dry-run", "--silent"] {
        let result = try await make(pipeline, "preprocess", flag, "DATA=\(data)")
        #expect(flag == "--dry-run" || result.stages == ["preprocess"])
      }
      for place in [packageDirectory, data, pipeline.directory] {
        #expect(!manager.fileExists(atPath: place.appending("BAD").string))
      }
    }
  }

  @Test func `a stage that outlives its pipeline keeps the run locked`() async throws {
    try await withData { pipeline, data in
      _ = try await make(pipeline, "preprocess", "DATA=\(data)")
      let long = "--dimension 8 --max-length 5 --epochs 90000 --patience 90000"
      let program = pipeline.programs.appending("h2rec-preprocess").string
      let train = pipeline.programs.appending("h2rec-train").string
      let script = """
        "$@" >/dev/null 2>&1 & pipeline=$!
        until stage=$(pgrep -P $pipeline -f epochs) && grep -q '^SigBlk:.*4002$' /proc/$stage/status; do sleep 0.02; done
        kill -KILL $pipeline; wait $pipeline 2>/dev/null; echo $stage
        """
      let started = try await runProgram(
        .name("bash"),
        ["-c", script, "bash", program, "pipeline", "--run=run", "--then", train]
          + ["sasrec", "--data=run/1-preprocess", "--output=run/3-train"]
          + long.split(separator: " ").map(String.init), in: pipeline.directory)
      let stage = try #require(pid_t(started.output.dropLast()), "\(started)")
      let busy = try await pipeline.make(Self.options + ["train", "DATA=\(data)"])
      #expect(busy.error.contains("(process \(stage), 'h2rec-train "), "\(busy.error)")
      #expect(busy.error.hasSuffix("Error 75\n"))
      kill(stage, SIGTERM)
      while kill(stage, 0) == 0 { try await Task.sleep(for: .milliseconds(20)) }
      #expect(try await make(pipeline, "train", "DATA=\(data)").stages == ["train"])
    }
  }
}
