import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import TextInput

/// All records of a text.
private func records(
  _ text: String, _ format: DelimitedFormat = .commaSeparated, fieldCount: Int? = nil
) -> [[String]] {
  let bytes = Array(text.utf8)
  var scanner = DelimitedScanner(format, fieldCount: fieldCount)
  var position = 0
  var found: [[String]] = []
  while position < bytes.count {
    position = scanner.scan(bytes.span, from: position)
    found.append(
      scanner.fields.map { field in
        let content =
          field.hasEscapes
          ? unescapedQuotes(bytes.span, field.range) : Array(bytes[field.range])
        return String(decoding: content, as: UTF8.self)
      })
  }
  return found
}

/// The fault of the first record of a text.
private func fault(_ text: String) -> RecordFault? {
  let bytes = Array(text.utf8)
  var scanner = DelimitedScanner(.commaSeparated)
  _ = scanner.scan(bytes.span, from: 0)
  return scanner.fault
}

struct `Delimited text` {
  @Test(arguments: [
    ("a,b,c\n", [["a", "b", "c"]]),
    ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
    ("a,,\n,\n", [["a", "", ""], ["", ""]]),
    ("a,b,", [["a", "b", ""]]),
    ("\"a\",\"b,c\",\"d\ne\"\n", [["a", "b,c", "d\ne"]]),
    ("\"a\"\"b\",\"\"\"\"\n", [["a\"b", "\""]]),
    ("\"\",x\r\n\"y\"\r\n", [["", "x"], ["y"]]),
    ("\n\na\n", [[""], [""], ["a"]]),
    ("a\rb,c\n", [["a\rb", "c"]]),
  ])
  func `is cut as RFC 4180 says`(text: String, expected: [[String]]) {
    #expect(records(text) == expected)
  }

  @Test(arguments: [
    // As pandas, Spark and R write it where a field needs quotes.
    ("\"a\tb\"\t\"c \"\"d\"\"\"\n", [["a\tb", "c \"d\""]]),
    ("\"a\nb\"\tc\nd\te\n", [["a\nb", "c"], ["d", "e"]]),
    ("\"say \\\"hi\\\"\"\tx\n", [["say \"hi\"", "x"]]),
    // As others write it, without quotes.
    ("a\"b\t\"c\n", [["a\"b", "\"c"]]),
    ("\"Weird Al\" Yankovic\tb\nc\td\n", [["\"Weird Al\" Yankovic", "b"], ["c", "d"]]),
    ("a\t\"open\n12\"\tb\n", [["a", "\"open"], ["12\"", "b"]]),
  ])
  func `by tabs may be quoted or not`(text: String, expected: [[String]]) {
    #expect(records(text, .tabSeparated, fieldCount: 2) == expected)
  }

  @Test func `may have quotes after a backslash, and backslashes before a closing quote`() {
    #expect(records("\"say \\\"hi\\\"\",x\n") == [["say \"hi\"", "x"]])
    #expect(records("\"C:\\\",x\n\"D:\\\"\"\",y\n") == [["C:\\", "x"], ["D:\\\"", "y"]])
  }

  @Test(arguments: [
    "v,5\" tv,1\n", "v,\"5 inch,1\n", "v,\"5\" inch,1\n", "v,\"5 inch,1,\"2\",\n",
    "\"v,i,1\n", "v,i,\"1\n", "v,\"\"\"i,1\n",
  ])
  func `that breaks the rule of quotes is its first line alone`(line: String) {
    let good = "a,b,2\nc,\"d, e\",3\n\"f\ng\",h,4\n"
    let bytes = Array((line + good).utf8)
    var scanner = DelimitedScanner(.commaSeparated, fieldCount: 3)
    let end = scanner.scan(bytes.span, from: 0)
    #expect(scanner.fault != nil && scanner.lineCount == 1)
    #expect(end == line.utf8.count)
    #expect(
      records(String(decoding: bytes[end...], as: UTF8.self), fieldCount: 3)
        == [["a", "b", "2"], ["c", "d, e", "3"], ["f\ng", "h", "4"]])
  }

  @Test func `double colons are one delimiter`() {
    #expect(records("1::a:b::c\n2::::x\n", .movieLens) == [["1", "a:b", "c"], ["2", "", "x"]])
  }

  @Test func `faults are told with their byte`() {
    #expect(fault("a,\"b\n") == .unterminatedQuote(offset: 2))
    #expect(fault("a,\"b\"c\n") == .textAfterQuote(offset: 5))
    #expect(fault("a,b\"c\n") == .strayQuote(offset: 3))
    #expect(fault("ä,b\n") == nil)
  }

  @Test func `what is written is read again`() throws {
    try withEvery("seed", in: 0..<300) { seed in
      var random = SeededGenerator(seed: seed)
      let alphabet = Array("ab,\"\n\r é")
      let rows = (0..<Int.random(in: 1..<6, using: &random)).map { _ in
        (0..<Int.random(in: 2..<5, using: &random)).map { _ in
          String(
            (0..<Int.random(in: 0..<6, using: &random)).map { _ in
              alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            })
        }
      }
      let text = rows.map { row in
        row.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ",") + "\n"
      }.joined()
      try #require(records(text) == rows)
    }
  }

  @Test func `any bytes end in records or faults`() throws {
    try withEvery("seed", in: 0..<500) { seed in
      var random = SeededGenerator(seed: seed)
      let alphabet = Array("a,\"\n\r:".utf8) + [0xC3, 0xA9, 0xFF]
      let bytes = (0..<Int.random(in: 0..<60, using: &random)).map { _ in
        alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
      }
      for format in [DelimitedFormat.commaSeparated, .tabSeparated, .movieLens] {
        var scanner = DelimitedScanner(format)
        var position = 0
        while position < bytes.count {
          let next = scanner.scan(bytes.span, from: position)
          try #require(next > position && next <= bytes.count)
          position = next
        }
      }
    }
  }
}

struct `Chunks` {
  @Test(arguments: [1, 2, 3, 7, 64])
  func `end with whole records, whatever their size`(byteCount: Int) throws {
    let text = "a,b\n\"c\nd\",e\n\n\"f\"\"\n\",g\nlast,\"x\n\""
    try withTemporaryDirectory { directory in
      let path = directory.appending("log.csv")
      try write(Array(text.utf8), to: path)
      var reader = ChunkReader(
        try ByteStream(path.string), scanner: DelimitedScanner(.commaSeparated),
        byteCount: byteCount)
      var chunks: [String] = []
      while let chunk = try reader.next() {
        #expect(chunk.index == chunks.count)
        chunks.append(String(decoding: chunk.bytes, as: UTF8.self))
      }
      #expect(chunks.joined() == text)
      #expect(chunks.flatMap { records($0) } == records(text))
    }
  }

  /// The fields of all records, or nil for a faulty one.
  fileprivate func outcomes(_ bytes: [UInt8], _ scanner: DelimitedScanner) -> [[String]?] {
    var scanner = scanner
    var position = 0
    var found: [[String]?] = []
    while position < bytes.count {
      position = scanner.scan(bytes.span, from: position)
      let fields = scanner.fields.map { field in
        String(decoding: bytes[field.range], as: UTF8.self)
      }
      found.append(scanner.fault == nil ? fields : nil)
    }
    return found
  }

  @Test func `never cut a record, whatever the quotes`() throws {
    try withEvery("seed", in: 0..<600) { seed in
      var random = SeededGenerator(seed: seed)
      let pieces = [
        "a", ",", "\t", "\"", "\"\"", "\n", "\r\n", "\\", ",\"", "\",", "\t\"", "b,c\n",
      ]
      let text = (0..<Int.random(in: 1..<80, using: &random)).map { _ in
        pieces[Int.random(in: 0..<pieces.count, using: &random)]
      }.joined()
      let bytes = Array(text.utf8)
      for format in [DelimitedFormat.commaSeparated, .tabSeparated] {
        let scanner = DelimitedScanner(format, fieldCount: Int.random(in: 1...3, using: &random))
        let expected = outcomes(bytes, scanner)
        for byteCount in [1, 2, 3, 5, 8, 13, 64] {
          var reader = ChunkReader(
            ByteStream(bytes, name: "text"), scanner: scanner, byteCount: byteCount)
          var found: [[String]?] = []
          while let chunk = try reader.next() { found += outcomes(chunk.bytes, scanner) }
          try #require(found == expected, "\(text) in pieces of \(byteCount)")
        }
      }
    }
  }
}

extension `Chunks` {
  @Test func `give up a quote that is not closed within the limit, and lose its line alone`()
    throws
  {
    let rows = (0..<2000).map { "u\($0),\"i\($0)\",\($0)\n" }
    for bad in ["v,\"open,1\n", "v,5\" tv,1\n"] {
      // Quotes behind the open one would end its field, so the rows there have none.
      let plain = rows.map { $0.replacing("\"", with: "") }
      let text = rows.joined() + bad + plain.joined()
      let scanner = DelimitedScanner(.commaSeparated, fieldCount: 3)
      var reader = ChunkReader(
        ByteStream(Array(text.utf8), name: "text"), scanner: scanner, byteCount: 256, limit: 4096)
      var found: [[String]] = []
      var badCount = 0
      while let chunk = try reader.next() {
        for outcome in outcomes(chunk.bytes, scanner) {
          if let outcome { found.append(outcome) } else { badCount += 1 }
        }
      }
      #expect(badCount == 1)
      let expected = (0..<2000).map { ["u\($0)", "i\($0)", "\($0)"] }
      #expect(found == expected + expected)
    }
  }
}

struct `Id table` {
  @Test func `numbers strings in the order of their first sight`() throws {
    try withEvery("seed", in: 0..<5) { seed in
      var random = SeededGenerator(seed: seed)
      var table = IdentifierTable()
      var expected: [[UInt8]: UInt32] = [:]
      for _ in 0..<2000 {
        let length = Int.random(in: 0..<40, using: &random)
        let key = (0..<length).map { _ in UInt8.random(in: 0..<3, using: &random) }
        let number = expected[key] ?? UInt32(expected.count)
        try #require(table.find(key) == expected[key])
        expected[key] = number
        try #require(table.insert(key) == number)
        try #require(Array(table[number]) == key)
      }
      try #require(table.count == expected.count)
      let sorted = table.sortedNumbers().map { Array(table[$0]) }
      try #require(sorted == expected.keys.sorted { $0.lexicographicallyPrecedes($1) })
    }
  }

  @Test func `finds strings inside of a text, also at its end`() {
    let bytes = Array("abcdefghijklmnopqrstuvwxyz".utf8)
    var table = IdentifierTable()
    for start in 0..<26 {
      for end in start...26 {
        let number = table.insert(bytes.span, start..<end)
        #expect(table.insert(bytes[start..<end]) == number)
      }
    }
    // All substrings of different letters are distinct, but the empty one.
    #expect(table.count == 26 * 27 / 2 + 1)
  }

  @Test func `many strings at once get the numbers that one by one would give`() throws {
    try withEvery("seed", in: 0..<10) { seed in
      var random = SeededGenerator(seed: seed)
      let text = (0..<4000).map { _ in UInt8.random(in: 0x61...0x63, using: &random) }
      let fields = (0..<700).map { _ in
        let start = Int.random(in: 0..<3970, using: &random)
        return FieldRange(start: start, end: start + Int.random(in: 0...30, using: &random))
      }
      var one = IdentifierTable()
      var many = IdentifierTable()
      let expected = fields.map { one.insert(text.span, $0.range) }
      var numbers: [UInt32] = []
      many.insert(text.span, Array(fields.prefix(400)), into: &numbers)
      many.insert(text.span, Array(fields.dropFirst(400)), into: &numbers)
      try #require(numbers == expected)
    }
  }
}

struct `Sorted ids` {
  @Test func `join two lists in the order of their bytes`() throws {
    try withEvery("seed", in: 0..<20) { seed in
      var random = SeededGenerator(seed: seed)
      var tables = [IdentifierTable(), IdentifierTable()]
      var names = [[[UInt8]](), [[UInt8]]()]
      for list in 0..<2 {
        for _ in 0..<Int.random(in: 0..<300, using: &random) {
          let count = Int.random(in: 0..<24, using: &random)
          let name = (0..<count).map { _ in UInt8.random(in: 0..<3, using: &random) }
          if tables[list].insert(name) == names[list].count { names[list].append(name) }
        }
      }
      let (first, firstRanks) = SortedIdentifiers.sorting(tables[0])
      let (second, secondRanks) = SortedIdentifiers.sorting(tables[1])
      let (merged, left, right) = SortedIdentifiers.merging(first, second)
      let all = (0..<UInt32(merged.count)).map { Array(merged[$0]) }
      try #require(all == Set(names.joined()).sorted { $0.lexicographicallyPrecedes($1) })
      for (number, name) in names[0].enumerated() {
        try #require(all[Int(left[Int(firstRanks[number])])] == name)
      }
      for (number, name) in names[1].enumerated() {
        try #require(all[Int(right[Int(secondRanks[number])])] == name)
      }
    }
  }
}

struct `Plain records` {
  /// Fields by way of the finder where it finds some, else by the scanner.
  private func both(_ bytes: [UInt8], _ format: DelimitedFormat) -> [[String]] {
    var scanner = DelimitedScanner(format)
    var plain = PlainRecords(format, fieldCount: 3)
    var found: [[String]] = []
    var position = 0
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    while position < bytes.count {
      plain?.find(bytes.span, from: position)
      if let plain, plain.count > 0 {
        for record in 0..<plain.count {
          found.append((0..<3).map { text(plain.field(bytes.span, record, $0).range) })
        }
        position = plain.start(of: plain.count)
      } else {
        position = scanner.scan(bytes.span, from: position)
        found.append(scanner.fields.map { text($0.range) } + (scanner.fault == nil ? [] : ["!"]))
      }
    }
    return found
  }

  @Test func `are those that the scanner finds`() throws {
    try withEvery("seed", in: 0..<300) { seed in
      var random = SeededGenerator(seed: seed)
      let pieces = [
        "a,b,c\n", "12,,x\r\n", ",,\n", "\"q\",r,s\n", "é,b,c\n", "a,b\n", "\n", "a\"b,c,d\n",
        "a\tb\tc\n",
      ]
      let text =
        (0..<Int.random(in: 1..<400, using: &random)).map { _ in
          pieces[Int.random(in: 0..<(seed.isMultiple(of: 2) ? 2 : pieces.count), using: &random)]
        }.joined() + (seed.isMultiple(of: 3) ? "x,y,z" : "")
      let bytes = Array(text.utf8)
      for format in [DelimitedFormat.commaSeparated, .tabSeparated] {
        var scanner = DelimitedScanner(format)
        var expected: [[String]] = []
        var position = 0
        while position < bytes.count {
          position = scanner.scan(bytes.span, from: position)
          expected.append(
            scanner.fields.map { String(decoding: bytes[$0.range], as: UTF8.self) }
              + (scanner.fault == nil ? [] : ["!"]))
        }
        try #require(both(bytes, format) == expected)
      }
    }
  }
}

struct `UTF-8` {
  @Test func `the first bad byte is found as the standard library finds one`() throws {
    try withEvery("seed", in: 0..<500) { seed in
      var random = SeededGenerator(seed: seed)
      let pieces: [[UInt8]] = [
        [0x41], [0xC3, 0xA9], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x98, 0x80], [0xC0, 0x80], [0x80],
        [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE0, 0x80, 0x80], [0xF5], [0xC3],
        [0xE2, 0x82],
      ]
      let bytes = (0..<3).flatMap { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }
      let isValid = String(validating: bytes, as: UTF8.self) != nil
      try #require((firstInvalidUTF8(bytes.span, 0..<bytes.count) == nil) == isValid)
    }
  }
}
