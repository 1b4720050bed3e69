import ArgumentParser
import Dataset
import Retrieval
import ShardIO
import SystemPackage
import TestSupport
import Testing
import TextInput

@testable import Evaluate

@Suite struct RecommendationTests {
  /// The four users, with a text vector an item: 3 points away from 2, and 5, 6 and 7 across.
  let data: PreprocessedData = {
    var data = FourUsers.data
    data.vectors = ItemVectors(
      values: [1, 0, 1, 0, 1, 0, -1, 0, 1, 0, 0, 1, 0, 1, 0, 1], width: 2)
    return data
  }()

  /// The whole sequences are the histories now; two of them are known to the model.
  let model = TableModel(
    rows: [
      [0, 1, 4]: [9, 9, 6, 2, 9, 5, 5, 0],
      [5, 5, 0, 1, 2, 3, 7, 5, 5, 5, 6]: [0, 0, 0, 0, 1.5, 0, 2, 0],
    ], itemCount: 8)

  /// The recommendations file that these options make for the four users, decompressed.
  func text(_ arguments: String..., allowsRepeats: Bool = false) throws -> String {
    try withTemporaryDirectory { directory in
      try run(arguments, in: directory, allowsRepeats: allowsRepeats).text
    }
  }

  func run(
    _ arguments: [String], in directory: FilePath, allowsRepeats: Bool = false
  ) throws -> (text: String, counts: RecommendationWriter.Counts, unknownItems: Int) {
    let options = try RecommendationOptions.parse(arguments)
    let writer = try #require(
      try options.plan(
        ListItems(data, vectors: model.itemVectors(threads: 1)), histories: data,
        allowsRepeats: allowsRepeats, threads: 2))
    var output = try StageOutput(directory: directory, stage: "evaluate")
    let counts = try writer.write(
      .vectors(model), items: model.itemVectors(threads: 1), to: &output
    ) { _ in }
    try output.commit(configuration: [:], inputs: [], counters: [:])
    let name = "recommendations.\(writer.encoding.fileExtension)"
    let bytes = try ByteStream(directory.appending(name).string).readAll(limit: 1 << 20)
    return (String(decoding: bytes, as: UTF8.self), counts, writer.audience.unknownItemCount)
  }

  /// The items that a user is given.
  func items(_ user: String, _ arguments: String..., allowsRepeats: Bool = false) throws -> [String]
  {
    try withTemporaryDirectory { directory in
      try run(
        arguments + ["--recommend-format", "jsonl"], in: directory, allowsRepeats: allowsRepeats
      )
      .text.split(separator: "\n")
      .map { try JSONValue(parsing: Array($0.utf8), path: "line") }
      .first { $0["user_id"]?.stringValue == user }
      .flatMap { $0["items"]?.arrayValue?.compactMap { $0["item_id"]?.stringValue } } ?? []
    }
  }

  @Test func `CSV has the user's own ids, quoted where needed, and nothing of the history`() throws
  {
    #expect(
      try text("--recommend", "2") == """
        user_id,rank,item_id,score
        ann,1,i2,6.0
        ann,2,"i""5",5.0
        bob,1,i1,0.0
        bob,2,i2,0.0
        \"""cy""\",1,"i,4",1.5
        "d,e",1,i0,0.0
        "d,e",2,i3,0.0

        """)
  }

  @Test func `JSON lines have one user a line`() throws {
    let lines = try text("--recommend", "2", "--recommend-format", "jsonl").split(separator: "\n")
    #expect(lines.count == 4)
    #expect(
      lines[0] == """
        {"user_id":"ann","items":[{"item_id":"i2","score":6.0},{"item_id":"i\\"5","score":5.0}]}
        """)
    #expect(lines[2] == #"{"user_id":"\"cy\"","items":[{"item_id":"i,4","score":1.5}]}"#)
    for line in lines { _ = try JSONValue(parsing: Array(line.utf8), path: "line") }
  }

  @Test func `control characters of an id survive in JSON`() {
    let field = RecommendationFormat.jsonl.field("a\u{1}\n\\é")
    #expect(String(decoding: field, as: UTF8.self) == "\"a\\u0001\\u000a\\\\é\"")
    #expect(
      String(decoding: RecommendationFormat.csv.field("a\nb"), as: UTF8.self) == "\"a\nb\"")
  }

  @Test func `titles are written when wanted`() throws {
    let lines = try text("--recommend", "1", "--recommend-titles").split(separator: "\n")
    #expect(lines[0] == "user_id,rank,item_id,score,title")
    #expect(lines[1] == "ann,1,i2,6.0,Item 2")
  }

  @Test(arguments: ["gzip", "zstd"])
  func `compressed output is the same text`(compression: String) throws {
    #expect(
      try text("--recommend", "2", "--recommend-compression", compression)
        == text("--recommend", "2"))
  }

  // Ann's items by score: 2 (6), 5 and 6 (5), 3 (2), 7 (0); 0, 1 and 4 are her history.
  @Test func `filters choose among the items`() throws {
    #expect(try items("ann", "--recommend", "3") == ["i2", "i\"5", "i6"])
    #expect(try items("ann", "--recommend", "8", allowsRepeats: true).count == 8)
    #expect(try items("ann", "--recommend", "2", "--category", "coffee") == ["i\"5", "i6"])
    #expect(
      try items("ann", "--recommend", "3", allowsRepeats: true) == ["i0", "i1", "i,4"])
    try withTemporaryDirectory { directory in
      let path = directory.appending("items.txt")
      try write(Array("i3\r\n\ni6\nunheard-of\n".utf8), to: path)
      #expect(try items("ann", "--recommend", "2", "--allow-items", path.string) == ["i6", "i3"])
      #expect(
        try items("ann", "--recommend", "2", "--block-items", path.string) == ["i2", "i\"5"])
    }
    // Item 6 is first seen at second 1,600,000,010, item 7 at 1,600,000,006.
    #expect(try items("ann", "--recommend", "1", "--newer-than", "1600000007") == ["i6"])
    #expect(throws: PipelineError.noItemsLeft()) { try text("--recommend", "1", "--category", "x") }
  }

  @Test(arguments: [
    "\u{FEFF}i3\ni6\n", "\"i3\"\n\"i6\"\n", "i3 \ni6\t\n", "i3,sold out\ni6,\n", "i3\tx\ni6\ty\n",
    "i3\ri6\r",
    "item_id\ni3\ni6\n",
  ])
  func `lists of items are read however programs write them`(text: String) throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("items.txt")
      try write(Array(text.utf8), to: path)
      #expect(
        try items("ann", "--recommend", "2", "--block-items", path.string) == ["i2", "i\"5"])
    }
  }

  @Test(arguments: ["--block-items", "--allow-items"])
  func `a list without a known item is refused`(option: String) throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("items.txt")
      try write(Array("I3\nunheard-of\n".utf8), to: path)
      let error = #expect(throws: PipelineError.self) {
        try text("--recommend", "2", option, path.string)
      }
      #expect(error?.kind == .dataFormat)
      #expect(error?.note == "the data have 'i3'; ids must agree letter by letter")
    }
  }

  @Test func `categories are limited and likeness is punished`() throws {
    #expect(
      try items("ann", "--recommend", "3", "--max-per-category", "1") == ["i2", "i\"5"])
    #expect(
      try items("ann", "--recommend", "3", "--max-per-category", "2") == ["i2", "i\"5", "i6"])
    // Relevance 6/6, 5/6, 5/6, 2/6, 0. After 2: 3 points the other way, 1/6 + 1/2; 5 has 5/12 − 0. Then 5 and 6 tie at 5/12.
    #expect(try items("ann", "--recommend", "3", "--mmr", "0.5") == ["i2", "i3", "i\"5"])
  }

  @Test func `new users are told from a file, and those without a known item get popular items`()
    throws
  {
    try withTemporaryDirectory { directory in
      let path = directory.appending("histories.jsonl")
      let lines = """
        \u{FEFF}{"user_id": "new", "items": ["i0", "i1", "gone", "i,4"]}
        {"user_id": "blank", "items": ["gone"]}
        """
      try write(Array(lines.utf8), to: path)
      let result = try run(
        ["--recommend", "2", "--recommend-histories", path.string],
        in: directory.appending("out"))
      #expect(
        result.text == """
          user_id,rank,item_id,score
          new,1,i2,6.0
          new,2,"i""5",5.0
          blank,1,i0,
          blank,2,i1,

          """)
      #expect(result.counts == .init(userCount: 2, fallbackCount: 1))
      #expect(result.unknownItems == 2)
      try write(Array("{\"user_id\": 3}\n".utf8), to: path)
      #expect(throws: PipelineError.notAHistory(path.string, line: 1)) {
        try run(["--recommend", "2", "--recommend-histories", path.string], in: directory)
      }
    }
  }

  @Test func `a list of users is followed in its order, and an unknown one is named`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("users.txt")
      try write(Array("d,e\nann\n".utf8), to: path)
      let text = try text("--recommend", "1", "--recommend-users", path.string)
      #expect(text == "user_id,rank,item_id,score\n\"d,e\",1,i0,0.0\nann,1,i2,6.0\n")
      try write(Array("ann\nzoe\nyan\n".utf8), to: path)
      #expect(
        throws: PipelineError(
          .dataFormat, "the data have no user 'zoe'", at: .init(path: path.string, line: 2),
          note: "and 1 more of the file; give new users with --recommend-histories")
      ) {
        try run(["--recommend", "1", "--recommend-users", path.string], in: directory)
      }
    }
  }

  @Test func `a limit by category needs categories`() throws {
    var bare = data
    bare.catalogue.categories = data.catalogue.categories.map { _ in [] }
    let options = try RecommendationOptions.parse(["--recommend", "1", "--max-per-category", "1"])
    #expect(throws: PipelineError.noCategories("--max-per-category")) {
      try options.plan(
        ListItems(bare, vectors: model.itemVectors(threads: 1)), histories: bare,
        allowsRepeats: false, threads: 1)
    }
  }

  @Test func `a list longer than the items to choose from has all of them`() throws {
    #expect(try text("--recommend", "9") == text("--recommend", "8"))
    let tea = ["--category", "tea"]
    #expect(
      try text("--recommend", "5", tea[0], tea[1]) == text("--recommend", "4", tea[0], tea[1]))
  }

  @Test(arguments: [
    ["--recommend-format", "jsonl"], ["--recommend-compression", "gzip"], ["--recommend-titles"],
    ["--recommend-users", "u"], ["--recommend-histories", "h"], ["--allow-items", "a"],
    ["--block-items", "b"], ["--category", "tea"], ["--newer-than", "2014-01-01"],
    ["--max-per-category", "1"], ["--mmr", "0.5"],
  ])
  func `options of lists are refused where none are written`(options: [String]) throws {
    let error = try #require(throws: (any Error).self) {
      try RecommendationOptions.parse(options)
    }
    #expect(
      RecommendationOptions.message(for: error) == "'\(options[0])' needs '--recommend'.")
    _ = try RecommendationOptions.parse(options + ["--recommend", "1"])
  }
}
