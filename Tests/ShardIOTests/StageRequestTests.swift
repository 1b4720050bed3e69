import Foundation
import ShardIO
import SystemPackage
import TestSupport
import Testing

/// When an output is that of a request, and when it is not.
@Suite struct StageRequestTests {
  private static let options = ["epochs": "3", "maxLength": "50"]

  private func request(
    _ directory: FilePath, _ options: [String: String] = options, inputs: [StageReference] = [],
    files: [String] = ["log.csv"]
  ) -> StageRequest {
    StageRequest(
      stage: "train", output: directory.appending("out"), configuration: options, inputs: inputs,
      files: files.map { SourceFile("log", directory.appending($0).string) })
  }

  private func commit(_ request: StageRequest, _ directory: FilePath) throws {
    var output = try StageOutput(directory: directory.appending("out"), stage: "train")
    try output.writeFile("report.md", Array("result".utf8))
    try output.commit(configuration: [:], inputs: request.inputs, counters: [:], request: request)
  }

  /// A folder with a log, and an output that was made from it.
  private func withOutput(_ body: (FilePath) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      try write(Array("a,b".utf8), to: directory.appending("log.csv"))
      try commit(request(directory), directory)
      try body(directory)
    }
  }

  @Test func `an output of the same options and files is up to date, and looking changes nothing`()
    throws
  {
    try withOutput { directory in
      let record = directory.appending("out/.made-from.json")
      let before = try FileManager.default.attributesOfItem(atPath: record.string)
      #expect(request(directory).reasonToRun() == nil)
      let after = try FileManager.default.attributesOfItem(atPath: record.string)
      #expect(before[.systemFileNumber] as? Int == after[.systemFileNumber] as? Int)
      #expect(before[.modificationDate] as? Date == after[.modificationDate] as? Date)
    }
  }

  @Test func `a reason names what differs`() throws {
    try withOutput { directory in
      let nine = request(directory, ["epochs": "3", "maxLength": "9"])
      #expect(nine.reasonToRun() == "'--max-length' was 50 and is 9")
      let other = StageReference(stage: "tokenize", checksum: "0")
      #expect(
        request(directory, inputs: [other]).reasonToRun()
          == "the output of 'tokenize' is another one")
      #expect(request(directory, files: []).reasonToRun() == "'log.csv' is gone")
      try write(Array("c".utf8), to: directory.appending("part.csv"))
      #expect(
        request(directory, files: ["log.csv", "part.csv"]).reasonToRun() == "'part.csv' is new")
      #expect(
        request(directory, files: ["part.csv"]).reasonToRun()
          == "'log.csv' was read there, now 'part.csv'")
    }
  }

  @Test func `an output of an earlier format is a reason, and is replaced`() throws {
    try withOutput { directory in
      let manifest = directory.appending("out/manifest.json")
      let text = String(decoding: try readWholeFile(manifest), as: UTF8.self)
      let earlier = text.replacing("\"formatVersion\" : 2", with: "\"format_version\" : 1")
      try #require(earlier != text)
      try write(Array(earlier.utf8), to: manifest)
      let request = request(directory)
      #expect(request.reasonToRun() == "format version 1, this program reads 2")
      try commit(request, directory)
      #expect(request.reasonToRun() == nil)
    }
  }

  @Test func `an input that is left out is a reason`() throws {
    try withTemporaryDirectory { directory in
      try write([1], to: directory.appending("log.csv"))
      let input = StageReference(stage: "tokenize", checksum: "0")
      try commit(request(directory, inputs: [input]), directory)
      #expect(request(directory, inputs: [input]).reasonToRun() == nil)
      #expect(request(directory).reasonToRun() == "it read other outputs")
    }
  }

  @Test func `a missing, damaged or unrecorded output is a reason`() throws {
    try withOutput { directory in
      let manifest = directory.appending("out/manifest.json")
      let bytes = try readWholeFile(manifest)
      try write(Array(bytes.dropLast(2)), to: manifest)
      #expect(request(directory).reasonToRun() == "this is not JSON")
      try FileManager.default.removeItem(atPath: manifest.string)
      #expect(request(directory).reasonToRun() == "there is no output yet")
      try write(bytes + [0x20], to: manifest)
      #expect(request(directory).reasonToRun() == "it is not known what the output was made from")
      try write(bytes, to: manifest)
      #expect(request(directory).reasonToRun() == nil)
      let report = try #require(
        try contents(of: directory.appending("out")).keys.first { $0.hasPrefix("report-") })
      try FileManager.default.removeItem(
        atPath: directory.appending("out").appending(report).string)
      #expect(
        request(directory).reasonToRun() == "the manifest lists this file, but it does not exist")
    }
  }

  /// Other contents of the same size, put there in ways that leave the time of modification.
  @Test(arguments: ["in place", "replaced", "older", "in the future"])
  func `other contents are noticed whatever the time of the file says`(way: String) throws {
    try withOutput { directory in
      let log = directory.appending("log.csv")
      var before = stat()
      try #require(stat(log.string, &before) == 0)
      if way == "replaced" { try FileManager.default.removeItem(atPath: log.string) }
      if way == "in place" {
        let file = try FileDescriptor.open(log, .writeOnly)
        try file.closeAfter { _ = try file.writeAll("x,y".utf8) }
      } else {
        try write(Array("x,y".utf8), to: log)
      }
      // To the nanosecond the time of before, or one far from it.
      let seconds =
        before.st_mtim.tv_sec + (["older": -1, "in the future": 1][way] ?? 0) * 100_000_000
      let time = timespec(tv_sec: seconds, tv_nsec: before.st_mtim.tv_nsec)
      try #require(utimensat(AT_FDCWD, log.string, [time, time], 0) == 0)
      #expect(request(directory).reasonToRun() == "'log.csv' has other contents")
    }
  }

  @Test func `equal contents with another time or place are up to date`() throws {
    try withOutput { directory in
      let log = directory.appending("log.csv")
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: 1e8)], ofItemAtPath: log.string)
      #expect(request(directory).reasonToRun() == nil)
      try FileManager.default.removeItem(atPath: log.string)
      try write(Array("a,b".utf8), to: log)
      #expect(request(directory).reasonToRun() == nil)
      let moved = directory.appending("moved")
      try FileManager.default.createDirectory(
        atPath: moved.string, withIntermediateDirectories: true)
      for name in ["log.csv", "out"] {
        try FileManager.default.moveItem(
          atPath: directory.appending(name).string, toPath: moved.appending(name).string)
      }
      #expect(request(moved).reasonToRun() == nil)
    }
  }

  @Test func `a link that a crash has left out is made up for`() throws {
    try withOutput { directory in
      let link = directory.appending("out/report.md")
      let target = try FileManager.default.destinationOfSymbolicLink(atPath: link.string)
      try FileManager.default.removeItem(atPath: link.string)
      #expect(request(directory).reasonToRun() == nil)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.string) == target)
      // What is no link of ours stays.
      try FileManager.default.removeItem(atPath: link.string)
      try write(Array("mine".utf8), to: link)
      #expect(request(directory).reasonToRun() == nil)
      #expect(try readWholeFile(link) == Array("mine".utf8))
    }
  }

  @Test func `a link stands for the file behind it`() throws {
    try withTemporaryDirectory { directory in
      for name in ["old", "new"] { try write(Array(name.utf8), to: directory.appending(name)) }
      let link = directory.appending("log.csv").string
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "old")
      try commit(request(directory), directory)
      #expect(request(directory).reasonToRun() == nil)
      try FileManager.default.removeItem(atPath: directory.appending("old").string)
      try FileManager.default.moveItem(
        atPath: directory.appending("new").string, toPath: directory.appending("old").string)
      #expect(request(directory).reasonToRun() == "'log.csv' has other contents")
    }
  }

  @Test(arguments: [true, false])
  func `a file that changes while it is read is refused, and the old output stays`(
    hasSameSize: Bool
  ) throws {
    try withOutput { directory in
      let before = try contents(of: directory.appending("out"))
      let late = request(directory, ["epochs": "4", "maxLength": "50"])
      try write(Array((hasSameSize ? "x,y" : "a,b,c").utf8), to: directory.appending("log.csv"))
      let error = #expect(throws: PipelineError.self) { try commit(late, directory) }
      #expect(error?.kind == .temporaryFailure)
      #expect(error?.message == "this file was changed while it was read; nothing is written")
      #expect(try contents(of: directory.appending("out")) == before)
      #expect(request(directory).reasonToRun() == "'log.csv' has other contents")
    }
  }

  @Test func `what cannot be read twice is never up to date`() throws {
    try withTemporaryDirectory { directory in
      try #require(mkfifo(directory.appending("log.csv").string, 0o600) == 0)
      try commit(request(directory), directory)
      #expect(request(directory).reasonToRun() == "an input is no regular file")
    }
  }

  @Test func `a first output that fails leaves no record and no directory`() throws {
    try withTemporaryDirectory { directory in
      try write([1], to: directory.appending("log.csv"))
      let late = request(directory)
      try FileManager.default.removeItem(atPath: directory.appending("log.csv").string)
      #expect(throws: PipelineError.self) { try commit(late, directory) }
      #expect(!FileManager.default.fileExists(atPath: directory.appending("out").string))
    }
  }
}
