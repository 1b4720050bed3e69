import Dataset
import ShardIO
import TestSupport
import Testing

@testable import Evaluate

@Suite struct RecommendationTests {
  /// The whole sequences are the histories now; two of them are known to the model.
  let model = TableModel(
    rows: [
      [0, 1, 4]: [9, 9, 6, 2, 9, 5, 5, 0],
      [5, 5, 0, 1, 2, 3, 7, 5, 5, 5, 6]: [0, 0, 0, 0, 1.5, 0, 2, 0],
    ], itemCount: 8)

  func text(_ format: RecommendationFormat, count: Int) throws -> String {
    try withTemporaryDirectory { directory in
      var output = try StageOutput(directory: directory, stage: "evaluate")
      try RecommendationWriter(format: format, count: count, threads: 1).write(
        FourUsers.data, model: model, items: model.itemVectors(threads: 1), to: &output
      ) { _ in }
      try output.commit(configuration: [:], inputs: [], counters: [:])
      let input = try StageInput(directory: directory, expecting: "evaluate")
      return String(decoding: try input.file(format.fileName), as: UTF8.self)
    }
  }

  @Test func `CSV has the user's own ids, quoted where needed, and nothing of the history`() throws
  {
    #expect(
      try text(.csv, count: 2) == """
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
    let lines = try text(.jsonl, count: 2).split(separator: "\n")
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
}
