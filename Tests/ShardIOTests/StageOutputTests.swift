import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import ShardIO

/// The owner of an output directory: what a person finds there after runs that end well, and after those that do not.
@Suite struct StageOutputTests {
  private static let manifestName: FilePath.Component = "manifest.json"

  private static func table(_ value: UInt32, rowCount: Int = 3) -> Table {
    Table(
      kind: "codes", rowCount: rowCount,
      columns: [.fixed("value", [UInt32](repeating: value, count: rowCount))])
  }

  private static func run(_ directory: FilePath, value: UInt32) throws {
    var output = try StageOutput(directory: directory, stage: "tokenize")
    try output.write(table(value))
    try output.writeFile("report.json", Array("\(value)".utf8))
    try output.commit(configuration: [:], inputs: [], counters: [:])
  }

  @Test func `equal runs leave equal directories`() throws {
    try withTemporaryDirectory { directory in
      try Self.run(directory.appending("a"), value: 1)
      try Self.run(directory.appending("b"), value: 1)
      let first = try contents(of: directory.appending("a"))
      #expect(try contents(of: directory.appending("b")) == first)
      try Self.run(directory.appending("a"), value: 1)
      #expect(try contents(of: directory.appending("a")) == first)
      #expect(first.count == 4)
    }
  }

  @Test func `a new run replaces the old one and removes its files`() throws {
    try withTemporaryDirectory { directory in
      try Self.run(directory, value: 1)
      try Self.run(directory, value: 2)
      let input = try StageInput(directory: directory, expecting: "tokenize")
      #expect(try input.table("codes").fixed("value", as: UInt32.self) == [2, 2, 2])
      #expect(try contents(of: directory).count == 4)
      #expect(try readWholeFile(directory.appending("report.json")) == Array("2".utf8))
    }
  }

  @Test func `a run that fails leaves the old output as it was`() throws {
    try withTemporaryDirectory { directory in
      try Self.run(directory, value: 1)
      let before = try contents(of: directory)
      do {
        var output = try StageOutput(directory: directory, stage: "tokenize")
        try output.write(Self.table(1))
        try output.write(Self.table(2))
        try output.writeFile("other.txt", [1])
        var file = try output.beginFile("third.txt")
        try file.append([2])
      }
      #expect(try contents(of: directory) == before)
    }
  }

  @Test func `a first run that fails leaves nothing`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("run/2-tokenize")
      do {
        var output = try StageOutput(directory: path, stage: "tokenize")
        try output.write(Self.table(1))
      }
      #expect(!FileManager.default.fileExists(atPath: path.string))
    }
  }

  @Test func `files of other people stay`() throws {
    try withTemporaryDirectory { directory in
      let names: [FilePath.Component] = ["notes.txt", "model-v2.h2s", "codes-00000-123.h2s"]
      for name in names { try write([1], to: directory.appending(name)) }
      try Self.run(directory, value: 1)
      try Self.run(directory, value: 2)
      for name in names { #expect(try readWholeFile(directory.appending(name)) == [1]) }
    }
  }

  @Test func `what a crashed run left is removed by the next`() throws {
    try withTemporaryDirectory { directory in
      try Self.run(directory, value: 1)
      let before = try contents(of: directory)
      try write([1], to: directory.appending("codes-00001-0123456789abcdef.h2s"))
      try write([1], to: directory.appending("codes-00001-0123456789abcdef.h2s.partial"))
      try write([1], to: directory.appending("manifest.json.partial"))
      try FileManager.default.removeItem(atPath: directory.appending("report.json").string)
      try FileManager.default.createSymbolicLink(
        atPath: directory.appending("report.json").string,
        withDestinationPath: "report-0000000000000000.json")
      do { _ = try StageOutput(directory: directory, stage: "tokenize") }
      #expect(try contents(of: directory) == before)
    }
  }

  @Test func `a file of somebody else under the name of an output is never replaced`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("report.json")
      try write([1, 2, 3], to: path)
      let error = try #require(throws: PipelineError.self) { try Self.run(directory, value: 1) }
      #expect(error.kind == .cannotCreate)
      #expect(
        "\(error)" == """
          \(path): error: the stage writes a file of this name, but there is one that it did not write
          note: move it away, or choose another --output
          """)
      #expect(try contents(of: directory) == ["report.json": [1, 2, 3]])
    }
  }

  @Test func `what somebody else wrote into a file under way is found before the commit`() throws {
    try withTemporaryDirectory { directory in
      try Self.run(directory, value: 1)
      let before = try contents(of: directory)
      let size = (1 << 20) + 4
      // Bytes after the end, a byte in place of another, a cut.
      for (offset, bytes) in [(size, [0x78]), (0, [0x78]), (3, [])] as [(Int, [UInt8])] {
        let error = try #require(throws: PipelineError.self) {
          try Self.runDisturbed(directory, size: size, offset, bytes)
        }
        #expect(error.kind == .inputOutput)
        #expect(error.message.hasSuffix("not the \(size) that were written"))
        #expect(try contents(of: directory) == before)
      }
    }
  }

  /// A run into whose list another program writes some bytes, or which it cuts where there are none.
  private static func runDisturbed(
    _ directory: FilePath, size: Int, _ offset: Int, _ bytes: [UInt8]
  ) throws {
    var output = try StageOutput(directory: directory, stage: "tokenize")
    var file = try output.beginFile("list.csv")
    try file.append([UInt8](repeating: 0x2C, count: size))
    let stray = try FileDescriptor.open(directory.appending("list.csv.partial"), .readWrite)
    defer { try? stray.close() }
    if bytes.isEmpty {
      try stray.resize(to: Int64(offset))
    } else {
      _ = try stray.writeAll(toAbsoluteOffset: Int64(offset), bytes)
    }
    try output.endFile(file)
    try output.commit(configuration: [:], inputs: [], counters: [:])
  }

  @Test func `a second writer is told who the first is`() throws {
    try withTemporaryDirectory { directory in
      let output = try StageOutput(directory: directory, stage: "tokenize")
      let error = try #require(throws: PipelineError.self) {
        _ = try StageOutput(directory: directory, stage: "tokenize")
      }
      #expect(error.kind == .temporaryFailure)
      let text = "\(error)"
      #expect(text.hasPrefix("\(directory): error: another run holds the lock since "), "\(text)")
      #expect(text.contains("Z (process \(getpid()), '"), "\(text)")
      #expect(text.hasSuffix("')\nnote: wait for it, or choose another --output"), "\(text)")
      try output.commit(configuration: [:], inputs: [], counters: [:])
      try Self.run(directory, value: 1)
    }
  }

  @Test func `the output of another stage is never overwritten`() throws {
    try withTemporaryDirectory { directory in
      try Self.run(directory, value: 1)
      let before = try contents(of: directory)
      let error = try #require(throws: PipelineError.self) {
        _ = try StageOutput(directory: directory, stage: "train")
      }
      #expect(error.kind == .configuration)
      #expect(
        "\(error)" == """
          \(directory): error: this directory holds the output of stage 'tokenize'
          note: the output of stage 'train' needs a directory of its own
          """)
      #expect(try contents(of: directory) == before)
    }
  }

  @Test func `beside a manifest of a newer program nothing is removed before the commit`() throws {
    try withTemporaryDirectory { directory in
      try Self.run(directory, value: 1)
      try write(Array(#"{"formatVersion": 3}"#.utf8), to: directory.appending("manifest.json"))
      let before = try contents(of: directory)
      do { _ = try StageOutput(directory: directory, stage: "tokenize") }
      #expect(try contents(of: directory) == before)
      try Self.run(directory, value: 2)
      #expect(try contents(of: directory).count == before.count)
    }
  }

  @Test func `an output below a regular file cannot be created`() throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("file")
      try write([1], to: file)
      for path in [file, file.appending("below"), file.appending("far/below")] {
        let error = try #require(throws: PipelineError.self) {
          _ = try StageOutput(directory: path, stage: "tokenize")
        }
        #expect(error.kind == .cannotCreate)
        #expect(error.message == "cannot create: Not a directory")
      }
      #expect(try contents(of: directory).count == 1)
    }
  }

  @Test func `a large table becomes several shards`() throws {
    try withTemporaryDirectory { directory in
      let values = (0..<2_200_000).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
      let table = Table(kind: "codes", rowCount: values.count, columns: [.fixed("value", values)])
      var output = try StageOutput(directory: directory, stage: "tokenize")
      try output.write(table)
      try output.commit(configuration: [:], inputs: [], counters: [:])
      let before = try contents(of: directory)
      var again = try StageOutput(directory: directory, stage: "tokenize", threads: 3)
      try again.write(table)
      try again.commit(configuration: [:], inputs: [], counters: [:])
      #expect(try contents(of: directory) == before, "the threads change no byte")
      let input = try StageInput(directory: directory, expecting: "tokenize", threads: 3)
      #expect(input.manifest.outputs.count == 2)
      #expect(input.manifest.outputs.map(\.rows).compactMap(\.self).reduce(0, +) == values.count)
      #expect(try input.table("codes") == table)
    }
  }

  @Test func `checksums are those of xxhsum`() throws {
    // xxhsum -H2 of an empty file, and of "abc".
    #expect(checksum([]) == "99aa06d3014798d86001c324468d497f")
    #expect(checksum(Array("abc".utf8)) == "06b05ab6733a618578af5f94892f3950")
    // As `xxhsum -H3` prints it for no bytes.
    #expect(shortHash([UInt8]().span) == 0x2D06_8005_38D3_94C2)
    let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
    let stream = ChecksumStream()
    for start in stride(from: 0, to: 5000, by: 7) {
      stream.append(Array(bytes[start..<min(start + 7, 5000)]))
    }
    #expect(stream.value == checksum(bytes))
  }
}
