import ShardIO
import Testing

@testable import TextOutput

struct `Text field` {
  @Test(arguments: [
    ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""),
    ("two\nlines", "\"two\nlines\""), ("\r", "\"\r\""), ("", ""), ("é;'", "é;'"),
  ])
  func `of CSV has quotes where it needs them`(text: String, field: String) {
    #expect(String(decoding: TextField.csv(text), as: UTF8.self) == field)
  }

  @Test(arguments: [
    ("=1+1", "'=1+1"), ("+x", "'+x"), ("-2-1", "'-2-1"), ("@sum(A1)", "'@sum(A1)"), ("-", "'-"),
    ("\tx", "'\tx"), ("\r=1", "\"'\r=1\""), ("=a,b", "\"'=a,b\""), ("-1e5x", "'-1e5x"),
    ("＝1", "'＝1"), ("-12", "-12"), ("+1.5e-3", "+1.5e-3"), ("-.5", "-.5"), ("x=1", "x=1"),
    ("'=1", "'=1"), ("", ""), ("1-2", "1-2"), ("=\u{301}1", "'=\u{301}1"),
  ])
  func `of CSV is no formula where it is guarded, and numbers stay numbers`(
    text: String, field: String
  ) {
    #expect(String(decoding: TextField.csv(text, isGuarded: true), as: UTF8.self) == field)
    #expect(!String(decoding: TextField.csv(text), as: UTF8.self).hasPrefix("'=") || text == "'=1")
  }

  @Test(arguments: [
    ("a|b", #"a\|b"#), ("a|\u{301}b", "a\\|\u{301}b"), ("`x`", #"\`x\`"#), ("a\nb\r\nc", "a b  c"),
    ("<b>&lt;", #"\<b\>\&lt;"#), ("*a* _b_ c_d", #"\*a\* \_b\_ c_d"#), ("[x](y)", #"\[x\](y)"#),
    ("a\u{0}\u{1B}[31m", #"a␀␛\[31m"#), ("a\u{202E}b\u{2066}", "a⟨U+202E⟩b⟨U+2066⟩"),
    ("a\u{2028}b\u{85}", "a b⟨U+0085⟩"), (#"\"#, #"\\"#), ("-1.5", "-1.5"), ("# x", "# x"),
  ])
  func `of Markdown is one line without markup`(text: String, field: String) {
    #expect(TextField.markdown(text) == field)
  }

  @Test(arguments: [
    ("- a", #"\- a"#), ("+ a", #"\+ a"#), ("  # a", "\\# a"), ("12. a", #"12\. a"#),
    ("1) a", #"1\) a"#), ("12 a", "12 a"), ("    a", "a"), ("", ""), ("====", #"\===="#),
  ])
  func `of Markdown begins no list, heading or code at the start of a line`(
    text: String, field: String
  ) {
    #expect(TextField.markdown(text, startsLine: true) == field)
  }

  @Test(arguments: [
    ("plain", "\"plain\""), ("a\"b\\c", #""a\"b\\c""#), ("\u{1}\n", #""\u0001\u000a""#),
    ("é/", "\"é/\""),
  ])
  func `of JSON escapes what it must`(text: String, field: String) {
    #expect(String(decoding: TextField.json(text), as: UTF8.self) == field)
  }

  @Test func `a JSON line ends with a line end and sorts its members`() throws {
    let line = try TextField.jsonLine(["b": 1, "a": [true, nil]])
    #expect(String(decoding: line, as: UTF8.self) == "{\"a\":[true,null],\"b\":1}\n")
  }
}

struct `Text table` {
  private let table = TextTable(header: ["group", "n"], rows: [["a|b", "1"], ["c", "200"]])

  @Test func `is aligned for a terminal`() {
    #expect(table.plain == "group    n\na|b      1\nc      200")
  }

  @Test func `has one line a row, whatever is in a cell`() {
    let table = TextTable(header: ["a\nb", "n"], rows: [["c\rd\u{1B}[2J", "1\u{202E}"]])
    #expect(table.plain == "a b              n\nc d␛[2J  1⟨U+202E⟩")
    #expect(table.markdown == "| a b | n |\n| --- | ---: |\n| c d␛\\[2J | 1⟨U+202E⟩ |")
  }

  @Test func `escapes bars in Markdown`() {
    #expect(table.markdown == "| group | n |\n| --- | ---: |\n| a\\|b | 1 |\n| c | 200 |")
  }
}
