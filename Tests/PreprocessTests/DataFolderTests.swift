import Foundation
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Preprocess

/// Which files of a folder are read.
@Suite struct DataFolderTests {
  /// Looks at a folder with files of these names, and gives names without the folder.
  private func look(_ names: [String]) throws -> (found: [String], ignored: [String]) {
    try withTemporaryDirectory { directory in
      for name in names { try write([], to: directory.appending(name)) }
      let folder = try DataFolder(directory.string)
      return (folder.found.map { String($0.dropFirst(directory.string.count + 1)) }, folder.ignored)
    }
  }

  private func refusal(_ names: [String]) throws -> PipelineError {
    try #require(throws: PipelineError.self) { _ = try look(names) }
  }

  @Test(arguments: [
    (["interactions.csv"], []),
    (["interactions.csv.gz", "items.jsonl", "item_embeddings.npy", "item_ids.txt"], []),
    (["interactions.inter", "items.item", "item_embeddings.npz"], []),
    (["interactions.dat", "items.csv.zst", "item_embeddings.safetensors", "item_ids.txt"], []),
    (["interactions.1.csv", "interactions.2.tsv", "interactions.csv"], []),
    (["interactions"], []),
    (
      ["interactions.csv"],
      [
        "#interactions.csv#", "README.md", "interactions.csv.bak", "interactions.csv.orig",
        "interactions.csv.swp", "interactions.csv.tmp", "interactions.csv~", "interactions_old.csv",
        "item_ids.txt", "items.csv~", "items.md",
      ]
    ),
  ])
  func `files of the usual names are read, and nothing else`(
    read: [String], ignored: [String]
  ) throws {
    let found = try look((read + ignored + [".interactions.csv.swp"]).reversed())
    #expect(found.found == read)
    #expect(
      found.ignored == ignored.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
  }

  @Test(arguments: [
    ["interactions.csv", "interactions.csv.gz"], ["interactions.csv", "interactions.jsonl"],
    ["interactions.2.csv", "interactions.2.csv.zst"], ["items.csv", "items.jsonl"],
    ["item_embeddings.npy", "item_embeddings.npz"], ["item_ids.csv", "item_ids.txt"],
  ])
  func `two files of one kind are refused`(names: [String]) throws {
    let error = try refusal(
      names
        + ["interactions.0.csv", "item_embeddings.npy"].filter {
          !names.contains($0) && !(names[0].hasPrefix("item_embeddings") && $0.hasPrefix("item_"))
        })
    #expect(error.kind == .configuration)
    #expect(error.message == "found '\(names[0])' and '\(names[1])', expected one of them")
  }

  @Test func `a folder without a log is refused with what it holds`() throws {
    let error = try refusal(["events.csv", "interactions.bak"])
    #expect(error.kind == .missingInput)
    #expect(
      error.message
        == "no file 'interactions.csv' or another format; found 'events.csv', 'interactions.bak'")
    #expect(try refusal([]).message.hasSuffix("the folder is empty"))
  }

  @Test func `a folder that is missing or a file is called that`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("x")
      var error = #expect(throws: PipelineError.self) { _ = try DataFolder(path.string) }
      #expect(error?.message == "no such folder")
      try write([], to: path)
      error = #expect(throws: PipelineError.self) { _ = try DataFolder(path.string) }
      #expect(error?.message == "this is a file, not a folder")
    }
  }

  @Test func `one line says what is read and what is left out`() throws {
    try withTemporaryDirectory { directory in
      let names = ["interactions.csv", "items.csv"] + (0..<10).map { "note-\($0).md" }
      for name in names { try write([], to: directory.appending(name)) }
      let folder = try DataFolder(directory.string)
      let shown = (0..<8).map { "'note-\($0).md'" }.joined(separator: ", ")
      #expect(
        folder.summary
          == "reads 'interactions.csv', 'items.csv'; leaves out \(shown) and 2 more")
    }
  }
}
