internal import Foundation
internal import ShardIO
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// All four stages on a tiny shop: their outputs in `1-preprocess` to `4-evaluate` of a directory.
struct TinyRun {
  static let outputs = ["1-preprocess", "2-tokenize", "3-train", "4-evaluate"]
  let directory: FilePath

  /// Makes the shop and runs the stages.
  init(in directory: FilePath) async throws {
    self.directory = directory
    let shop = ["sample", "--users", "30", "--items", "30", "--interactions", "400"]
    try await succeed("h2rec-preprocess", shop + ["--output", "shop", "--quiet"])
    for stage in stageNames.indices {
      try await succeed("h2rec-\(stageNames[stage])", Self.arguments(stage, Self.outputs[stage]))
    }
  }

  /// The arguments of a stage that reads all stages before it; `more` that begins with a subcommand stands in place of the
  /// options of a usual run.
  static func arguments(_ stage: Int, _ output: String, _ more: [String] = []) -> [String] {
    let inputs = (0..<stage).flatMap { [["--data", "--codes", "--model"][$0], outputs[$0]] }
    let own = [
      [
        "--interactions", "shop/interactions.csv", "--items", "shop/items.jsonl", "--vectors",
        "shop/item_embeddings.npy", "--vector-ids", "shop/item_ids.txt", "--user-core", "3",
        "--item-core", "2", "--negatives", "5",
      ],
      ["--codebooks", "4,4", "--pca", "8", "--whiten"],
      ["--dimension", "8", "--epochs", "1", "--max-length", "5"],
      ["--resamples", "100", "--recommend", "3"],
    ]
    let isSubcommand = more.first.map { !$0.hasPrefix("-") } ?? false
    return (isSubcommand ? more : own[stage]) + inputs + ["--output", output, "--quiet"]
      + (isSubcommand ? [] : more)
  }

  /// Runs a program, which must succeed.
  func succeed(_ program: String, _ arguments: [String]) async throws {
    let result = try await runStage(program, arguments, in: directory)
    try #require(result.status == .exited(0), "\(program): \(result.error)")
  }

  /// Runs a stage under a shell line in which `"$@"` is its command line.
  func run(
    _ stage: Int, _ output: String, under script: String, _ more: [String] = []
  ) async throws -> StageResult {
    let program = productsDirectory.appending("h2rec-\(stageNames[stage])").string
    return try await runProgram(
      .name("bash"),
      ["-c", script, "bash", program] + Self.arguments(stage, output, more), in: directory)
  }
}
