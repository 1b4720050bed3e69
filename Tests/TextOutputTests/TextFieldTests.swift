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

  @Test func `escapes bars in Markdown`() {
    #expect(table.markdown == "| group | n |\n| --- | ---: |\n| a\\|b | 1 |\n| c | 200 |")
  }
}
