import Dataset
import ShardIO
import SystemPackage
import TestSupport
import Testing
import TextInput

@testable import Preprocess

struct `Text template` {
  private let fields = ["title": "Lamp", "brand": "", "text": "Bright"]

  private func text(_ template: String) throws -> String {
    try TextTemplate(template).text { fields[$0] ?? "" }
  }

  @Test(arguments: [
    ("{title}. {text}", "Lamp. Bright"), ("{title}. {brand}. {text}", "Lamp. Bright"),
    ("{brand}. {text}", "Bright"), ("{title}. {brand}", "Lamp"), ("{title}!", "Lamp!"),
    ("A {title}", "A Lamp"), ("plain", "plain"), ("{nothing}", ""),
  ])
  func `leaves out empty fields with the text after them`(template: String, expected: String) throws
  {
    #expect(try text(template) == expected)
  }

  @Test(arguments: ["{", "{}", "{a", "a{b{c}", "{a}{"])
  func `braces that enclose no field are refused`(template: String) {
    #expect(throws: PipelineError.self) { try TextTemplate(template) }
  }
}

struct `Item files` {
  private func read(
    _ text: String, _ change: (inout ItemSettings) -> Void = { _ in }
  ) throws
    -> ItemTable
  {
    try withTemporaryDirectory { directory in
      let path = directory.appending("items")
      try write(Array(text.utf8), to: path)
      var settings = ItemSettings(template: try TextTemplate(TextTemplate.usual))
      change(&settings)
      return try ItemReader.read(path.string, settings)
    }
  }

  @Test func `JSON lines, with lists within lists and numbers`() throws {
    let table = try read(
      #"""
      {"item_id": "a", "title": "T", "categories": [["Home", "Lamps"], ["Gifts"]], "description": ["One.", "Two."]}

      {"item_id": 17, "title": null, "categories": "Toys", "price": 3}
      {"item_id": "a", "title": "again"}
      """#)
    #expect((0..<2).map { table.ids.text($0) } == ["a", "17"])
    #expect(table.titles == ["T", ""])
    #expect(table.categories == [["Home", "Lamps", "Gifts"], ["Toys"]])
    #expect(table.texts == ["T. Home, Lamps, Gifts. One., Two.", "Toys"])
    #expect(table.repeatedCount == 1)
  }

  @Test func `CSV and RecBole's .item`() throws {
    let csv = try read("item_id,title,genres\n1,\"Heat, 1995\",Action|Crime\n2,Up,\n")
    #expect(csv.titles == ["Heat, 1995", "Up"])
    #expect(csv.categories == [["Action", "Crime"], []])
    let recbole = try read("item_id:token\tmovie_title:token_seq\n1\tHeat\n")
    #expect(recbole.titles == ["Heat"])
  }

  @Test(arguments: [
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n1\tToy Story\t1995\tAnimation Comedy\n",
    "movieId,title,genres,release_year\n1,Toy Story,Animation|Comedy,1995\n",
    "Item ID;Title;Genre;release_year\n1;Toy Story;Animation|Comedy;1995\n",
    #"{"item_id": 1, "Title": "Toy Story", "genres": ["Animation", "Comedy"], "release_year": 1995}"#,
  ])
  func `titles and categories of every format are found and make the same text`(
    text: String
  ) throws {
    let table = try read(text)
    #expect(table.ids.text(0) == "1")
    #expect(table.titles == ["Toy Story"])
    #expect(table.categories == [["Animation", "Comedy"]])
    #expect(table.texts == ["Toy Story. Animation, Comedy"])
    #expect(table.unusedNames.map(UsualNames.withoutType) == ["release_year"])
  }

  @Test func `fields that are named are those of the text as well`() throws {
    let table = try read("item_id,label,path,overview\na,L,x|y,O\n") {
      $0.titleField = "label"
      $0.categoriesField = "path"
    }
    #expect(table.texts == ["L. x, y. O"])
    #expect(table.unusedNames.isEmpty)
  }

  @Test(arguments: [
    #"{"item_id": "a", "title": "T"}"#, "item_id,title\na,T\n",
    "item_id:token\ttitle:token\na\tT\n",
  ])
  func `a field that was named must be there`(text: String) throws {
    _ = try read(text) { $0.namedFields = ["title"] }
    let error = #expect(throws: PipelineError.self) {
      try read(text) { $0.namedFields = ["title", "colour"] }
    }
    #expect(error?.kind == .dataFormat)
    #expect(error?.message == "no item has the field 'colour'")
  }

  @Test func `fields go by the names that are given`() throws {
    let table = try read(#"{"sku": "s1", "label": "L", "path": ["p"]}"#) {
      $0.idField = "sku"
      $0.titleField = "label"
      $0.categoriesField = "path"
    }
    #expect(table.ids.text(0) == "s1" && table.titles == ["L"] && table.categories == [["p"]])
  }
}

struct `Vectors` {
  private func read(
    _ array: [UInt8], ids: String, targets: [UInt32?], count: Int
  ) throws -> ItemVectors {
    try withTemporaryDirectory { directory in
      try write(array, to: directory.appending("v.npy"))
      try write(Array(ids.utf8), to: directory.appending("ids.txt"))
      let reader = try VectorReader(
        vectors: directory.appending("v.npy").string,
        idList: directory.appending("ids.txt").string, field: nil)
      return try reader.read(targets, count: count)
    }
  }

  @Test func `rows go to their items, others are skipped`() throws {
    let vectors = try read(
      numpyArray([1, 2, 3, 4, 5, 6], rows: 3), ids: "a\r\nb\nc", targets: [1, nil, 0], count: 2)
    #expect(vectors == ItemVectors(values: [5, 6, 1, 2], width: 2))
  }

  @Test(arguments: [1, 2, 3])
  func `all format versions and widths of numbers`(version: UInt8) throws {
    for (type, bytes) in [
      ("<f2", [0x00, 0x3C, 0x00, 0xC1]), ("<f4", [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0]),
      ("<f8", [0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0x04, 0xC0]),
    ] as [(String, [UInt8])] {
      let text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (1, 2), }\n".utf8)
      let length = [UInt8(text.count), 0] + (version == 1 ? [] : [0, 0])
      let array = [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + bytes
      let vectors = try read(array, ids: "a\n", targets: [0], count: 1)
      #expect(vectors.values == [1, -2.5])
    }
  }

  @Test func `any change of a header is refused or read, never a trap`() throws {
    let array = numpyArray([1, 2], rows: 1)
    try withEvery("bit", in: 0..<(128 * 8)) { bit in
      var damaged = array
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      _ = try? NumpyHeader(damaged, path: "v.npy").layout(path: "v.npy")
    }
    for count in 0..<128 { _ = try? NumpyHeader(Array(array.prefix(count)), path: "v.npy") }
  }
}
