import ShardIO
import SystemPackage
import TestSupport
import Testing

@Suite struct StageDirectoryTests {
  static let table = Table(
    kind: "items", rowCount: 3,
    columns: [
      .strings("item-id", ["a", "ß", ""]),
      .fixed("vector", [1, 2, 3, 4, 5, 6] as [Float], width: 2),
      .ragged("neighbours", RaggedArray([[1, 2], [], [3]] as [[UInt32]])),
      .stringLists("categories", [["x", "y"], [], ["z"]]),
    ])

  @Test func `what a stage commits is what the next one reads`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("run/1-preprocess")
      var output = try StageOutput(directory: path, stage: "preprocess")
      try output.write(Self.table)
      try output.writeFile("report.json", Array("{}".utf8))
      try output.commit(configuration: ["seed": 42], inputs: [], counters: ["rows": 3])

      let input = try StageInput(directory: path, expecting: "preprocess")
      let table = try input.table("items")
      #expect(table == Self.table)
      #expect(try table.strings("item-id") == ["a", "ß", ""])
      #expect(try table.fixed("vector", as: Float.self) == [1, 2, 3, 4, 5, 6])
      #expect(try table.width(of: "vector") == 2)
      #expect(try table.ragged("neighbours", as: UInt32.self) == RaggedArray([[1, 2], [], [3]]))
      #expect(try table.stringLists("categories") == [["x", "y"], [], ["z"]])
      #expect(try input.file("report.json") == Array("{}".utf8))
      #expect(try readWholeFile(path.appending("report.json")) == Array("{}".utf8))
      #expect(input.manifest.configuration == ["seed": 42])
    }
  }
}
