import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import ShardIO

/// A stage refuses inputs that are absent, damaged, or not of one run.
@Suite struct StageInputTests {
  private static let table = Table(
    kind: "codes", rowCount: 2, columns: [.fixed("value", [1, 2] as [UInt32])])

  /// Runs two stages, the second of which reads the first, and gives `body` their directories.
  private func withStages(_ body: (FilePath, FilePath) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      let data = directory.appending("1-preprocess")
      let codes = directory.appending("2-tokenize")
      try Self.run(data, "preprocess", seed: 1)
      let input = try StageInput(directory: data, expecting: "preprocess")
      try Self.run(codes, "tokenize", seed: 1, inputs: [input.reference])
      try body(data, codes)
    }
  }

  private static func run(
    _ directory: FilePath, _ stage: String, seed: Int64, inputs: [StageReference] = []
  ) throws {
    var output = try StageOutput(directory: directory, stage: stage)
    try output.write(table)
    try output.writeFile("report.json", [0x7B, 0x7D])
    try output.commit(configuration: ["seed": .integer(seed)], inputs: inputs, counters: [:])
  }

  private func refusal(_ body: () throws -> Void) throws -> PipelineError {
    try #require(throws: PipelineError.self) { try body() }
  }

  @Test func `a stage that has not finished is missing`() throws {
    try withTemporaryDirectory { directory in
      let error = try refusal {
        _ = try StageInput(directory: directory.appending("1-preprocess"), expecting: "preprocess")
      }
      #expect(error.kind == .missingInput)
      #expect(
        "\(error)" == """
          \(directory)/1-preprocess/manifest.json: error: no such file
          note: the preprocess stage has not finished; run 'make preprocess'
          """)
    }
  }

  @Test func `the output of another stage is refused`() throws {
    try withStages { _, codes in
      let error = try refusal { _ = try StageInput(directory: codes, expecting: "preprocess") }
      #expect(error.kind == .configuration)
      #expect(error.message == "this is the output of stage 'tokenize', expected 'preprocess'")
    }
  }

  @Test func `stages of one run belong together`() throws {
    try withStages { data, codes in
      let input = try StageInput(directory: data, expecting: "preprocess")
      try StageInput(directory: codes, expecting: "tokenize").requireInput(input)
    }
  }

  @Test func `stages of different runs are refused with both checksums`() throws {
    try withStages { data, codes in
      let old = try StageInput(directory: data, expecting: "preprocess").reference.checksum
      try Self.run(data, "preprocess", seed: 2)
      let input = try StageInput(directory: data, expecting: "preprocess")
      let output = try StageInput(directory: codes, expecting: "tokenize")
      let error = try refusal { try output.requireInput(input) }
      #expect(error.kind == .configuration)
      #expect(
        "\(error)" == """
          \(codes)/manifest.json: error: this was not made from \(data), whose manifest has checksum \
          \(input.reference.checksum), but from one with \(old)
          note: run 'make tokenize', which makes it anew from what is there now
          """)
      let reversed = try refusal { try input.requireInput(output) }
      #expect(reversed.kind == .configuration)
      #expect(
        reversed.message == "stage 'preprocess' did not read any output of stage 'tokenize'")
    }
  }

  @Test func `every changed byte of every file is found`() throws {
    try withStages { _, codes in
      for (name, bytes) in try contents(of: codes) where !bytes.starts(with: Array("-> ".utf8)) {
        if name == Manifest.fileName { continue }
        for index in bytes.indices {
          var damaged = bytes
          damaged[index] ^= 0x10
          try write(damaged, to: codes.appending(name))
          let error = try refusal { try Self.readAll(codes) }
          try #require(error.kind == .dataFormat)
          try #require(error.location?.path == codes.appending(name).string)
        }
        try write(bytes, to: codes.appending(name))
      }
      try Self.readAll(codes)
    }
  }

  @Test func `a file that is cut, longer or missing is refused when the stage is opened`() throws {
    try withStages { _, codes in
      let input = try StageInput(directory: codes, expecting: "tokenize")
      let output = try #require(input.manifest.outputs.first)
      let path = codes.appending(output.name)
      let bytes = try readWholeFile(path)
      for changed in [Array(bytes.dropLast()), bytes + [0], []] {
        try write(changed, to: path)
        let error = try refusal { _ = try StageInput(directory: codes, expecting: "tokenize") }
        #expect(error.kind == .dataFormat)
        #expect(
          error.message
            == "the file has \(changed.count) bytes, the manifest says \(bytes.count)")
      }
      try FileManager.default.removeItem(atPath: path.string)
      let error = try refusal { _ = try StageInput(directory: codes, expecting: "tokenize") }
      #expect(error.message == "the manifest lists this file, but it does not exist")
    }
  }

  /// A bit may hide in a counter or a name of the configuration.
  ///
  /// Then it is another manifest, which no later stage has read. Everything else is refused.
  @Test func `a changed bit in any byte of the manifest is refused or changes its checksum`() throws
  {
    try withStages { data, codes in
      let path = data.appending(Manifest.fileName)
      let bytes = try readWholeFile(path)
      let output = try StageInput(directory: codes, expecting: "tokenize")
      for index in bytes.indices {
        let bit = 8 * index + index * 5 % 8
        var damaged = bytes
        damaged[bit / 8] ^= 1 << (bit % 8)
        try write(damaged, to: path)
        let error = try refusal {
          let input = try StageInput(directory: data, expecting: "preprocess")
          try output.requireInput(input)
        }
        try #require(error.kind == .dataFormat || error.kind == .configuration, "bit \(bit)")
      }
    }
  }

  @Test(arguments: [
    ("", "this is not JSON"),
    ("[]", "the manifest is not an object"),
    (#"{"a": 1}"#, "the manifest has no 'configuration'"),
    (manifest(), ""),
    (manifest(extra: #", "hostname": "x""#), "the manifest has the unknown key 'hostname'"),
    (manifest(version: "3"), "format version 3, this program reads 2"),
    (
      #"{"format_version": 1, "program_version": "0.1.0", "stage": "a"}"#,
      "format version 1, this program reads 2"
    ),
    (manifest(version: "1.5"), "'formatVersion' of the manifest is not a whole number from 0"),
    (manifest(version: "-1"), "'formatVersion' of the manifest is not a whole number from 0"),
    (manifest(outputs: "{}"), "'outputs' of the manifest is not an array"),
    (manifest(outputs: "[1]"), "an output is not an object"),
    (manifest(outputs: #"[{"name": "x"}]"#), "an output has no 'bytes'"),
    (
      manifest(outputs: "[\(output(name: "../x"))]"), "output '../x' is not a plain file name"
    ),
    (manifest(outputs: "[\(output(name: ".."))]"), "output '..' is not a plain file name"),
    (manifest(outputs: "[\(output(name: ""))]"), "output '' is not a plain file name"),
    (manifest(outputs: "[\(good), \(good)]"), "a file is listed twice"),
    (
      manifest(outputs: "[\(good), \(output(name: "k-1234567890abcdef.txt", checksum: other))]"),
      "two files have the same kind"
    ),
    (
      manifest(outputs: "[\(output(name: "x", bytes: "1e300"))]"),
      "'bytes' of an output is not a whole number from 0"
    ),
    (manifest(inputs: #"[{"stage": "a"}]"#), "an input has no 'checksum'"),
    (
      manifest(inputs: #"[{"stage": "a", "checksum": "b", "time": 1}]"#),
      "an input has the unknown key 'time'"
    ),
  ])
  func `a manifest is read strictly`(text: String, message: String) throws {
    let parsed = Result { try Manifest(parsing: Array(text.utf8), path: "manifest.json") }
    switch parsed {
    case .success: #expect(message == "")
    case .failure(let error as PipelineError):
      #expect(error.kind == .dataFormat && error.message == message)
    case .failure: Issue.record("another error")
    }
  }

  private static func manifest(
    version: String = "2", inputs: String = "[]", outputs: String = "[]", extra: String = ""
  ) -> String {
    #"{"stage": "a", "formatVersion": \#(version), "programVersion": "1", "configuration": {}, "#
      + #""inputs": \#(inputs), "outputs": \#(outputs), "counters": {}\#(extra)}"#
  }

  private static let other = "1234567890abcdef0000000000000000"
  private static let good = output(name: "k-0000000000000000.txt")

  private static func output(
    name: String, kind: String = "k.txt", bytes: String = "1",
    checksum: String = String(repeating: "0", count: 32)
  ) -> String {
    #"{"name": "\#(name)", "kind": "\#(kind)", "bytes": \#(bytes), "checksum": "\#(checksum)"}"#
  }

  @Test(arguments: [
    "../victim.txt", "/tmp/victim.txt", "a/b.txt", "manifest.json", ".lock", ".hidden.txt",
    "x.partial",
    "report.json.partial", "x-0123456789abcdef.txt", "noextension", "", ".", "..", "a\\u0000b.txt",
    "a\\nb.txt", "codes",
  ])
  func `a kind that is a path or a name of the directory's own is refused, nothing is written`(
    kind: String
  ) throws {
    try withStages { _, codes in
      let path = codes.appending(Manifest.fileName)
      let victim = codes.removingLastComponent().appending("victim.txt")
      try write([7], to: victim)
      let text = String(decoding: try readWholeFile(path), as: UTF8.self)
      let changed = text.replacing("\"kind\" : \"report.json\"", with: "\"kind\" : \"\(kind)\"")
      try #require(changed != text)
      try write(Array(changed.utf8), to: path)
      let before = try contents(of: codes.removingLastComponent())
      let error = try refusal { _ = try StageInput(directory: codes, expecting: "tokenize") }
      #expect(error.kind == .dataFormat)
      #expect(try contents(of: codes.removingLastComponent()) == before)
      // The stage that writes there does not follow it either.
      try? Self.run(codes, "tokenize", seed: 2)
      #expect(try readWholeFile(victim) == [7])
    }
  }

  @Test func `reading never writes, even where a link is stale`() throws {
    try withStages { _, codes in
      let link = codes.appending("report.json")
      try FileManager.default.removeItem(atPath: link.string)
      try FileManager.default.createSymbolicLink(
        atPath: link.string, withDestinationPath: "report-0000000000000000.json")
      let before = try contents(of: codes)
      try Self.readAll(codes)
      #expect(try contents(of: codes) == before)
    }
  }

  @Test func `a name that is not that of its checksum is refused`() throws {
    for (name, kind) in [
      ("k-1111111111111111.txt", "k.txt"), ("j-0000000000000000.txt", "k.txt"),
      ("k-0000000000000000.csv", "k.txt"), ("k.txt", "k.txt"),
    ] {
      let text = Self.manifest(outputs: "[\(Self.output(name: name, kind: kind))]")
      let error = try refusal {
        _ = try Manifest(parsing: Array(text.utf8), path: "manifest.json")
      }
      #expect(error.kind == .dataFormat && error.message.contains("does not have the name"))
    }
  }

  @Test func `a directory in place of the manifest is called one`() throws {
    try withTemporaryDirectory { directory in
      try FileManager.default.createDirectory(
        atPath: directory.appending("manifest.json").string, withIntermediateDirectories: false)
      let error = try refusal { _ = try StageInput(directory: directory, expecting: "preprocess") }
      #expect(error.kind == .missingInput)
      #expect(
        "\(error)" == "\(directory)/manifest.json: error: cannot open: Is a directory")
    }
  }

  @Test func `a table or file that the stage did not write is named`() throws {
    try withStages { _, codes in
      let input = try StageInput(directory: codes, expecting: "tokenize")
      #expect(input.hasTable("codes") && !input.hasTable("vectors"))
      #expect(
        try refusal { _ = try input.table("vectors") }.message == "the stage has no table 'vectors'"
      )
      #expect(
        try refusal { _ = try input.file("x.txt") }.message == "the stage has no file 'x.txt'")
      let table = try input.table("codes")
      #expect(
        try refusal { _ = try table.fixed("count", as: UInt32.self) }.message
          == "table 'codes' has no column 'count'")
      #expect(
        try refusal { _ = try table.fixed("value", as: Float.self) }.message
          == "column 'value' has elements of type uint32, expected Float")
      #expect(
        try refusal { _ = try table.strings("value") }.message
          == "column 'value' is of shape fixed, expected strings")
    }
  }

  private static func readAll(_ directory: FilePath) throws {
    let input = try StageInput(directory: directory, expecting: "tokenize")
    _ = try input.table("codes")
    _ = try input.file("report.json")
  }
}
