import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Tokenize

struct `Code lint` {
  /// Tuples 0-0, 0-0, 0-1, 1-1 of levels with 4 and 2 codes.
  private let statistics = CodeStatistics([0, 0, 0, 0, 0, 1, 1, 1], levelSizes: [4, 2])

  private func rules(_ limits: LintLimits) -> [String] {
    limits.findings(statistics, duplicateShare: 0.5, purity: 0.75).map { finding in
      finding.rule + (finding.level.map { " \($0)" } ?? "")
    }
  }

  @Test func `no limits find nothing`() {
    #expect(rules(LintLimits()).isEmpty)
  }

  @Test func `each limit is met exactly at its value and missed beyond it`() {
    #expect(rules(LintLimits(minimumUtilization: 0.5)).isEmpty)
    #expect(rules(LintLimits(minimumUtilization: 0.51)) == ["min-utilization 1"])
    #expect(rules(LintLimits(maximumCodeShare: 0.75)).isEmpty)
    #expect(rules(LintLimits(maximumCodeShare: 0.74)) == ["max-code-share 1"])
    #expect(rules(LintLimits(minimumEntropy: 1)) == ["min-entropy 1"])
    #expect(rules(LintLimits(minimumPerplexity: 2)) == ["min-perplexity 1"])
    #expect(rules(LintLimits(maximumCollisionRate: 0.5)).isEmpty)
    #expect(rules(LintLimits(maximumCollisionRate: 0.49)) == ["max-collision-rate"])
    #expect(rules(LintLimits(maximumGroupSize: 2)).isEmpty)
    #expect(rules(LintLimits(maximumGroupSize: 1)) == ["max-group-size"])
    #expect(rules(LintLimits(maximumDuplicateShare: 0.4)) == ["max-duplicate-share"])
    #expect(rules(LintLimits(minimumPurity: 0.8)) == ["min-purity"])
  }

  @Test func `a level that only numbers equal codes is no codebook`() {
    // The second level counts: one of four items has another one before it.
    let numbered = CodeStatistics([0, 0, 1, 0, 2, 0, 0, 1], levelSizes: [3, 2])
    let limits = LintLimits(minimumPerplexity: 1.9, maximumCodeShare: 0.6)
    func rules(_ isNumbered: Bool) -> [String] {
      limits.findings(numbered, duplicateShare: nil, purity: nil, isNumbered: isNumbered)
        .map { "\($0.rule) \($0.level ?? 0)" }
    }
    #expect(rules(false) == ["min-perplexity 2", "max-code-share 2"] && rules(true).isEmpty)
  }

  @Test func `the first finding is the message, the others are the note`() {
    let findings = LintLimits(minimumUtilization: 0.9, maximumCollisionRate: 0.1)
      .findings(statistics, duplicateShare: nil, purity: nil)
    #expect(
      LintLimits(maximumGroupSize: 1).findings(statistics, duplicateShare: nil, purity: nil)
        .map(\.message)
        == ["the number of items in the largest group with equal codes is 2, expected at most 1"])
    let error = PipelineError.badCodes(findings, "codes.csv")
    #expect(error.kind == .dataFormat)
    #expect(
      error.message == "the share of level 1's codes in use is 0.5, expected at least 0.9")
    #expect(
      error.note
        == "the share of items with another item's codes is 0.5, expected at most 0.1")
  }
}

struct `Prefix purity` {
  @Test func `is the share of the most frequent category in each group`() throws {
    let codes: [UInt16] = [0, 0, 0, 1, 0, 1, 1, 0]
    let categories = [["x", "a"], ["x", "a"], ["x", "b"], ["b"]]
    // By the first code: {a, a, b} and {b}; by both: {a}, {a, b}, {b}.
    #expect(prefixPurities(codes, levelCount: 2, categories) == [3.0 / 4, 3.0 / 4])
    #expect(prefixPurities(codes, levelCount: 2, [["a"], ["b"], ["b"], []]) == [2.0 / 3, 1])
    #expect(prefixPurities(codes, levelCount: 2, [[], [], [], []]) == nil)
  }
}

struct `Foreign codes` {
  private func read(_ name: String, _ text: String) throws -> ForeignCodes {
    try withTemporaryDirectory { directory in
      let path = directory.appending(name)
      try write(Array(text.utf8), to: path)
      return try ForeignCodes(path.string)
    }
  }

  private func failure(_ name: String, _ text: String) throws -> PipelineError {
    try #require(throws: PipelineError.self) { try read(name, text) }
  }

  @Test func `are read from CSV with and without a header`() throws {
    let withHeader = try read("a.csv", "item_id,c1,c2\nx,3,0\n\"y,\"\"z\"\"\",0,65535\n")
    #expect(withHeader.itemIDs == ["x", "y,\"z\""])
    #expect(withHeader.codes == [3, 0, 0, 65_535] && withHeader.levelSizes == [4, 65_536])
    #expect(try read("b.csv", "7,1\r\n8,2\r\n").itemIDs == ["7", "8"])
  }

  @Test func `are read from JSON in both forms`() throws {
    let object = try read("a.json", #"{"x": [1, 2, 3], "y": [4, 5, 6]}"#)
    let list = try read(
      "b.json", #"[{"item_id": "x", "codes": [1, 2, 3]}, {"codes": [4, 5, 6], "item_id": "y"}]"#)
    #expect(object == list && object.codes == [1, 2, 3, 4, 5, 6] && object.levelCount == 3)
  }

  @Test func `are read from JSON lines`() throws {
    let lines = """
      {"item_id": "x", "codes": [1, 2]}

      {"codes": "<a_3><b_4>", "item_id": 7}

      """
    #expect(throws: PipelineError.self) { try read("mixed.jsonl", lines) }
    let plain = try read("a.jsonl", lines.replacing("\"<a_3><b_4>\"", with: "[\"3\", 4]"))
    #expect(plain.itemIDs == ["x", "7"] && plain.codes == [1, 2, 3, 4])
    #expect(plain.location("a.jsonl", row: 1).line == 3)
    let fault = try failure(
      "a.jsonl", "{\"item_id\": \"x\", \"codes\": [1]}\n{\"item_id\": \"y\"}\n")
    #expect(fault.message == "this line lacks 'item_id' or 'codes'" && fault.location?.line == 2)
    #expect(try failure("a.jsonl", "{\"item_id\": \"x\",\n").location?.line == 1)
  }

  @Test(arguments: [
    ("a.json", #"{"x": ["<a_170>", "<b_3>"], "y": ["<a_0>", "<b_65535>"]}"#),
    ("b.json", #"{"x": "<a_170><b_3>", "y": "<a_0> <b_65535>"}"#),
    ("c.csv", "x,<a_170>,<b_3>\ny,<a_0>,<b_65535>\n"),
    ("d.csv", "item_id,sid\nx,<a_170><b_3>\ny,<a_0><b_65535>\n"),
    (
      "e.jsonl",
      "{\"item_id\":\"x\",\"codes\":\"<a_170><b_3>\"}\n{\"item_id\":\"y\",\"codes\":[\"<a_0>\",\"<b_65535>\"]}"
    ),
  ])
  func `are read in the published form`(name: String, text: String) throws {
    let codes = try read(name, text)
    #expect(codes.itemIDs == ["x", "y"] && codes.codes == [170, 3, 0, 65_535])
    #expect(codes.levelSizes == [171, 65_536])
  }

  @Test func `in the published form keep to the names of the first item`() throws {
    for code in ["<b_3>", "<a_3", "3", "<a_>", "<a_70000>", "<a_-1>"] {
      let error = try failure("a.json", #"{"x": ["<a_1>"], "y": ["\#(code)"]}"#)
      #expect(
        error.message == "code '\(code)' of item 'y' is not such as <a_170>, as in the first item")
    }
  }

  @Test func `are refused with their line`() throws {
    let rows = "x,1,2\ny,1,2\n"
    #expect(try failure("a.csv", rows + "z,1\n").location?.line == 3)
    #expect(
      try failure("a.csv", rows + "z,1\n").message
        == "item 'z' has 1 codes, expected 2 as the first item")
    #expect(
      try failure("a.csv", rows + "z,1,65536\n").message
        == "code '65536' of item 'z' is not a whole number from 0 to 65535")
    #expect(try failure("a.csv", rows + "z,1,-1\n").kind == .dataFormat)
    #expect(try failure("a.csv", rows + "x,1,2\n").message == "item 'x' occurs twice")
    #expect(
      try failure("a.csv", "item\tcode\nx\t1\n").message == "item 'item\\tcode' has no codes")
    #expect(try failure("a.csv", "x,-1\ny,1\n").location?.line == 1)
    #expect(try failure("a.csv", "").message == "there are no codes in this file")
    #expect(
      try failure("a.json", "{\"x\": 3}").message
        == "the codes of item 'x' are neither a list nor a text")
    #expect(try failure("a.json", "{\"x\": [0.5]}").kind == .dataFormat)
    #expect(
      try failure("a.json", "{\"x\": [1], \"y\": [1], \"x\": [2]}").message
        == "item 'x' occurs twice")
    #expect(try failure("a.json", "{").location?.byteOffset == 1)
  }
}
