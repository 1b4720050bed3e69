import ArgumentParser
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing
import TextInput

@testable import Preprocess

/// What is read without a fault, and is probably not what the user thinks it is.
struct `Doubtful data` {
  /// What a dry run says about a log, on standard error and as a report.
  private func dryRun(
    _ log: String, items: String? = nil, _ options: [String] = []
  ) async throws -> (warnings: String, report: String) {
    try await withTemporaryDirectory { directory in
      try write(Array(log.utf8), to: directory.appending("log.csv"))
      if let items { try write(Array(items.utf8), to: directory.appending("items.csv")) }
      let result = try await runStage(
        "h2rec-preprocess",
        ["--interactions", "log.csv", "--user-core", "0", "--item-core", "0", "--dry-run"]
          + ["--quiet"] + (items == nil ? [] : ["--items", "items.csv"]) + options, in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      return (result.error, result.output)
    }
  }

  private func log(_ times: [String]) -> String {
    "user_id,item_id,timestamp\n"
      + times.enumerated().map { "u,i\($0 % 3),\($1)\n" }.joined()
  }

  @Test(arguments: [
    (["20170721", "20170722", "20180101"], "dates written as YYYYMMDD"),
    (["4", "5", "1"], "all times are from 0 to 10"),
    (["0", "1500000000", "1500000001"], "1 of 3 times are before 1971, the first at 1970-01-01"),
    (
      ["1500000000", "1500000001", "1500000000123"],
      "1 of 3 times are numbers of a size that does not fit seconds"
    ),
    (["2140-01-01", "2014-01-01", "2015-01-01"], "times after 2100, the last at 2140-01-01T00"),
    (["2014-01-01", "2014-01-02", "2099-12-31"], "the last time, 2099-12-31T00:00:00Z, is in"),
  ])
  func `in the times is told`(times: [String], warning: String) async throws {
    let found = try await dryRun(log(times))
    #expect(found.warnings.contains(warning), "\(found.warnings)")
  }

  @Test func `is not seen in usual times, of which the first and the last are shown`()
    async throws
  {
    let found = try await dryRun(log(["0", "1500000000123", "1500000001456"]))
    #expect(
      found.report.contains(
        "Times from 1970-01-01T00:00:00Z to 2017-07-14T02:40:01Z, read as numbers of milliseconds."
      ))
    let plain = try await dryRun(log(["1500000000", "1500000009", "1500000001"]))
    #expect(plain.warnings.isEmpty, "\(plain.warnings)")
    #expect(
      plain.report.contains(
        "Times from 2017-07-14T02:40:00Z to 2017-07-14T02:40:09Z, read as numbers of seconds."))
    let dates = try await dryRun(log(["2017-07-14", "2017-07-15", "2017-07-16"]))
    #expect(
      dates.report.contains(
        "Times from 2017-07-14T00:00:00Z to 2017-07-16T00:00:00Z, read as dates."))
  }

  @Test func `that begins with another unit is read in that of most`() async throws {
    // The first chunk has seconds, and so much more has milliseconds that it decides.
    let rows =
      (0..<3000).map { "u\($0),i,\(1_500_000_000 + $0)\n" }
      + (0..<9000).map { "v\($0),i,\(1_500_000_000_000 + $0)\n" }
    let found = try await dryRun("user_id,item_id,timestamp\n" + rows.joined())
    #expect(found.report.contains("to 2017-07-14T02:40:08Z, read as numbers of milliseconds."))
    #expect(
      found.warnings.contains(
        "3000 of 12000 times are numbers of a size that does not fit milliseconds"))
  }

  @Test func `ids that differ in case, spaces or form are told with examples`() async throws {
    let found = try await dryRun(
      """
      user_id,item_id,timestamp
      u1,B1,1500000000
      U1,b1,1500000001
      u1,caf\u{E9},1500000002
      u1,cafe\u{301},1500000003
      u1, d,1500000004
      u1,d,1500000005

      """)
    #expect(
      found.warnings.contains(
        "item ids that differ in case, spaces or Unicode form alone, taken as different ones: 3"))
    #expect(found.warnings.contains("'B1' and 'b1'"))
    #expect(
      found.warnings.contains(
        "form alone, taken as different ones: 1, for example 'U1' and 'u1'."))
    let plain = try await dryRun(log(["1500000000", "1500000001", "1500000002"]))
    #expect(!plain.warnings.contains("differ"))
  }

  @Test func `null ids are ids where the user says so`() async throws {
    let text = "user_id,item_id,timestamp\nu,None,1500000000\nu,nan,1500000001\nu,b,1500000002\n"
    let found = try await dryRun(text, ["--keep-null-ids"])
    #expect(found.report.contains("| items | 3 |"))
  }

  @Test(arguments: [
    (
      "item_id,colour\ni0,red\ni1,blue\ni2,red\n",
      "no item of the item file has a text. Fields in no text: 'colour'"
    ),
    (
      "item_id,title,colour\ni0,A,red\ni1,B,blue\ni2,C,red\n",
      "taken for categories and description. Fields in no text: 'colour'"
    ),
    ("item_id,title\ni0,A\ni1,\ni2,C\n", "1 of 3 items of the item file have no text."),
  ])
  func `items without texts, or with fields in none, are told`(
    items: String, warning: String
  ) async throws {
    let found = try await dryRun(
      log(["1500000000", "1500000001", "1500000002"]), items: items, ["--text-vectors", "0"])
    #expect(found.warnings.contains(warning), "\(found.warnings)")
  }
}
