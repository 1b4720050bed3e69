import Testing

@testable import ShardIO

/// The JSON of manifests and reports (RFC 8259).
@Suite struct JSONTests {
  private func parsed(_ text: String) -> JSONValue? {
    try? JSONValue(parsing: Array(text.utf8), path: "x.json")
  }

  @Test(
    arguments: [
      ("null", .null), (" true ", .bool(true)), ("false", .bool(false)), ("-12", .integer(-12)),
      ("1.0", .integer(1)), ("1e3", .integer(1000)), ("0.5", .number(0.5)), ("-0", .integer(0)),
      ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(0x1p63)),
      ("1e300", .number(1e300)), ("\"\"", .string("")), ("[]", .array([])), ("{}", .object([:])),
      ("[1, [2], {\"a\": [null]}]", .array([1, .array([2]), .object(["a": .array([.null])])])),
      (#""a\"\\\/\b\f\n\r\tß""#, .string("a\"\\/\u{8}\u{C}\n\r\tß")),
      (#""\u00e9\uD83D\uDE00x""#, .string("é😀x")),
      ("\"\u{7F}e\u{301}\"", .string("\u{7F}e\u{301}")),
    ] as [(String, JSONValue)])
  func `a document is read as the standard says`(text: String, value: JSONValue) {
    #expect(parsed(text) == value)
  }

  @Test(arguments: [
    "", " ", "nul", "truex", "01", "1.", ".5", "1e", "+1", "-", "1e400", "NaN", "[1,]",
    "[,1]", "[1 2]",
    "{\"a\"}", "{\"a\":1,}", "{a:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "\"",
    "\"\\x\"", "\"\\u12g4\"",
    "\"\\uD800\"", "\"\\uD800\\u0041\"", "\"\\uDC00\"", "\"a\nb\"", "1 2", "]", "'a'",
  ])
  func `what is no JSON is refused`(text: String) {
    #expect(parsed(text) == nil)
  }

  @Test func `bytes that are not UTF-8 and nesting without end are refused`() {
    #expect((try? JSONValue(parsing: [0x22, 0xFF, 0x22], path: "x")) == nil)
    #expect((try? JSONValue(parsing: [0x22, 0x5C, 0x6E, 0xC3, 0x22], path: "x")) == nil)
    let depth = 256
    let fits = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(parsed(fits) != nil)
    #expect(parsed("[\(fits)]") == nil)
    #expect(parsed(String(repeating: "[", count: 1_000_000)) == nil)
  }

  @Test func `what is written is read back, in time that grows with its size`() throws {
    let entries = (0..<20_000).map { number in
      JSONValue.object([
        "name": .string("codes-\(number)"), "bytes": .integer(Int64(number)),
        "share": .number(0.125),
        "list": .array([.null, .bool(true), .string("ü\n\u{1}")]),
      ])
    }
    let value = JSONValue.object(["outputs": .array(entries)])
    let bytes = try value.json()
    let clock = ContinuousClock()
    let start = clock.now
    #expect(try JSONValue(parsing: bytes, path: "x") == value)
    // 3 MB; decoded by trial it took ten times as long as the limit on an idle machine.
    #expect(clock.now - start < .seconds(20))
  }
}
