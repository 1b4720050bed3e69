import Dataset
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Evaluate

/// Items that came after the training, in lists.
@Suite(.serialized) struct NewItemTests {
  /// Makes outputs `1n` and `2n` of three items of the shop under other ids, `new-…`: the codes of the old codebooks.
  private func prepareNewItems(_ directory: FilePath) async throws -> [String] {
    let catalogue = try Catalogue(
      StageInput(directory: directory.appending("1"), expecting: "preprocess"))
    let chosen = Array(catalogue.itemIDs.prefix(3))
    let ids = String(
      decoding: try readWholeFile(directory.appending("shop").appending("item_ids.txt")),
      as: UTF8.self
    ).split(separator: "\n")
    try write(
      Array(ids.map { "new-\($0)\n" }.joined().utf8), to: directory.appending("new_ids.txt"))
    let rows = chosen.map { "nobody,new-\($0),0\n" }
    try write(
      Array(("user_id,item_id,timestamp\n" + rows.joined()).utf8),
      to: directory.appending("new.csv"))
    try await run(
      "preprocess",
      [
        "--interactions", "new.csv", "--vectors", "shop/item_embeddings.npy", "--vector-ids",
        "new_ids.txt", "--user-core", "0", "--item-core", "0", "--output", "1n",
      ], in: directory)
    try await run(
      "tokenize", ["encode", "--data", "1n", "--codes", "2", "--output", "2n"], in: directory)
    return chosen
  }

  @discardableResult
  private func run(
    _ stage: String, _ arguments: [String], in directory: FilePath
  ) async throws -> String {
    let result = try await runStage("h2rec-\(stage)", arguments + ["--quiet"], in: directory)
    #expect(result.status == .exited(0), "\(stage): \(result.error)")
    return result.output
  }

  private func rows(_ name: String, of output: FilePath, _ stage: String) throws -> [[Substring]] {
    let bytes = try StageInput(directory: output, expecting: stage).file(name)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
  }

  @Test func `new items are listed as such, by the score of their codes`() async throws {
    try await withTemporaryDirectory { directory in
      try await SmallShop.prepare(directory)
      let chosen = try await prepareNewItems(directory)
      let options = SmallShop.inputs + ["--new-items", "2n", "--new-items-data", "1n"]
      let output = try await run(
        "evaluate", options + ["--recommend", "40", "--output", "4"], in: directory)
      let lines = try rows("recommendations.csv", of: directory.appending("4"), "evaluate")
      #expect(lines[0] == ["user_id", "rank", "item_id", "score", "is_new"])
      #expect(lines.dropFirst().allSatisfy { ($0[4] == "true") == $0[2].hasPrefix("new-") })
      let newCount = lines.count { $0[4] == "true" }
      #expect(newCount > 0)
      let summary = try JSONValue(parsing: Array(output.utf8), path: "summary")
      #expect(summary["newItems"]?.integerValue == 3)
      #expect(summary["newRecommendations"]?.integerValue == Int64(newCount))

      // The new items have the vectors, so the codes, of three of the shop: as alike as can be.
      let own = Array(options.prefix(6) + options.suffix(4))
      try await run(
        "evaluate", ["similar"] + own + ["--space", "semantic", "--output", "7", "--count", "30"],
        in: directory)
      let similar = try rows("similar-items.csv", of: directory.appending("7"), "similar")
      for item in chosen {
        let pair = similar.first { $0[0] == "new-\(item)" && $0[2] == item }
        #expect((pair.flatMap { Float($0[3]) } ?? 0) > 0.9999, "\(item)")
        #expect(pair?[4] == "false")
      }
      try await checkExport(own, in: directory)
      try await checkRefusals(in: directory)
    }
  }

  /// New items come after the catalogue, and their scores are inner products too.
  private func checkExport(_ options: [String], in directory: FilePath) async throws {
    try await run("evaluate", ["export"] + options + ["--output", "8"], in: directory)
    let input = try StageInput(directory: directory.appending("8"), expecting: "export")
    let ids = String(decoding: try input.file("item_ids.txt"), as: UTF8.self)
      .split(separator: "\n")
    #expect(ids.suffix(3).allSatisfy { $0.hasPrefix("new-") })
    #expect(ids.dropLast(3).allSatisfy { !$0.hasPrefix("new-") })
  }

  private func checkRefusals(in directory: FilePath) async throws {
    func check(_ arguments: [String], _ status: Int32, _ message: String) async throws {
      let result = try await runStage(
        "h2rec-evaluate", arguments + ["--output", "9"], in: directory)
      #expect(result.status == .exited(status), "\(result.error)")
      #expect(result.error.contains(message), "\(result.error)")
    }
    let lists = SmallShop.inputs + ["--recommend", "3"]
    try await check(
      lists + ["--new-items", "2"], 78,
      "2: error: all items of these codes are in the catalogue of the model")
    try await check(
      lists + ["--new-items", "2n", "--mmr", "0.5"], 78,
      "error: '--mmr' needs text vectors of all items, and the new ones have none")
    try await check(
      lists + ["--new-items", "2n", "--new-items-data", "1"], 78, "2n/manifest.json: error: ")
    try await check(
      SmallShop.inputs + ["--new-items", "2n"], 64, "'--new-items' needs '--recommend'")
    try await check(
      ["similar"] + SmallShop.inputs.prefix(6) + ["--new-items", "2n", "--space", "hash"], 78,
      "error: found '--space hash' and '--new-items': new items have no hash ID")
    try await run(
      "tokenize", ["--data", "1n", "--codebooks", "3,3", "--output", "other"], in: directory)
    try await check(
      lists + ["--new-items", "other"], 78,
      "other: error: these codes are not those of the codebooks")
  }

  @Test func `the lists of a model that knows nothing of codes have no new items`() async throws {
    try await withTemporaryDirectory { directory in
      try await SmallShop.prepare(directory)
      try await run(
        "train",
        ["sasrec", "--data", "1", "--dimension", "8", "--epochs", "1", "--output", "s"],
        in: directory)
      let result = try await runStage(
        "h2rec-evaluate",
        [
          "--data", "1", "--codes", "2", "--model", "s", "--recommend", "3", "--new-items", "2",
          "--output", "4",
        ], in: directory)
      #expect(result.status == .exited(78))
      #expect(
        result.error.hasPrefix(
          "h2rec-evaluate: error: found '--new-items', the model 'sasrec' knows nothing of codes\n")
      )
    }
  }
}
