import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// The built program on a small shop and a model that saw it once.
@Suite(.serialized) struct ProgramTests {
  private let inputs = SmallShop.inputs

  private func prepare(_ directory: FilePath) async throws {
    try await SmallShop.prepare(directory)
  }

  private func evaluate(
    _ arguments: [String], in directory: FilePath
  ) async throws -> StageResult {
    try await runStage("h2rec-evaluate", arguments, in: directory)
  }

  @Test
  func `a run writes the same bytes with one thread and with two, and show repeats its table`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      try await prepare(directory)
      let options = inputs + ["--recommend", "3"]
      let one = try await evaluate(
        options + ["--output", "4", "--threads", "1"], in: directory)
      #expect(one.status == .exited(0) && one.error == "")
      let two = try await evaluate(
        options + ["--output", "5", "--threads", "2", "--quiet"], in: directory)
      #expect(two.status == .exited(0) && two.error == "")
      #expect(two.output.split(separator: "\n").count == 1)
      let files = try contents(of: directory.appending("4"))
      #expect(try files == contents(of: directory.appending("5")))
      #expect(files["report.html"] != nil && files["recommendations.csv"] != nil)
      let shown = try await evaluate(["show", "4"], in: directory)
      #expect(shown.output.hasSuffix("\nreport: 4/report.html\n"))
      let brief = try await evaluate(["show", "4", "--brief"], in: directory)
      #expect(one.output.hasPrefix(brief.output))
      #expect(brief.output.split(separator: "\n").count == 10)
      let last = try #require(one.output.split(separator: "\n").last)
      let summary = try JSONValue(parsing: Array(last.utf8), path: "summary")
      #expect(summary["stage"] == "evaluate" && summary["output"] == "4")
      try await checkLongLists(in: directory)
      try await checkComparison(in: directory)
      try await checkSeeds(in: directory)
      try await checkSimilar(in: directory)
      try await checkExport(in: directory)
    }
  }

  /// More than there is means all there is, with a warning for each option.
  private func checkLongLists(in directory: FilePath) async throws {
    let long = inputs + ["--cutoffs", "2,10000", "--recommend", "10000", "--quiet"]
    let result = try await evaluate(long + ["--output", "long"], in: directory)
    #expect(result.status == .exited(0))
    let data = try StageInput(directory: directory.appending("1"), expecting: "preprocess")
    let count = try #require(data.manifest.counters["items"]?.integerValue)
    #expect(
      result.error == """
        h2rec-evaluate: --recommend 10000: warning: there are \(count) items to choose from, so lists have no more
        h2rec-evaluate: 1: warning: '--cutoffs' has 10000, but there are \(count) items; taken as '--cutoffs 2'

        """)
    let input = try StageInput(directory: directory.appending("long"), expecting: "evaluate")
    #expect(input.manifest.configuration["cutoffs"] == [2])
  }

  /// A run against itself differs nowhere.
  private func checkComparison(in directory: FilePath) async throws {
    let result = try await evaluate(
      inputs + ["--output", "6", "--against", "4", "--quiet"], in: directory)
    #expect(result.status == .exited(0) && result.error == "")
    let input = try StageInput(directory: directory.appending("6"), expecting: "evaluate")
    let report = try JSONValue(parsing: try input.file("report.json"), path: "report.json")
    let entry = report["against"]?["protocols"]?["full"]?["overall"]?["mrr"]
    #expect(entry?["difference"]?.numberValue == 0 && entry?["wins"] == 0)

    let several = try await evaluate(
      inputs + ["--output", "two-others", "--against", "4", "5", "--quiet"], in: directory)
    #expect(several.status == .exited(0) && several.error == "")
    let page = try StageInput(directory: directory.appending("two-others"), expecting: "evaluate")
      .file("report.html")
    #expect(String(decoding: page, as: UTF8.self).contains("The other values are means of 2 runs"))
    let twice = try await evaluate(
      inputs + ["--output", "two-others", "--against", "4", "./4"], in: directory)
    #expect(twice.status == .exited(64) && twice.error.contains("has a run twice"))
  }

  /// Equal runs do not differ, and what is no run of the same data is refused.
  private func checkSeeds(in directory: FilePath) async throws {
    let words = ["compare", "4", "5", "--against", "6", "--data"]
    let result = try await evaluate(words + ["1", "--quiet"], in: directory)
    #expect(result.status == .exited(0) && result.error == "")
    let line = try JSONValue(parsing: Array(result.output.utf8), path: "line")
    #expect(line["runs"] == 2 && line["otherRuns"] == 1)
    let entry = line["groups"]?["tail"]?["ndcg@10"]
    #expect(entry?["difference"]?.numberValue == 0 && entry?["deviation"]?.numberValue == 0)
    #expect(entry?["value"] == entry?["other"] && entry?["otherDeviation"] == .null)
    let table = try await evaluate(words + ["1"], in: directory)
    #expect(table.output.hasPrefix("| group"), "\(table.output)")
    #expect(table.output.contains("2 and 1 runs, full ranking"))
    for (words, status) in [
      (["compare", "4", "--against", "6", "--data", "2"], 78 as Int32),
      (["compare", "4", "--against", "3", "--data", "1"], 78),
      (["compare", "4", "--against", "nowhere", "--data", "1"], 66),
      (["compare", "4", "--against", "./4", "--data", "1"], 64),
      (["compare", "4", "--data", "1"], 64),
    ] {
      let refused = try await evaluate(words, in: directory)
      #expect(refused.status == .exited(status), "\(words): \(refused.error)")
    }
  }

  /// No item is like itself, and the most alike come first.
  private func checkSimilar(in directory: FilePath) async throws {
    let arguments = Array(inputs.prefix(6)) + ["--output", "7", "--count", "2", "--quiet"]
    let result = try await evaluate(["similar"] + arguments, in: directory)
    #expect(result.status == .exited(0) && result.error == "")
    let bytes = try StageInput(directory: directory.appending("7"), expecting: "similar")
      .file("similar-items.csv")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: ",")
    }
    #expect(lines[0] == ["item_id", "rank", "similar_item_id", "score"])
    #expect(lines.dropFirst().allSatisfy { $0.count == 4 && $0[0] != $0[2] })
    #expect(lines[1][0] == lines[2][0] && (Float(lines[1][3]) ?? 0) >= (Float(lines[2][3]) ?? 1))
  }

  /// The inner product of exported vectors is the score of the recommendations.
  private func checkExport(in directory: FilePath) async throws {
    let arguments = Array(inputs.prefix(6)) + ["--output", "8", "--quiet"]
    let result = try await evaluate(["export"] + arguments, in: directory)
    #expect(result.status == .exited(0) && result.error == "")
    let input = try StageInput(directory: directory.appending("8"), expecting: "export")
    let itemIDs = String(decoding: try input.file("item_ids.txt"), as: UTF8.self)
      .split(separator: "\n")
    let csv = try StageInput(directory: directory.appending("4"), expecting: "evaluate")
      .file("recommendations.csv")
    let best = String(decoding: csv, as: UTF8.self).split(separator: "\n")[1].split(separator: ",")
    let item = try #require(itemIDs.firstIndex(of: best[2]))
    let width = 16  // two branches of 8
    let items = floats(try input.file("items.npy"))[item * width..<(item + 1) * width]
    let user = floats(try input.file("users.npy"))[..<width]
    let score = zip(items, user).reduce(Float(0)) { $0 + $1.0 * $1.1 }
    #expect(abs(score - (Float(best[3]) ?? .nan)) < 1e-3 * abs(score))
    try await checkExportBeforeTest(in: directory)
  }

  /// Vectors without the test events rank the targets as the evaluation did.
  private func checkExportBeforeTest(in directory: FilePath) async throws {
    let arguments = Array(inputs.prefix(6)) + ["--split", "test", "--output", "9", "--quiet"]
    let result = try await evaluate(["export"] + arguments, in: directory)
    #expect(result.status == .exited(0) && result.output.contains("\"split\":\"test\""))
    let input = try StageInput(directory: directory.appending("9"), expecting: "export")
    #expect(input.manifest.configuration["split"] == "test")
    let width = 16
    let (items, users) = (floats(try input.file("items.npy")), floats(try input.file("users.npy")))
    let ranks = try StageInput(directory: directory.appending("4"), expecting: "evaluate")
      .table("ranks")
    let rows = try ranks.fixed("user", as: UInt32.self)
    let targets = try ranks.fixed("target", as: UInt32.self)
    let found = try ranks.fixed("full-with-history_rank", as: Double.self)
    for (place, user) in rows.enumerated().prefix(20) {
      let scores = (0..<items.count / width).map { item in
        (0..<width).reduce(0.0) { sum, column in
          sum + Double(items[item * width + column]) * Double(users[Int(user) * width + column])
        }
      }
      let own = scores[Int(targets[place])]
      // Sums of other precision may exchange neighbours whose scores agree in six digits.
      let margin = 1e-5 * abs(own)
      let (least, most) = (scores.count { $0 > own + margin }, scores.count { $0 >= own - margin })
      #expect((Double(1 + least)...Double(most)).contains(found[place]))
    }
  }

  /// The data of a NumPy file with a header of 128 bytes.
  private func floats(_ file: [UInt8]) -> [Float] {
    stride(from: 128, to: file.count, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(file[start + $1]) << (8 * $1) })
    }
  }

  @Test func `inputs that cannot work are refused with one message each`() async throws {
    try await withTemporaryDirectory { directory in
      try await prepare(directory)
      func check(_ arguments: [String], _ status: Int32, _ message: String) async throws {
        let result = try await evaluate(arguments + ["--output", "4"], in: directory)
        #expect(result.status == .exited(status), "\(result.error)")
        #expect(result.error.hasPrefix("h2rec-evaluate: \(message)"), "\(result.error)")
        #expect(result.output == "")
      }
      try await check(
        ["--data", "1", "--model", "3"], 64,
        "error: the model was trained with codes, and '--codes' is not given")
      try await check(
        ["--data", "1", "--codes", "2", "--model", "none"], 66,
        "none/manifest.json: error: no such ")
      try await check(
        ["--data", "3", "--codes", "2", "--model", "3"], 78, "3/manifest.json: error: ")
      try await check(
        inputs + ["--against", "none"], 66, "none/manifest.json: error: no such file")
      try await checkOtherData(in: directory)
      try await checkWithoutTimes(in: directory)
      try await checkOtherVersion(in: directory)
      try await checkUnfinished(in: directory)
      try await checkFallback(in: directory)
    }
  }

  /// A model of another version of the format says so.
  private func checkOtherVersion(in directory: FilePath) async throws {
    let path = directory.appending("3").appending("manifest.json")
    let text = try String(contentsOfFile: path.string, encoding: .utf8)
    let other = text.replacing("\"formatVersion\" : 2", with: "\"format_version\" : 1")
    try #require(other != text)
    try write(Array(other.utf8), to: path)
    let result = try await evaluate(inputs + ["--output", "4"], in: directory)
    #expect(result.status == .exited(65))
    #expect(
      result.error == """
        h2rec-evaluate: 3/manifest.json: error: format version 1, this program reads 2
        note: another version of the programs wrote this output; run the stage again with this one

        """)
    try write(Array(text.utf8), to: path)
  }

  /// The report of a run that has not finished, or of another stage, does not exist.
  private func checkUnfinished(in directory: FilePath) async throws {
    let unfinished = try await evaluate(["show", "4"], in: directory)
    #expect(unfinished.status == .exited(66))
    #expect(
      unfinished.error == """
        h2rec-evaluate: 4/manifest.json: error: no such file
        note: the evaluate stage has not finished; run 'make evaluate'

        """)
    let other = try await evaluate(["show", "3"], in: directory)
    #expect(other.status == .exited(78))
    #expect(
      other.error.hasPrefix(
        "h2rec-evaluate: 3/manifest.json: error: this is the output of stage 'train'"))
  }

  /// Users without a history get the popular items, and the summary counts them.
  private func checkFallback(in directory: FilePath) async throws {
    let histories = #"{"user_id":"x","items":[]}"# + "\n" + #"{"user_id":"y","items":["nope"]}"#
    try write(Array(histories.utf8), to: directory.appending("new.jsonl"))
    let result = try await evaluate(
      inputs + ["--output", "5", "--recommend", "3", "--recommend-histories", "new.jsonl"],
      in: directory)
    let summary = try JSONValue(
      parsing: Array((result.output.split(separator: "\n").last ?? "").utf8), path: "summary")
    #expect(summary["recommendedUsers"] == 2 && summary["fallbackUsers"] == 2)
    #expect(summary["unknownItems"] == 1)
  }

  /// Items of a log without times have no age.
  private func checkWithoutTimes(in directory: FilePath) async throws {
    for (stage, arguments) in [
      (
        "preprocess",
        [
          "--interactions", "shop/interactions.csv", "--timestamp-format", "none", "--output", "1n",
        ]
      ),
      (
        "train",
        [
          "sasrec", "--data", "1n", "--hash-init", "random", "--dimension", "8",
          "--epochs", "1", "--output", "3n",
        ]
      ),
    ] {
      let result = try await runStage("h2rec-\(stage)", arguments + ["--quiet"], in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
    }
    let result = try await evaluate(
      [
        "--data", "1n", "--model", "3n", "--recommend", "3", "--newer-than", "2014-01-01",
        "--output", "4",
      ], in: directory)
    #expect(result.status == .exited(78))
    #expect(
      result.error.hasPrefix(
        "h2rec-evaluate: 1n: error: '--newer-than' needs times, and this log was read without them")
    )
  }

  /// A model of other data is refused with both checksums.
  private func checkOtherData(in directory: FilePath) async throws {
    _ = try await runStage(
      "h2rec-preprocess",
      ["--interactions", "shop/interactions.csv", "--user-core", "6", "--output", "other"],
      in: directory)
    let result = try await evaluate(
      ["--data", "other", "--codes", "2", "--model", "3", "--output", "4"], in: directory)
    #expect(result.status == .exited(78), "\(result.error)")
    let other = try StageInput(directory: directory.appending("other"), expecting: "preprocess")
    let own = try StageInput(directory: directory.appending("1"), expecting: "preprocess")
    #expect(result.error.contains(other.reference.checksum))
    #expect(result.error.contains(own.reference.checksum))
  }
}
