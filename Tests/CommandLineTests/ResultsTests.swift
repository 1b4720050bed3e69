internal import Foundation
internal import ShardIO
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// `make results`: data sets, models and seeds in one table.
@Suite(.serialized) struct ResultsTests {
  /// A folder of data with a small shop.
  private func makeShop(_ directory: FilePath) async throws {
    let result = try await runStage(
      "h2rec-preprocess",
      "sample --output shop --users 150 --items 80 --interactions 2000 --quiet"
        .split(separator: " ").map(String.init), in: directory)
    try #require(result.status == .exited(0), "\(result.error)")
  }

  private func results(
    _ directory: FilePath, _ output: String, _ models: String, _ more: [String] = [],
    under script: String = #"exec "$@""#
  ) async throws -> StageResult {
    try await runProgram(
      .name("bash"),
      [
        "-c", script, "bash", "make", "--silent", "results", "BIN=\(productsDirectory)",
        "DATASETS=\(directory.appending("shop"))", "MODELS=\(models)", "SEEDS=1 2",
        "RESULTS=\(directory.appending(output))",
        "TRAIN_OPTIONS=--epochs 2 --dimension 8 --hash-init random",
      ] + more, in: packageDirectory,
      environment: [
        "MAKEFLAGS": nil, "MFLAGS": nil, "MAKELEVEL": nil, "MAKEOVERRIDES": nil, "DATA": nil,
        "RUN": nil, "PRESET": nil, "SEED": nil, "THREADS": nil, "QUIET": nil,
      ])
  }

  private func json(_ path: FilePath) throws -> JSONValue {
    try JSONValue(parsing: readWholeFile(path), path: path.string)
  }

  @Test func `the numbers are those of the runs, nothing is done twice, and a kill loses nothing`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      try await makeShop(directory)
      let straight = try await results(directory, "out", "h2rec sasrec")
      #expect(straight.status == .exited(0), "\(straight.error)")
      let lines = straight.error.split(separator: "\n")
      #expect(lines[0].hasPrefix("results: 1 of 4, shop, h2rec, seed 1: NDCG@10 0."))
      let out = directory.appending("out")
      let table = try json(out.appending("results.json"))
      let models = try #require(table["datasets"]?.arrayValue?[0]["models"]?.arrayValue)
      for (model, name) in zip(models, ["h2rec", "sasrec"]) {
        #expect(model["model"] == .string(name) && model["seeds"] == [1, 2])
        for group in ["overall", "head", "tail"] {
          let values = try ["1", "2"].map { seed in
            let report = try json(
              out.appending("shop").appending(name).appending(seed).appending("4-evaluate")
                .appending("report.json"))
            return try #require(report["protocols"]?["full"]?[group]?["ndcg@10"]?.numberValue)
          }
          let found = model["groups"]?[group]?["ndcg@10"]
          let mean = (values[0] + values[1]) / 2
          #expect(abs((found?["value"]?.numberValue ?? -1) - mean) < 1e-12)
          // Two values: half their difference, times the root of two.
          let deviation = abs(values[0] - values[1]) / 2.0.squareRoot()
          #expect(abs((found?["deviation"]?.numberValue ?? -1) - deviation) < 1e-12)
        }
        #expect((model["groups"]?["overall"]?["ndcg@10"]?["interval"] != nil) == (name == "h2rec"))
      }
      let again = try await results(directory, "out", "h2rec sasrec")
      #expect(again.status == .exited(0))
      #expect(
        again.error.split(separator: "\n").prefix(4).allSatisfy { $0.hasSuffix(": up to date") },
        "\(again.error)")

      var kills = 0
      while kills < 6 {
        let script = #"timeout --signal=KILL 0.\#(3 + kills) "$@" || exit 0"#
        _ = try await results(directory, "killed", "h2rec sasrec", under: script)
        kills += 1
      }
      let end = try await results(directory, "killed", "h2rec sasrec")
      #expect(end.status == .exited(0), "\(end.error)")
      let other = try json(directory.appending("killed").appending("results.json"))
      #expect(other["datasets"] == table["datasets"])
    }
  }

  @Test func `a run that fails is named, the others go on, and what cannot work is refused`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      try await makeShop(directory)
      // TIGER has no table of items, so it has no use for the option.
      let result = try await results(directory, "out", "tiger sasrec", ["AGAINST=sasrec"])
      #expect(result.status == .exited(2), "\(result.error)")
      #expect(
        result.error.contains("results: 1 of 4, shop, tiger, seed 1: failed with status 64, see "))
      #expect(result.error.contains("results: 4 of 4, shop, sasrec, seed 2: NDCG@10 0."))
      #expect(result.error.contains("results: 2 of 4 runs failed\n"))
      let table = try json(directory.appending("out").appending("results.json"))
      #expect(table["runs"] == 2 && table["planned"] == 4)
      #expect(table["datasets"]?.arrayValue?[0]["models"]?.arrayValue?.count == 1)

      for (words, message) in [
        (["MODELS=sasrec nothing"], "results: error: there is no preset 'nothing'\n"),
        (["SEEDS=1 1"], "results: error: '1' in SEEDS is no number, or stands there twice\n"),
        (["AGAINST=h2rec", "MODELS=sasrec"], "results: error: AGAINST='h2rec' is none of MODELS="),
        (["DATASETS=/nowhere/at/all"], "results: error: there is no folder '/nowhere/at/all'\n"),
        (["DATASETS=$(touch made)"], "results: error: there is no folder '$(touch'\n"),
      ] {
        let refused = try await results(directory, "refused", "sasrec", words)
        #expect(
          refused.status == .exited(2) && refused.error.hasPrefix(message), "\(refused.error)")
      }
      #expect(!FileManager.default.fileExists(atPath: directory.appending("refused").string))
      #expect(!FileManager.default.fileExists(atPath: packageDirectory.appending("made").string))
    }
  }
}
