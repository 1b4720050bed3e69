import Foundation
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What every stage does with inputs that are missing or damaged and outputs that cannot be written; what others can read.
@Suite(.serialized) struct StageContractTests {
  private static let outputs = ["1-preprocess", "2-tokenize", "3-train", "4-evaluate"]
  private static let inputOptions = ["--data", "--codes", "--model"]

  /// Runs all stages on a tiny sample in a directory of its own.
  private func withPipeline(_ body: (FilePath) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
      let shop = ["sample", "--users", "30", "--items", "30", "--interactions", "400"]
      let commands = [
        ["h2rec-preprocess"] + shop + ["--output", "shop", "--quiet"],
        Self.preprocess + ["--output", Self.outputs[0], "--quiet"],
      ]
      for command in commands + (1...3).map({ Self.command($0) }) {
        let result = try await runStage(command[0], Array(command[1...]), in: directory)
        try #require(result.status == .exited(0), "\(result.error)")
      }
      try await body(directory)
    }
  }

  private static let preprocess = [
    "h2rec-preprocess", "--interactions", "shop/interactions.csv", "--items", "shop/items.jsonl",
    "--vectors", "shop/item_embeddings.npy", "--vector-ids", "shop/item_ids.txt",
    "--user-core", "3", "--item-core", "2", "--negatives", "5",
  ]

  /// The command line of stage 2, 3 or 4 (`index` 1 to 3), which reads all stages before it.
  private static func command(_ index: Int, output: String? = nil) -> [String] {
    let inputs = (0..<index).flatMap { [inputOptions[$0], outputs[$0]] }
    let own = [
      ["h2rec-tokenize", "--codebooks", "4,4", "--pca", "8"],
      ["h2rec-train", "--dimension", "8", "--epochs", "1", "--max-length", "5"],
      ["h2rec-evaluate"],
    ]
    return own[index - 1] + inputs + ["--output", output ?? outputs[index], "--quiet"]
  }

  private func run(_ command: [String], in directory: FilePath) async throws -> StageResult {
    try await runStage(command[0], Array(command[1...]), in: directory)
  }

  @Test func `a damaged, missing or unfinished input is refused by every stage that reads it`()
    async throws
  {
    try await withPipeline { directory in
      for reader in 1...3 {
        for input in 0..<reader {
          try await checkRefusals(reader: reader, input: input, in: directory)
        }
      }
    }
  }

  private func checkRefusals(reader: Int, input: Int, in directory: FilePath) async throws {
    let folder = directory.appending(Self.outputs[input])
    let manifest = folder.appending("manifest.json")
    let program = Self.command(reader)[0]
    let before = try contents(of: directory.appending(Self.outputs[reader]))

    func expect(_ status: Int32, _ path: String, _ message: String) async throws {
      let result = try await run(Self.command(reader), in: directory)
      #expect(result.status == .exited(status), "\(result.error)")
      #expect(
        result.error.hasPrefix("\(program): \(Self.outputs[input])/\(path): error: \(message)"),
        "\(result.error)")
      #expect(result.output == "")
      #expect(try contents(of: directory.appending(Self.outputs[reader])) == before)
    }

    let text = try readWholeFile(manifest)
    try write(Array(text.dropLast(3)), to: manifest)
    try await expect(65, "manifest.json", "this is not JSON")
    try FileManager.default.removeItem(atPath: manifest.string)
    try await expect(66, "manifest.json", "no such file\nnote: the ")
    try write(text, to: manifest)

    let stage = ["preprocess", "tokenize", "train"][input]
    let listed = try StageInput(directory: folder, expecting: stage).manifest.outputs
    // Tables that every stage after it reads.
    let kind = ["sequences", "codes", "parameters"][input]
    let used = input == 0 && reader == 1 ? "items" : kind
    let shard = try #require(listed.first { $0.kind == used })
    let path = folder.appending(shard.name)
    let bytes = try readWholeFile(path)
    var damaged = bytes
    damaged[bytes.count / 2] ^= 1
    try write(damaged, to: path)
    try await expect(65, shard.name, "checksum ")
    try write(Array(bytes.dropLast()), to: path)
    try await expect(65, shard.name, "the file has \(bytes.count - 1) bytes")
    try FileManager.default.removeItem(atPath: path.string)
    try await expect(65, shard.name, "the manifest lists this file, but it does not exist")
    try write(bytes, to: path)
  }

  @Test func `every key of a manifest and of the report of codes is in camel case`() async throws {
    try await withPipeline { directory in
      for (index, stage) in ["preprocess", "tokenize", "train", "evaluate"].enumerated() {
        let folder = directory.appending(Self.outputs[index])
        for name in ["manifest.json"] + (index == 1 ? ["report.json"] : []) {
          let path = folder.appending(name)
          let json = try JSONValue(parsing: try readWholeFile(path), path: path.string)
          let keys = keys(of: json)
          #expect(keys.count > 20, "\(stage) \(name)")
          let others = keys.filter { $0.contains("_") || $0.first?.isUppercase ?? true }
          #expect(others == [], "\(stage) \(name)")
        }
      }
    }
  }

  /// All keys of all objects in a value.
  private func keys(of json: JSONValue) -> Set<String> {
    if let members = json.objectValue {
      return members.reduce(into: []) { keys, member in
        keys.insert(member.key)
        keys.formUnion(self.keys(of: member.value))
      }
    }
    return (json.arrayValue ?? []).reduce(into: []) { $0.formUnion(keys(of: $1)) }
  }

  @Test func `an output that cannot be written ends with 73`() async throws {
    try await withPipeline { directory in
      try write([0x78], to: directory.appending("file"))
      let commands =
        [Self.preprocess + ["--output", "file/below", "--quiet"]]
        + (1...3).map { Self.command($0, output: "file/below") }
      for command in commands {
        let result = try await run(command, in: directory)
        #expect(result.status == .exited(73), "\(result.error)")
        #expect(
          result.error == "\(command[0]): file/below: error: cannot create: Not a directory\n")
        #expect(result.output == "")
      }
    }
  }

  @Test(.enabled(if: hasProgram("python3") && hasProgram("zstd"), "needs python3 and zstd"))
  func `the independent reader reads every table of every stage alike`() async throws {
    try await withPipeline { directory in
      var kinds: Set<String> = []
      let script = packageDirectory.appending("Scripts/read_shard.py").string
      for (index, stage) in ["preprocess", "tokenize", "train", "evaluate"].enumerated() {
        let folder = directory.appending(Self.outputs[index])
        let input = try StageInput(directory: folder, expecting: stage)
        var expected: [JSONValue] = []
        for output in input.manifest.outputs where output.rows != nil {
          guard kinds.insert(output.kind).inserted else { continue }
          expected += try hexadecimalDump(of: input.table(output.kind))
        }
        let result = try await runProgram(
          .name("python3"), [script, folder.string, "--hex"], in: directory)
        #expect(result.status == .exited(0), "\(result.error)")
        #expect(try Array(parsedDump(result.output).dropFirst()) == expected)
      }
      let documented = [
        "sequences", "items", "vectors", "pairs-ppmi", "pairs-decay", "negatives",
        "negatives-popular", "codes", "codebooks", "space", "coded-items", "parameters",
        "hash-vectors", "code-vectors", "ranks",
      ]
      #expect(kinds.sorted() == documented.sorted(), "see Documentation/ShardFormat.md, section 8")
    }
  }
}
