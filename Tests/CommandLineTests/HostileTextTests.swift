internal import Foundation
internal import ShardIO
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// Ids, titles and categories that try to break what people read: reports, pages and spreadsheets.
@Suite struct HostileTextTests {
  private static let texts = [
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@sum(A1)", "\t=1", "a|b", "`code`", "# head", "* star",
    "<script>alert(1)</script>", "\u{202E}turned", "esc\u{1B}[2J", "nul\u{0}", "line\nend", "12. x",
    "\r=1", "[x](javascript:1)", "\"\u{301} onmouseover=1 x=\"", "<!--", "\u{2066}isolated",
    "|\u{301}",
    "c1\u{9B}2J", "mark\u{200F}\u{61C}", "plain",
  ]
  private static let itemIDs = texts.enumerated().map { "\($1)\($0)" }
  private static let userIDs = texts.enumerated().map { "\($1)u\($0)" }

  /// The log and the items as JSON lines.
  private func writeShop(in directory: FilePath) throws {
    var random = SeededGenerator(seed: 3)
    var log: [UInt8] = []
    for user in Self.userIDs {
      for (time, item) in Self.itemIDs.shuffled(using: &random).prefix(9).enumerated() {
        log += try JSONValue.object([
          "user_id": .string(user), "item_id": .string(item), "timestamp": JSONValue(time + 1),
        ]).json(isPretty: false)
        log.append(0x0A)
      }
    }
    var items: [UInt8] = []
    for (index, id) in Self.itemIDs.enumerated() {
      let text = Self.texts[index]
      items += try JSONValue.object([
        "item_id": .string(id), "title": .string("\(text) words \(index % 5)"),
        "categories": .array([.string(Self.texts[index % 12])]), text: "unused",
      ]).json(isPretty: false)
      items.append(0x0A)
    }
    try write(log, to: directory.appending("log.jsonl"))
    try write(items, to: directory.appending("items.jsonl"))
  }

  private func runAll(in directory: FilePath) async throws {
    try writeShop(in: directory)
    for (program, arguments) in [
      (
        "preprocess",
        """
        --interactions log.jsonl --items items.jsonl --user-core 2 --item-core 2 --text-vectors 8 --negatives 3 --output 1
        """
      ),
      ("tokenize", "--data 1 --codebooks 3,3 --pca 0 --csv-guard --output 2"),
      ("tokenize", "--data 1 --codebooks 3,3 --pca 0 --output exact-codes"),
      ("train", "--data 1 --codes 2 --dimension 8 --epochs 1 --output 3"),
      (
        "evaluate",
        """
        --data 1 --codes 2 --model 3 --resamples 0 --recommend 3 --recommend-titles --csv-guard --title <t>|` --output 4
        """
      ),
      (
        "evaluate", "--data 1 --codes 2 --model 3 --resamples 0 --recommend 3 --output exact-lists"
      ),
      (
        "evaluate",
        "similar --data 1 --codes 2 --model 3 --count 3 --titles --csv-guard --output similar"
      ),
    ] {
      let words = arguments.split(whereSeparator: \.isWhitespace).map(String.init)
      let result = try await runStage("h2rec-\(program)", words + ["--quiet"], in: directory)
      try #require(result.status == .exited(0), "\(result.error)")
    }
  }

  private func text(_ path: FilePath) throws -> String {
    String(decoding: try readWholeFile(path), as: UTF8.self)
  }

  /// Characters that show nothing, or change how others are shown.
  private func hidden(_ text: String) -> [UInt32] {
    text.unicodeScalars.map(\.value).filter { value in
      (value < 0x20 && value != 0x09 && value != 0x0A) || (0x7F..<0xA0).contains(value)
        || value == 0x061C
        || (0x200E...0x200F).contains(value) || (0x202A...0x202E).contains(value)
        || (0x2066...0x2069).contains(value)
    }
  }

  /// The number of bars of a line that are not escaped.
  private func bars(_ line: some StringProtocol) -> Int {
    var count = 0
    var isEscaped = false
    for scalar in line.unicodeScalars {
      if scalar == "|", !isEscaped { count += 1 }
      isEscaped = scalar == "\\" && !isEscaped
    }
    return count
  }

  private func checkMarkdown(_ text: String, _ name: String) {
    #expect(hidden(text) == [], "\(name)")
    var width: Int?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("|") {
        #expect(bars(line) == width ?? bars(line), "\(name): \(line)")
        width = bars(line)
      } else {
        width = nil
        #expect(!line.hasPrefix("# head") && !line.hasPrefix("end"), "\(name): \(line)")
      }
      var before: Unicode.Scalar = " "
      for scalar in line.unicodeScalars {
        #expect(scalar != "<" || before == "\\", "\(name): \(line)")
        before = scalar
      }
    }
  }

  private func checkPage(_ html: String, _ name: String) {
    #expect(hidden(html) == [], "\(name)")
    #expect(!html.contains("<script") && !html.contains("<!--"), "\(name)")
    let scalars = Array(html.unicodeScalars)
    for (index, scalar) in scalars.enumerated() where scalar == "\u{301}" {
      #expect(scalars[index - 1] == ";" || scalars[index - 1] == "|", "\(name)")
    }
  }

  /// The cells of a CSV file (RFC 4180), row by row.
  private func rows(_ path: FilePath) throws -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var cell = String.UnicodeScalarView()
    var isQuoted = false
    var wasQuote = false
    for scalar in try text(path).unicodeScalars {
      if scalar == "\"" {
        if wasQuote { cell.append(scalar) }
        wasQuote = !wasQuote && isQuoted
        isQuoted.toggle()
        continue
      }
      wasQuote = false
      switch scalar {
      case "," where !isQuoted, "\n" where !isQuoted:
        row.append(String(cell))
        cell.removeAll()
        guard scalar == "\n" else { continue }
        rows.append(row)
        row = []
      default: cell.append(scalar)
      }
    }
    return rows
  }

  private func checkGuarded(_ path: FilePath, columns: [(Int, [String])]) throws {
    let rows = try rows(path).dropFirst()
    #expect(rows.count > 20)
    for row in rows {
      for cell in row where Double(cell) == nil {
        #expect(!"=+-@\t\r".unicodeScalars.contains(cell.unicodeScalars.first ?? " "), "\(cell)")
      }
    }
    for (column, ids) in columns {
      for cell in Set(rows.map { $0[column] }) {
        let id = cell.hasPrefix("'") ? String(cell.dropFirst()) : cell
        #expect(ids.contains { $0.unicodeScalars.elementsEqual(id.unicodeScalars) }, "\(cell)")
      }
    }
  }

  @Test func `no text of a user breaks a report, a page or a spreadsheet`() async throws {
    try await withTemporaryDirectory { directory in
      try await runAll(in: directory)
      for stage in ["1", "2", "4"] {
        checkMarkdown(try text(directory.appending("\(stage)/report.md")), stage)
      }
      for stage in ["2", "4"] {
        checkPage(try text(directory.appending("\(stage)/report.html")), stage)
      }
      let evaluation = try text(directory.appending("4/report.md"))
      #expect(evaluation.contains("category \\*") || evaluation.contains("category \\`code\\`"))
      try checkGuarded(
        directory.appending("4/recommendations.csv"),
        columns: [(0, Self.userIDs), (2, Self.itemIDs)])
      try checkGuarded(directory.appending("2/codes.csv"), columns: [(0, Self.itemIDs)])
      try checkGuarded(
        directory.appending("similar/similar-items.csv"),
        columns: [(0, Self.itemIDs), (2, Self.itemIDs)])
    }
  }

  @Test func `without the guard every id comes back exact`() async throws {
    try await withTemporaryDirectory { directory in
      try await runAll(in: directory)
      func same(_ found: [String], _ expected: [String]) -> Bool {
        Set(found.map { Array($0.utf8) }) == Set(expected.map { Array($0.utf8) })
      }
      let codes = try rows(directory.appending("exact-codes/codes.csv")).dropFirst().map { $0[0] }
      #expect(same(codes, Self.itemIDs))
      let lists = try rows(directory.appending("exact-lists/recommendations.csv")).dropFirst()
      #expect(same(lists.map { $0[0] }, Self.userIDs))
    }
  }

  @Test func `the guard is for CSV alone`() async throws {
    for (program, arguments, words) in [
      (
        "h2rec-evaluate", ["--recommend", "3", "--recommend-format", "jsonl"],
        "--recommend-format jsonl"
      ),
      ("h2rec-evaluate", ["--resamples", "0"], "needs '--recommend'"),
    ] {
      let needed = ["--data", "1", "--model", "3", "--output", "4"]
      let result = try await runStage(program, arguments + needed + ["--csv-guard"], in: "/tmp")
      #expect(result.status == .exited(64) && result.error.contains(words), "\(result.error)")
    }
  }
}
