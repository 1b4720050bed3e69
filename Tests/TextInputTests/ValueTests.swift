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
    "2014-01-01 ", "2014-01-01 00:00 ", "2014-01-01 00:00 UT",
    "nan",
  ])
  func `other text is refused`(text: String) {
    #expect(parse(text) == nil)
  }

  @Test func `a unit that is named holds for every size`() {
    #expect(parse("1388534400123", .unit(.milliseconds)) == 1_388_534_400_123_000)
    #expect(parse("5", .unit(.milliseconds)) == 5000)
    #expect(parse("5", .unit(.microseconds)) == 5)
    #expect(parse("-1", .unit(.nanoseconds)) == -1)
    #expect(parse("9223372036854775807", .unit(.seconds)) == nil)
    #expect(parse("5", .iso8601) == nil)
    #expect(parse("whatever", TimestampFormat.none) == 0)
  }

  @Test(arguments: [
    ("2017-07-21 09:44:46 UTC", 1_500_630_286), ("2017-07-21 9:44", 1_500_630_240),
    ("2017-07-21T9:44:46Z", 1_500_630_286), ("2017/07/21 09:44:46", 1_500_630_286),
    ("2017-07-21 09:44:46.5 GMT", 1_500_630_286), ("2017-07-21 11:44:46 +0200", 1_500_630_286),
  ])
  func `are read as programs write them`(text: String, seconds: Int64) {
    #expect(parse(text).map { floorDivide($0, 1_000_000) } == seconds)
  }

  @Test(arguments: [
    ("m/d/Y", "7/21/2017", 1_500_595_200), ("%m/%d/%Y", "07/21/2017", 1_500_595_200),
    ("m/d/Y", "7/21/2017 9:44", 1_500_630_240), ("m/d/Y H:M", "7/21/2017 9:44", 1_500_630_240),
    ("d.m.Y", "21.07.2017", 1_500_595_200), ("Ymd", "20170721", 1_500_595_200),
    ("%Y%m%d%H%M%S", "20170721094446", 1_500_630_286),
    ("m/d/y I:M:S p", "7/21/17 9:44:46 AM", 1_500_630_286),
    ("%d %b %Y", "21 Jul 2017", 1_500_595_200), ("d/m/Y", "31/12/1969", -86_400),
    ("m/d/Y I:M p", "1/1/1970 12:00 am", 0),
  ])
  func `are read in a form of the user's own`(form: String, text: String, seconds: Int64) throws {
    let format = try #require(TimestampFormat(rawValue: form))
    #expect(format.rawValue == form)
    #expect(parse(text, format) == seconds * 1_000_000)
  }

  @Test(arguments: ["", "m/d", "Y-m-d-d", "m/d/Q", "hours", "m/d/Y I:M", "Y/m/d S", "%Y-%m-%d %Q"])
  func `a form without a date, or with another letter, is none`(form: String) {
    #expect(TimestampFormat(rawValue: form) == nil)
  }

  @Test(arguments: ["13/1/2017", "2/30/2017", "7/21/17", "7/21/2017x", "7-21-2017", ""])
  func `text that does not fit a form is refused`(text: String) throws {
    #expect(parse(text, try #require(TimestampFormat(rawValue: "m/d/Y"))) == nil)
  }

  @Test func `a unit that is known for the log holds for numbers of every size`() {
    func parse(_ text: String, _ unit: TimeUnit) -> Int64? {
      let bytes = Array(text.utf8)
      return parseTimestamp(bytes.span, 0..<bytes.count, .automatic, unit: unit)
    }
    #expect(parse("5", .milliseconds) == 5000)
    #expect(parse("1388534400123.0", .milliseconds) == 1_388_534_400_123_000)
    #expect(parse("1388534400", .milliseconds) == 1_388_534_400_000)
    #expect(parse("2014-01-01", .milliseconds) == 1_388_534_400_000_000)
  }

  @Test func `are shown as ISO 8601`() {
    for text in [
      "1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "1969-12-31T23:59:58Z",
      "0001-01-01T00:00:00Z", "2100-03-01T12:00:00Z", "1900-02-28T01:02:03Z",
    ] {
      #expect(parse(text).map(isoText) == text)
    }
    #expect(isoText(1_500_630_286_999_999) == "2017-07-21T09:44:46Z")
    #expect(isoText(-1) == "1969-12-31T23:59:59Z")
  }

  @Test func `of a log have the unit of most numbers that tell one`() {
    func unit(_ texts: [String]) -> TimeUnit? {
      var statistics = TimeStatistics()
      for text in texts {
        let bytes = Array(text.utf8)
        _ = parseTimestamp(
          bytes.span, 0..<bytes.count, .automatic, unit: nil, noting: &statistics)
      }
      return statistics.unit
    }
    #expect(unit(["0", "5", "1500000000123", "1500000000456.5"]) == .milliseconds)
    #expect(unit(["1500000000", "1500000001", "9999999999999"]) == .seconds)
    #expect(unit(["1500000000123456"]) == .microseconds)
    #expect(unit(["1500000000123456789"]) == .nanoseconds)
    #expect(unit(["1", "2", "20170721", "2014-01-01"]) == nil)
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
