import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Which stages the Makefile runs and when; the programs are stand-ins.
@Suite struct MakefileTests {
  private static let everyStage = ["sample", "preprocess", "tokenize", "train", "evaluate"]

  @Test func `the second make all runs no stage and changes no file`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let first = try await pipeline.make("all")
      #expect(first.status == .exited(0), "\(first.error)")
      #expect(first.stages == Self.everyStage)
      let before = try pipeline.state()

      let second = try await pipeline.make("all")
      #expect(second.status == .exited(0))
      #expect(second.stages == [])
      #expect(
        second.output == """
          table of \(pipeline.run)/4-evaluate
          all tables: make show RUN=\(pipeline.run)

          """)
      #expect(try pipeline.state() == before)
    }
  }

  @Test(arguments: stageNames.indices)
  func `a changed option of a stage reruns that stage and the later ones`(
    index: Int
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      _ = try await pipeline.make("evaluate")
      let option = "\(stageNames[index].uppercased())_OPTIONS=--seed 7"
      #expect(try await pipeline.make("evaluate", option).stages == Array(stageNames[index...]))
      #expect(try await pipeline.make("evaluate", option).stages == [])
      #expect(try await pipeline.make("evaluate").stages == Array(stageNames[index...]))
    }
  }

  @Test(arguments: [
    (change: "THREADS=1", stages: [] as [String]), ("QUIET=1", []), ("SEED=7", stageNames),
    ("PRESET=sasrec", ["train", "evaluate"]),
  ])
  func `a variable reruns what it changes`(change: String, stages: [String]) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      _ = try await pipeline.make("evaluate", "PRESET=h2rec")
      #expect(try await pipeline.make("evaluate", "PRESET=h2rec", change).stages == stages)
    }
  }

  @Test func `a preset without codes leaves stage 2 out`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.make("evaluate", "PRESET=sasrec")
      #expect(result.stages == ["sample", "preprocess", "train", "evaluate"])
      let arguments = try contents(of: pipeline.run)["3-train/manifest.json"] ?? []
      #expect(!String(decoding: arguments, as: UTF8.self).contains("--codes"))
    }
  }

  @Test(arguments: stageNames.indices)
  func `a rerun target runs its stage, and the next make the later ones`(
    index: Int
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      _ = try await pipeline.make("evaluate")
      let rerun = try await pipeline.make("rerun-\(stageNames[index])")
      #expect(rerun.stages == [stageNames[index]])
      #expect(try await pipeline.make("evaluate").stages == Array(stageNames[(index + 1)...]))
    }
  }

  @Test func `a stage that fails leaves its old output, and the next make starts with it`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      _ = try await pipeline.make("evaluate")
      let old = try contents(of: pipeline.run)["3-train/manifest.json"]

      let failed = try await pipeline.make(
        "evaluate", "TRAIN_OPTIONS=--seed 7", environment: ["FAILING_STAGE": "train"])
      #expect(failed.status == .exited(2))
      #expect(failed.stages == [])
      #expect(try contents(of: pipeline.run)["3-train/manifest.json"] == old)

      let next = try await pipeline.make("evaluate", "TRAIN_OPTIONS=--seed 7")
      #expect(next.stages == ["train", "evaluate"])
    }
  }

  @Test func `a dry run names the stages that would run, and changes nothing`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      _ = try await pipeline.make("evaluate")
      let before = try pipeline.state()
      let idle = try await pipeline.make("--dry-run", "evaluate")
      #expect(!idle.output.contains("h2rec-"))
      let busy = try await pipeline.make("--dry-run", "evaluate", "TRAIN_OPTIONS=--seed 7")
      #expect(!busy.output.contains("h2rec-tokenize "))
      #expect(busy.output.contains("h2rec-train "))
      #expect(busy.output.contains("h2rec-evaluate "))
      #expect(try pipeline.state() == before)
    }
  }

  @Test func `the summaries of the stages are kept, and shown on the report when wanted`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      _ = try await pipeline.make("evaluate")
      let manifest = pipeline.run.appending("4-evaluate").appending("manifest.json")
      for stage in stageNames.dropLast() {
        let kept = pipeline.run.appending(".make").appending("times").appending("\(stage).json")
        #expect(
          try String(contentsOfFile: kept.string, encoding: .utf8) == "{\"stage\":\"\(stage)\"}\n")
      }
      #expect(try !String(contentsOfFile: manifest.string, encoding: .utf8).contains("--run-times"))
      #expect(try await pipeline.make("evaluate", "TIMES=1").stages == ["evaluate"])
      #expect(
        try String(contentsOfFile: manifest.string, encoding: .utf8)
          .contains("--run-times \(pipeline.run)/.make/times"))
    }
  }

  // MARK: - DATA

  @Test func `only the files that exist become options`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let data = try makeData(
        ["interactions.csv", "item_embeddings.npy", "item_ids.txt"], directory)
      #expect(try await pipeline.make("evaluate", "DATA=\(data)").stages == stageNames)
      let manifest = try contents(of: pipeline.run)["1-preprocess/manifest.json"] ?? []
      let arguments = String(decoding: manifest, as: UTF8.self)
      #expect(
        arguments.hasPrefix(
          "--interactions \(data)/interactions.csv --vectors \(data)/item_embeddings.npy "
            + "--vector-ids \(data)/item_ids.txt --output \(pipeline.run)/1-preprocess"))
    }
  }

  @Test func `the baseline starts at random where there are no vectors`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let data = try makeData(["interactions.csv"], directory)
      _ = try await pipeline.make("train", "DATA=\(data)", "PRESET=sasrec")
      let manifest = try contents(of: pipeline.run)["3-train/manifest.json"] ?? []
      #expect(String(decoding: manifest, as: UTF8.self).hasSuffix("--hash-init random\n"))
    }
  }

  @Test func `every file of interactions is read`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let data = try makeData(["interactions.2.csv", "interactions.1.csv"], directory)
      _ = try await pipeline.make("preprocess", "DATA=\(data)")
      let manifest = try contents(of: pipeline.run)["1-preprocess/manifest.json"] ?? []
      #expect(
        String(decoding: manifest, as: UTF8.self).hasPrefix(
          "--interactions \(data)/interactions.1.csv --interactions \(data)/interactions.2.csv "))
    }
  }

  @Test func `a replaced file reruns everything, even if the new file is older`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let data = try makeData(["interactions.csv"], directory)
      _ = try await pipeline.make("evaluate", "DATA=\(data)")
      #expect(try await pipeline.make("evaluate", "DATA=\(data)").stages == [])
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)],
        ofItemAtPath: data.appending("interactions.csv").string)
      #expect(try await pipeline.make("evaluate", "DATA=\(data)").stages == stageNames)
    }
  }

  @Test func `a folder without interactions is refused`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let data = try makeData([], directory)
      let result = try await pipeline.make("all", "DATA=\(data)")
      #expect(result.status == .exited(2))
      #expect(
        result.error.hasPrefix(
          """
          make: \(data): error: no file 'interactions.*'
          note: DATA is the folder that holds interactions.csv

          """))
    }
  }

  @Test func `an unknown preset is refused with the names of the others`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.make("all", "PRESET=nonesuch")
      #expect(result.status == .exited(2))
      #expect(result.error.contains("there is no preset 'nonesuch'; choose one of: "))
      #expect(result.error.contains(" h2rec "))
      #expect(!FileManager.default.fileExists(atPath: pipeline.run.string))
    }
  }

  @Test func `help names every public target`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let help = try await pipeline.make("help").output
      let reruns = stageNames.map { "rerun-\($0)" }
      for target in ["all", "test", "check", "doctor"] + stageNames + reruns {
        #expect(help.contains("\n  \(target) "), "\(target) is missing")
      }
    }
  }

  /// A folder of input files with these names.
  private func makeData(_ names: [String], _ directory: FilePath) throws -> FilePath {
    let data = directory.appending("data")
    try FileManager.default.createDirectory(
      atPath: data.string, withIntermediateDirectories: true)
    for name in names { try write(Array("x".utf8), to: data.appending(name)) }
    return data
  }
}
