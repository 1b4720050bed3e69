import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A small shop and a model that saw it once.
enum SmallShop {
  /// The options by which the evaluate stage finds what ``prepare(_:seed:)`` made, without much resampling.
  static let inputs = [
    "--data", "1", "--codes", "2", "--model", "3", "--resamples", "100",
  ]

  /// Runs the stages before this one in `directory`: outputs `1`, `2`, `3`.
  static func prepare(_ directory: FilePath, seed: Int = 1) async throws {
    let steps: [(String, [String])] = [
      (
        "preprocess",
        [
          "sample", "--output", "shop", "--users", "120", "--items", "60", "--interactions", "1200",
          "--seed", "\(seed)",
        ]
      ),
      (
        "preprocess",
        [
          "--interactions", "shop/interactions.csv", "--items", "shop/items.jsonl", "--vectors",
          "shop/item_embeddings.npy", "--vector-ids", "shop/item_ids.txt", "--negatives", "10",
          "--output", "1",
        ]
      ),
      ("tokenize", ["--data", "1", "--codebooks", "8,8", "--output", "2"]),
      (
        "train",
        ["--data", "1", "--codes", "2", "--output", "3", "--dimension", "8", "--epochs", "2"]
      ),
    ]
    for (stage, arguments) in steps {
      let result = try await runStage("h2rec-\(stage)", arguments + ["--quiet"], in: directory)
      #expect(result.status == .exited(0), "\(stage): \(result.error)")
    }
  }
}
