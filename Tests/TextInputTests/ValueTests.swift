import ShardIO
import TestSupport
import Testing

@testable import TextInput

struct `Times` {
  private func parse(_ text: String, _ format: TimestampFormat = .automatic) -> Int64? {
    let bytes = Array(text.utf8)
    return parseTimestamp(bytes.span, 0..<bytes.count, format)
  }

  @Test(arguments: [
    ("1388534400", 1_388_534_400_000_000), ("1", 1_000_000), ("-5", -5_000_000),
    ("1388534400.25", 1_388_534_400_250_000), ("-0.5", -500_000),
    ("1388534400123", 1_388_534_400_123_000), ("1388534400123456", 1_388_534_400_123_456),
    ("1388534400123456789", 1_388_534_400_123_456),
    ("2014-01-01", 1_388_534_400_000_000), ("2014-01-01T00:00:01Z", 1_388_534_401_000_000),
    ("2014-01-01 00:00:00.123456789", 1_388_534_400_123_456),
    ("2014-01-01T02:30+02:30", 1_388_534_400_000_000),
    ("2013-12-31T19:00:00-0500", 1_388_534_400_000_000),
    ("1969-12-31T23:59:59Z", -1_000_000), ("2000-02-29", 951_782_400_000_000),
    ("0001-01-01", -62_135_596_800_000_000),
  ])
  func `are told from their form`(text: String, microseconds: Int64) {
    #expect(parse(text) == microseconds)
  }

  @Test(arguments: [
    "", "-", "+", "1e9", "12a", "1.2.3", "99999999999999999999", "2014-13-01", "2014-02-29",
    "1900-02-29", "2014-01-01T24:00", "2014-01-01T00:00:00+25:00", "2014-01-01X", "2014-1-1", " 1",
    "nan",
  ])
  func `other text is refused`(text: String) {
    #expect(parse(text) == nil)
  }

  @Test func `a unit that is named holds for every size`() {
    #expect(parse("1388534400123", .milliseconds) == 1_388_534_400_123_000)
    #expect(parse("5", .milliseconds) == 5000)
    #expect(parse("5", .microseconds) == 5)
    #expect(parse("-1", .nanoseconds) == -1)
    #expect(parse("9223372036854775807", .seconds) == nil)
    #expect(parse("5", .iso8601) == nil)
    #expect(parse("whatever", TimestampFormat.none) == 0)
  }

  @Test func `every day from 1890 to 2110 follows the one before`() {
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    var days: [Int64] = []
    for year in 1890...2110 {
      for month in 1...12 {
        for day in 1...31 {
          guard let time = parse("\(year)-\(padded(month))-\(padded(day))", .iso8601) else {
            continue
          }
          days.append(time / 86_400_000_000)
        }
      }
    }
    // 221 years, of which 53 are leap years: 1892 to 2108 without 1900 and 2100.
    #expect(days.count == 221 * 365 + 53)
    #expect(days == Array(days[0]..<days[0] + Int64(days.count)))
  }
}

struct `Numbers` {
  private func integer(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    return parseInteger(bytes.span, 0..<bytes.count)
  }

  @Test func `whole numbers reach both ends of their range`() {
    #expect(integer("9223372036854775807") == .max)
    #expect(integer("-9223372036854775808") == .min)
    #expect(integer("9223372036854775808") == nil)
    #expect(integer("-9223372036854775809") == nil)
    #expect(integer("+7") == 7)
    #expect(integer("7 ") == nil)
  }

  @Test func `decimal numbers are finite`() {
    func decimal(_ text: String) -> Double? {
      let bytes = Array(text.utf8)
      return parseDecimal(bytes.span, 0..<bytes.count)
    }
    #expect(decimal("4.5") == 4.5)
    #expect(decimal("-1e3") == -1000)
    #expect(decimal("nan") == nil)
    #expect(decimal("inf") == nil)
    #expect(decimal("") == nil)
    #expect(decimal("four") == nil)
  }
}

struct `JSON` {
  private func read(_ text: String) throws(JSONFault) -> JSONValue {
    let bytes = Array(text.utf8)
    var cursor = JSONCursor(0..<bytes.count)
    return try cursor.readWhole(bytes.span)
  }

  @Test func `values of every kind`() throws {
    let node = try read(
      #" {"a": [1, -2.5e+3, true, false, null], "b": {"c": "x\n\"\\\/é😀é"}, "d": [], "e": {}} "#)
    #expect(
      node["a"] == .array([.literal("1"), .literal("-2.5e+3"), .bool(true), .bool(false), .null]))
    #expect(node["b"]?["c"] == .string("x\n\"\\/é😀é"))
    #expect(node["d"] == .array([]))
    #expect(node["e"] == .object([:]))
    #expect(node["f"] == nil)
  }

  @Test func `of members with one name the last counts`() throws {
    #expect(try read(#"{"a":1,"a":2}"#)["a"] == .literal("2"))
  }

  @Test func `a lone surrogate becomes the replacement character`() throws {
    #expect(try read(#""\ud83dx\udc00""#) == .string("\u{FFFD}x\u{FFFD}"))
  }

  @Test(arguments: [
    ("", 0), ("{", 1), ("{\"a\"}", 4), ("{\"a\":}", 5), ("[1,]", 3), ("[1 2]", 3), ("01", 2),
    ("1.", 2), ("-", 0), ("tru", 3), ("\"a", 2), ("\"\\x\"", 2), ("\"\\u12g4\"", 5), ("1 1", 2),
    ("\"\t\"", 1), ("{\"a\":1,}", 7), ("'a'", 0),
  ])
  func `faults are told with their byte`(text: String, offset: Int) {
    #expect(throws: JSONFault.self) { try read(text) }
    do throws(JSONFault) {
      _ = try read(text)
    } catch {
      #expect(error.offset == offset, "\(error.expected)")
    }
  }

  @Test func `nesting is bounded`() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JSONFault.self) { try read(deep) }
  }

  @Test func `any bytes end in a value or a fault`() throws {
    try withEvery("seed", in: 0..<500) { seed in
      var random = SeededGenerator(seed: seed)
      let alphabet = Array(#"{}[]",:\u0tfn1-.e "#.utf8)
      let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
        alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
      }
      var cursor = JSONCursor(0..<bytes.count)
      _ = try? cursor.readWhole(bytes.span)
      try #require(cursor.position <= bytes.count)
    }
  }
}
