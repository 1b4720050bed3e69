import Dataset
import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Preprocess

/// Every format of a log gives the same output as CSV.
struct `Formats of a log` {
  /// Events of three users in mixed order.
  private static let events: [(user: String, item: String, rating: Int, time: Int)] = [
    ("anna", "i 1", 5, 300), ("bob", "i,2", 3, 100), ("anna", "i,2", 4, 100),
    ("anna", "i3", 1, 200), ("bob", "i3", 2, 100), ("čé", "i 1", 5, 50),
  ]

  private func lines(
    _ line: ((user: String, item: String, rating: Int, time: Int)) -> String
  )
    -> String
  {
    Self.events.map { line($0) + "\n" }.joined()
  }

  private func preprocessed(
    _ files: [String: [UInt8]], _ arguments: [String], threads: Int = 1
  ) async throws -> PreprocessedData {
    try await withTemporaryDirectory { directory in
      try FileManager.default.createDirectory(
        atPath: directory.appending("parts").string, withIntermediateDirectories: true)
      for (name, bytes) in files { try write(bytes, to: directory.appending(name)) }
      let result = try await runStage(
        "h2rec-preprocess",
        arguments + [
          "--user-core", "0", "--item-core", "0", "--output", "out", "--threads", "\(threads)",
        ], in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      return try PreprocessedData(
        StageInput(directory: directory.appending("out"), expecting: "preprocess"))
    }
  }

  /// What all formats must give.
  private func expectEvents(_ data: PreprocessedData) {
    #expect(data.userIDs == ["anna", "bob", "čé"])
    #expect(data.catalogue.itemIDs == ["i,2", "i3", "i 1"])
    // Bob's two events of one time are in the order of the hash, as a program in Python has it.
    #expect((0..<3).map { Array(data.items[$0]) } == [[0, 1, 2], [1, 0], [2]])
    #expect((0..<3).map { Array(data.times[$0]) } == [[100, 200, 300], [100, 100], [50]])
    #expect(data.trainEnds == [1, 2, 1])
    #expect(data.validEnds == [2, 2, 1])
  }

  private var csv: String {
    "user_id,item_id,rating,timestamp\n"
      + lines { "\($0.user),\"\($0.item)\",\($0.rating),\($0.time)" }
  }

  @Test func `CSV, with any line ends, a byte order mark and without a last line end`() async throws
  {
    let variants = [
      csv, csv.replacing("\n", with: "\r\n"), "\u{FEFF}" + csv, String(csv.dropLast()),
      csv.replacing("\n", with: "\n\n"),
    ]
    for variant in variants {
      expectEvents(
        try await preprocessed(["log.csv": Array(variant.utf8)], ["--interactions", "log.csv"]))
    }
  }

  @Test func `CSV with other names and orders of columns`() async throws {
    let text = "when;what;who\n" + lines { "\($0.time);\($0.item);\($0.user)" }
    expectEvents(
      try await preprocessed(
        ["log.csv": Array(text.utf8)],
        [
          "--interactions", "log.csv", "--delimiter", ";", "--user-column", "who", "--item-column",
          "what", "--time-column", "1",
        ]))
  }

  @Test func `CSV without a header`() async throws {
    let text = lines { "\($0.user),\"\($0.item)\",\($0.time)" }
    expectEvents(
      try await preprocessed(
        ["log.csv": Array(text.utf8)], ["--interactions", "log.csv", "--no-header"]))
  }

  @Test func `TSV`() async throws {
    let text = "user_id\titem_id\ttimestamp\n" + lines { "\($0.user)\t\($0.item)\t\($0.time)" }
    expectEvents(
      try await preprocessed(["log.tsv": Array(text.utf8)], ["--interactions", "log.tsv"]))
  }

  @Test(arguments: [";", "|"])
  func `CSV by semicolons or bars, without a word about it`(delimiter: String) async throws {
    let text =
      ["user_id", "item_id", "timestamp"].joined(separator: delimiter) + "\n"
      + lines { "\($0.user)\(delimiter)\($0.item)\(delimiter)\($0.time)" }
    for head in ["", "sep=\(delimiter)\r\n"] {
      expectEvents(
        try await preprocessed(
          ["log.csv": Array((head + text).utf8)], ["--interactions", "log.csv"]))
    }
  }

  @Test(arguments: ["User_ID, Item_ID ,TimeStamp", "User Id,ItemId,time", " userid,ITEM-ID,\"ts\""])
  func `headers with capitals and spaces`(header: String) async throws {
    let text = header + "\n" + lines { "\($0.user),\"\($0.item)\",\($0.time)" }
    expectEvents(
      try await preprocessed(["log.csv": Array(text.utf8)], ["--interactions", "log.csv"]))
  }

  @Test func `TSV with quotes as pandas and R write it`() async throws {
    let text =
      "\"user_id\"\t\"item_id\"\t\"timestamp\"\n"
      + lines { "\"\($0.user)\"\t\"\($0.item)\"\t\"\($0.time)\"" }
    expectEvents(
      try await preprocessed(["log.tsv": Array(text.utf8)], ["--interactions", "log.tsv"]))
  }

  @Test func `a stray quote costs its own line, wherever the text is cut`() async throws {
    // Longer than a chunk, with a faulty row at the top, and good rows with quotes behind it.
    let good = (0..<60_000).map { "user\($0 % 977),\"item, \($0 % 89)\",\(1_500_000_000 + $0)\n" }
    for bad in ["u,5\" tv,1500000000\n", "u,\"5 inch,1500000000\n", "\"u,i,1500000000\n"] {
      let text = "user_id,item_id,timestamp\n" + bad + good.joined()
      let data = try await preprocessed(
        ["log.csv": Array(text.utf8)], ["--interactions", "log.csv", "--skip-bad-rows"], threads: 2)
      #expect(data.items.values.count == 60_000)
      #expect(data.catalogue.count == 89)
      #expect(data.times.values.sorted() == (0..<60_000).map { 1_500_000_000 + $0 })
    }
  }

  @Test func `RecBole's typed headers`() async throws {
    let text =
      "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
      + lines { "\($0.user)\t\($0.item)\t\($0.rating).0\t\($0.time).0" }
    expectEvents(
      try await preprocessed(["x.inter": Array(text.utf8)], ["--interactions", "x.inter"]))
  }

  @Test func `MovieLens' double colons`() async throws {
    let text = lines {
      "\($0.user)::\($0.item.replacing(",", with: "_"))::\($0.rating)::\($0.time)"
    }
    let data = try await preprocessed(
      ["ratings.dat": Array(text.utf8)], ["--interactions", "ratings.dat"])
    #expect(data.userIDs == ["anna", "bob", "čé"])
    #expect(data.catalogue.itemIDs == ["i_2", "i3", "i 1"])
  }

  @Test func `JSON lines with the names of Amazon 2014, and with paths`() async throws {
    let amazon = lines {
      #"{"reviewerID":"\#($0.user)","asin":"\#($0.item)","unixReviewTime":\#($0.time)}"#
    }
    expectEvents(
      try await preprocessed(["log.json": Array(amazon.utf8)], ["--interactions", "log.json"]))
    let nested = lines { #"{"w":{"n":"\#($0.user)"},"i":"\#($0.item)","t":\#($0.time)}"# }
    expectEvents(
      try await preprocessed(
        ["log.jsonl": Array(nested.utf8)],
        [
          "--interactions", "log.jsonl", "--user-column", "w.n", "--item-column", "i",
          "--time-column", "t",
        ]))
  }

  @Test func `milliseconds and the parent item of Amazon 2023`() async throws {
    let text = lines {
      let time = 1_600_000_000_000 + $0.time * 1000
      return
        #"{"rating":5.0,"user_id":"\#($0.user)","parent_asin":"\#($0.item)","asin":"a","timestamp":\#(time)}"#
    }
    let data = try await preprocessed(
      ["log.jsonl": Array(text.utf8)], ["--interactions", "log.jsonl"])
    #expect(data.catalogue.itemIDs == ["i,2", "i3", "i 1"])
    #expect(Array(data.times[0]) == [1_600_000_100, 1_600_000_200, 1_600_000_300])
  }

  @Test func `dates of Yelp`() async throws {
    let text = #"{"user_id":"u","business_id":"b","stars":4.0,"date":"2018-07-07 22:09:11"}"#
    let data = try await preprocessed(
      ["review.json": Array(text.utf8)], ["--interactions", "review.json"])
    #expect(Array(data.times[0]) == [1_531_001_351])
  }

  @Test(arguments: ["gzip", "zstd"])
  func `compressed files, also of several members`(tool: String) async throws {
    try await withTemporaryDirectory { directory in
      let rows = csv.split(separator: "\n", omittingEmptySubsequences: false)
      try write(Array((rows[0] + "\n" + rows[1] + "\n").utf8), to: directory.appending("a"))
      try write(Array(rows[2...].joined(separator: "\n").utf8), to: directory.appending("b"))
      for name in ["a", "b"] {
        _ = try await runProgram(.name(tool), ["-q", name], in: directory)
      }
      let suffix = tool == "gzip" ? "gz" : "zst"
      let parts = try contents(of: directory)
      let bytes = try #require(parts["a.\(suffix)"]) + #require(parts["b.\(suffix)"])
      expectEvents(try await preprocessed(["log": bytes], ["--interactions", "log"]))
    }
  }

  @Test func `several files, a folder and a pattern, whatever the order`() async throws {
    let rows = csv.split(separator: "\n")
    let first = rows[0...3].joined(separator: "\n")
    let second = ([rows[0]] + rows[4...]).joined(separator: "\n")
    let files = ["parts/1.csv": Array(first.utf8), "parts/2.csv": Array(second.utf8)]
    for paths in [
      ["parts/2.csv", "parts/1.csv"], ["parts"], ["parts/*.csv"], ["parts/", "parts/1.csv"],
    ] {
      let data = try await preprocessed(files, ["--interactions"] + paths)
      // Equal times keep the order of the files' names; bob's i,2 is in the first file.
      expectEvents(data)
    }
  }

  @Test func `standard input`() async throws {
    try await withTemporaryDirectory { directory in
      try write(Array(csv.utf8), to: directory.appending("log.csv"))
      let program = productsDirectory.appending("h2rec-preprocess").string
      let result = try await runProgram(
        .name("sh"),
        [
          "-c",
          "cat log.csv | \(program) --interactions - --user-core 0 --item-core 0 --output out",
        ],
        in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      expectEvents(
        try PreprocessedData(
          StageInput(directory: directory.appending("out"), expecting: "preprocess")))
    }
  }

  @Test func `no times: the order of the log`() async throws {
    let text = "user_id,item_id\n" + lines { "\($0.user),\"\($0.item)\"" }
    let data = try await preprocessed(
      ["log.csv": Array(text.utf8)], ["--interactions", "log.csv", "--timestamp-format", "none"])
    #expect(data.catalogue.itemIDs == ["i 1", "i,2", "i3"])
    #expect((0..<3).map { Array(data.items[$0]) } == [[0, 1, 2], [1, 2], [0]])
    #expect((0..<3).map { Array(data.times[$0]) } == [[0, 2, 3], [1, 4], [5]])
  }

  @Test func `bad rows are left out where that is asked for, and counted`() async throws {
    try await withTemporaryDirectory { directory in
      let text = csv + "x\nanna,i3,1,never\nanna,i3,1,later\n"
      try write(Array(text.utf8), to: directory.appending("log.csv"))
      let result = try await runStage(
        "h2rec-preprocess",
        [
          "--interactions", "log.csv", "--skip-bad-rows", "--bad-rows", "bad.csv", "--user-core",
          "0", "--item-core", "0", "--output", "out",
        ], in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      let input = try StageInput(
        directory: directory.appending("out"), expecting: "preprocess")
      expectEvents(try PreprocessedData(input))
      #expect(
        try contents(of: directory)["bad.csv"]
          == Array("x\nanna,i3,1,never\nanna,i3,1,later\n".utf8))
      #expect(input.manifest.counters["rowsBad"] == 3)
      #expect(
        input.manifest.counters["rowsBadByReason"] == ["fieldCount": 1, "timestamp": 2])
    }
  }

  @Test func `a dry run shows what a run would do and writes nothing`() async throws {
    try await withTemporaryDirectory { directory in
      try write(Array(csv.utf8), to: directory.appending("log.csv"))
      let result = try await runStage(
        "h2rec-preprocess",
        ["--interactions", "log.csv", "--user-core", "0", "--item-core", "0", "--dry-run"],
        in: directory)
      #expect(result.status == .exited(0))
      #expect(
        result.error == """
          h2rec-preprocess: log.csv: warning: 6 of 6 times are before 1971, the first at 1970-01-01T00:00:50Z; \
          --timestamp-format names another unit or form.

          """)
      #expect(
        result.output.hasPrefix(
          "log.csv: csv, 6 rows, user = user_id, item = item_id, time = timestamp\n"))
      #expect(result.output.contains("| interactions | 6 |\n"))
      #expect(result.output.contains("The run will need about "))
      #expect(
        result.output.contains(
          "| head, the most popular 20.0 % in train | 1 | 33.3 % | 2 | 50.0 % |\n"))
      #expect(
        result.output.contains("| tail, fewer than 20 train events | 3 | 100.0 % | 4 | 100.0 % |\n")
      )
      #expect(result.output.contains("\"diskBytes\":"))
      #expect(try contents(of: directory).keys.sorted() == ["log.csv"])
    }
  }

  @Test func `a run prints and stores thresholds, shares and the warning of its split`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      try write(Array(csv.utf8), to: directory.appending("log.csv"))
      let arguments = ["--interactions", "log.csv", "--user-core", "0", "--item-core", "0"]
      let result = try await runStage(
        "h2rec-preprocess", arguments + ["--output", "out"], in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
      let report = try String(
        contentsOfFile: directory.appending("out").appending("report.md").string, encoding: .utf8)
      #expect(result.output.hasPrefix(report))
      #expect(
        report.contains("Warning: the split goes by position, so train holds events of other"))
      let input = try StageInput(directory: directory.appending("out"), expecting: "preprocess")
      let group = input.manifest.counters["groups"]?["tail"]
      let numbers = [
        "threshold", "items", "shareOfItems", "trainEvents", "shareOfTrainEvents",
      ]
      .map { group?[$0]?.numberValue }
      #expect(numbers == [20, 3, 1, 4, 1])
      let quiet = try await runStage(
        "h2rec-preprocess", arguments + ["--output", "again", "--quiet"], in: directory)
      #expect(quiet.output.split(separator: "\n").count == 1)
    }
  }

  @Test func `ratings, kinds of events and dates choose the events`() async throws {
    let text =
      "user_id,item_id,rating,event,timestamp\na,p,5,buy,100\na,q,2,buy,200\na,r,,view,300\na,s,4,cart,400\n"
    for (options, items) in [
      (["--minimum-rating", "3"], ["p", "r", "s"]),
      (["--events", "buy", "cart"], ["p", "q", "s"]),
      (["--from", "200", "--until", "1970-01-01T00:06:40Z"], ["q", "r"]),
    ] {
      let data = try await preprocessed(
        ["log.csv": Array(text.utf8)], ["--interactions", "log.csv"] + options)
      #expect(data.catalogue.itemIDs == items)
    }
  }

  @Test func `a split by time keeps every train event before the cut`() async throws {
    for cuts in [["100", "200"], ["0.2", "0.7"]] {
      let data = try await preprocessed(
        ["log.csv": Array(csv.utf8)],
        [
          "--interactions", "log.csv", "--split", "time", "--valid-from", cuts[0], "--test-from",
          cuts[1],
        ])
      // Times: anna 100 200 300, bob 100 100, čé 50.
      #expect(data.trainEnds == [0, 0, 1])
      #expect(data.validEnds == [1, 2, 1])
    }
  }

  @Test func `items without vectors get some from their texts`() async throws {
    let items = ["i 1", "i,2", "i3"].map { #"{"item_id":"\#($0)","title":"A lamp \#($0)"}"# }
    let files = [
      "log.csv": Array(csv.utf8), "items.jsonl": Array(items.joined(separator: "\n").utf8),
    ]
    let arguments = ["--interactions", "log.csv", "--items", "items.jsonl", "--text-vectors"]
    let data = try await preprocessed(files, arguments + ["16"])
    #expect(data.vectors?.width == 16 && data.vectors?.count == 3)
    #expect(try await preprocessed(files, arguments + ["0"]).vectors == nil)
  }
}
