import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import TextInput

struct `A list of ids` {
  private let known: Set<String> = ["i1", "i,2", "\"q\"", "7", "É", " s"]

  private func read(_ bytes: [UInt8]) throws -> IdentifierList {
    try withTemporaryDirectory { directory in
      try write(bytes, to: directory.appending("ids.txt"))
      return try IdentifierList(directory.appending("ids.txt").string)
    }
  }

  @Test(arguments: [
    "i1\n7\n", "\u{FEFF}i1\n7", "\"i1\"\n\"7\"\n", "i1 \n 7\t\n", "i1\r\n\r\n7\r\n", "i1\r7\r",
    "i1,sold out\n7,\"a, b\"\n", "i1\tx\n7\ty\n", "\"i1\",x\n\"7\";y\n", "item_id\ni1\n7\n",
    "\"item_id\",\"why\"\n\"i1\",\"x\"\n\"7\",\n",
  ])
  func `is read however programs write it`(text: String) throws {
    let (found, unknown) = try read(Array(text.utf8)).ids(of: "item", among: known)
    #expect(found == ["i1", "7"])
    #expect(unknown.isEmpty)
  }

  @Test func `takes a line as it is where such an id is known`() throws {
    let (found, _) = try read(Array("i,2\n\"q\"\n s\nÉ\n".utf8)).ids(of: "item", among: known)
    #expect(found == ["i,2", "\"q\"", " s", "É"])
  }

  @Test func `tells the lines that are unknown`() throws {
    let (found, unknown) = try read(Array("i1\n\ni8,x\n".utf8)).ids(of: "item", among: known)
    #expect(found == ["i1"])
    #expect(unknown.map(\.number) == [3])
  }

  @Test func `without a known id is refused, with the one that is nearest`() throws {
    let error = #expect(throws: PipelineError.self) {
      try read(Array("I1\ni9\n".utf8)).ids(of: "item", among: known)
    }
    #expect(error?.kind == .dataFormat)
    #expect(
      error?.message == "no item of the data has an id of this list, whose first of 2 is 'I1'")
    #expect(error?.note == "the data have 'i1'; ids must agree letter by letter")
  }

  @Test func `that is no text is refused`() {
    #expect(throws: PipelineError.self) { try read([0x69, 0xFF, 0x0A]) }
  }
}
