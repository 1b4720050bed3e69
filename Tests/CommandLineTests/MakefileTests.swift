import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What the Makefile asks of the stages; the programs are stand-ins, but for the pipeline.
@Suite struct MakefileTests {
  private static let everyStage = ["sample"] + stageNames

  @Test func `the second make all runs no stage and changes no file`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let first = try await pipeline.make("all")
      #expect(first.status == .exited(0), "\(first.error)")
      #expect(first.stages == Self.everyStage)
      let before = try pipeline.state()

      let second = try await pipeline.make("all")
      #expect(second.status == .exited(0))
      #expect(second.stages == [] && second.idleStages == Self.everyStage)
      #expect(second.output.hasSuffix("all tables: make show RUN=\(pipeline.run)\n"))
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
    ("PRESET=sasrec", ["train", "evaluate"]), ("TIMES=1", ["evaluate"]),
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
      #expect(try !arguments(of: "3-train", pipeline).contains("--codes"))
    }
  }

  @Test(arguments: ["opq --pca 8", "encode --codes old", "import codes.csv"])
  func `a preset begins with the way to codes, which gets a seed where there is chance`(
    words: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let preset = directory.appending("mine.mk")
      try write(Array("PRESET_TOKENIZE := \(words)\n".utf8), to: preset)
      let result = try await pipeline.make("tokenize", "PRESET=\(preset)", "SEED=7")
      #expect(result.status == .exited(0), "\(result.error)")
      let arguments = try arguments(of: "2-tokenize", pipeline)
      #expect(arguments.hasPrefix(words + " --data="))
      #expect(arguments.contains("--seed 7") == words.hasPrefix("opq"))
    }
  }

  @Test(arguments: stageNames.indices)
  func `a rerun target runs its stage although it is up to date, and no other one`(
    index: Int
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      _ = try await pipeline.make("evaluate")
      let rerun = try await pipeline.make("rerun-\(stageNames[index])")
      #expect(rerun.stages == [stageNames[index]])
      #expect(rerun.idleStages == ["sample"] + stageNames[..<index])
    }
  }

  @Test func `a stage that fails leaves its old output, and the next make starts with it`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      _ = try await pipeline.make("evaluate")
      let old = try arguments(of: "3-train", pipeline)

      let failed = try await pipeline.make(
        "evaluate", "TRAIN_OPTIONS=--seed 7", environment: ["FAILING_STAGE": "train"])
      #expect(failed.status == .exited(2))
      #expect(failed.stages == [])
      #expect(failed.error.hasSuffix("Error 65\n"), "\(failed.error)")
      #expect(try arguments(of: "3-train", pipeline) == old)

      let next = try await pipeline.make("evaluate", "TRAIN_OPTIONS=--seed 7")
      #expect(next.stages == ["train", "evaluate"])
    }
  }

  @Test func `options of a later stage that cannot work are refused before the first one runs`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.make("all", environment: ["REFUSING_STAGE": "train"])
      #expect(result.error.hasPrefix("Error: '--epochs' must be from 1 to 100000, not 0.\n"))
      #expect(result.error.hasSuffix("Error 64\n"), "\(result.error)")
      #expect(result.output == "")
      #expect(try pipeline.state().keys.sorted() == [".make", ".make/lock"])
    }
  }

  @Test func `a dry run shows the commands and runs nothing`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.make("--dry-run", "evaluate")
      #expect(result.status == .exited(0))
      for stage in stageNames { #expect(result.output.contains("/h2rec-\(stage)' ")) }
      #expect(!FileManager.default.fileExists(atPath: pipeline.run.string))
    }
  }

  // MARK: - Names

  @Test(arguments: [
    "a b", "it's", "x`touch BAD`", "x;touch BAD", "x$(touch BAD)", "x$HOME", "x&touch BAD", "(x",
    "x[0]", "x:y", "x*", "-x", "x#y", "x%y", "x\"y", "x\\", "~", "x=y", "x,y",
  ])
  func `a folder of any name reaches the stage as it is, also in a dry run`(
    name: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let (data, run) = ("\(directory)/data/\(name)", "\(directory)/runs/\(name)")
      let words = ["DATA=\(data)", "RUN=\(run)", "BIN=\(pipeline.programs)"]
      let dry = try await pipeline.bareMake("-n", "preprocess", words[0], words[1], words[2])
      #expect(dry.status == .exited(0), "\(dry.error)")
      let result = try await pipeline.bareMake("preprocess", words[0], words[1], words[2])
      #expect(result.status == .exited(0), "\(result.error)")
      let manifest = try String(
        contentsOfFile: "\(run)/1-preprocess/manifest.json", encoding: .utf8)
      #expect(manifest.hasPrefix("--data-folder=\(data) --output=\(run)/1-preprocess"))
      for place in [packageDirectory, directory] {
        #expect(!FileManager.default.fileExists(atPath: place.appending("BAD").string))
      }
    }
  }

  @Test(arguments: [
    (
      ["DATA=a\nb"], "the paths DATA, RUN and BIN must not hold line ends, tabs and the character ␠"
    ),
    (["RUN=a\tb"], "the paths DATA, RUN and BIN must not hold line ends, tabs and the character ␠"),
    (["DATA="], "DATA is empty; leave it out for the built-in sample"),
    (["DATA=."], "the name of RUN cannot be told from DATA='.'; give RUN=FOLDER as well"),
    (["DATA=x/.."], "the name of RUN cannot be told from DATA='x/..'; give RUN=FOLDER as well"),
    (["DATA=/"], "the name of RUN cannot be told from DATA='/'; give RUN=FOLDER as well"),
    (["PRESET=a b"], "PRESET must be the name of a preset or a path without spaces and special"),
    (["PRESET=*"], "PRESET must be the name of a preset or a path without spaces and special"),
    (["PRESET=nonesuch"], "there is no preset 'nonesuch'; choose one of: bert4rec bsarec "),
    (["DATAS=x"], "there is no variable 'DATAS'; 'make help' lists them: DATA RUN PRESET SEED"),
    (["DATA=x", "EPOCHS=3"], "there is no variable 'EPOCHS'; 'make help' lists them: "),
  ])
  func `a variable that cannot be right is refused in one line`(
    words: [String], message: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let own = words.contains { $0.hasPrefix("DATA=") } ? words : words + ["BIN=x"]
      let result = try await pipeline.bareMake("all", own[0], own.last ?? "")
      #expect(result.status == .exited(2))
      #expect(result.error.contains(" *** \(message)"), "\(result.error)")
      #expect(result.error.split(separator: "\n").count == 1)
      #expect(result.output == "")
    }
  }

  @Test(arguments: [
    ("DATA=some/shop", "work/shop"), ("DATA=some/shop//", "work/shop"),
    ("DATA=some/my shop/", "work/my shop"), ("QUIET=1", "work/sample"),
  ])
  func `RUN is named after DATA`(word: String, run: String) async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let result = try await pipeline.bareMake("-n", "preprocess", word, "BIN=x")
      #expect(result.output.contains(" --run='\(run)' "), "\(result.output)")
    }
  }

  @Test func `a preset of one's own may have variables of its own`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let preset = directory.appending("mine.mk")
      let text = "VARIABLES += WIDTH\nPRESET_TRAIN := --dimension $(WIDTH)\n"
      try write(Array(text.utf8), to: preset)
      let result = try await pipeline.make("train", "PRESET=\(preset)", "WIDTH=64")
      #expect(result.status == .exited(0), "\(result.error)")
      #expect(try arguments(of: "3-train", pipeline).contains("--dimension 64"))
    }
  }

  @Test func `help names every public target and every variable`() async throws {
    try await withTemporaryDirectory { directory in
      let pipeline = try Pipeline(standIns: directory)
      let help = try await pipeline.make("help").output
      let reruns = stageNames.map { "rerun-\($0)" }
      for target in ["all", "test", "check", "doctor"] + stageNames + reruns {
        #expect(help.contains("\n  \(target) "), "\(target) is missing")
      }
      let refusal = try await pipeline.make("help", "NONESUCH=1").error
      let list = try #require(refusal.firstMatch(of: /lists them: (.*)\.  Stop/))
      for variable in list.1.split(separator: " ") where !variable.hasPrefix("FUZZ_") {
        #expect(help.contains(variable), "\(variable) is not described")
      }
    }
  }

  /// What a stage that ran last was given.
  private func arguments(of output: String, _ pipeline: Pipeline) throws -> String {
    let path = pipeline.run.appending(output).appending("manifest.json").string
    return try String(contentsOfFile: path, encoding: .utf8)
  }
}
