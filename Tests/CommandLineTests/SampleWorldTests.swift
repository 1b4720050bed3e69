import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// The built-in sample is a world in which each branch knows what the other cannot: rare items follow their topic, popular
/// ones follow transitions of their own.
@Suite(.timeLimit(.minutes(30))) struct SampleWorldTests {
  /// NDCG@10 of full ranking.
  private struct Quality {
    let head: Double
    let tail: Double
  }

  @Test func `both branches together beat IDs alone on the tail and codes alone on the head`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      try await prepare(directory)
      let both = try await quality(of: "h2rec", in: directory)
      let hash = try await quality(of: "sasrec", in: directory)
      let semantic = try await quality(of: "sid", in: directory)
      // A branch that contributes nothing leaves H2Rec at the level of the other branch: a ratio of about 1.
      #expect(both.tail > 1.5 * hash.tail && both.tail > hash.tail + 0.01, "\(both) \(hash)")
      #expect(both.head > 1.5 * semantic.head, "\(both) \(semantic)")
    }
  }

  private func prepare(_ directory: FilePath) async throws {
    try await run(
      "h2rec-preprocess",
      "sample --output sample --users 1500 --items 2000 --interactions 20000 --seed 42", directory)
    try await run(
      "h2rec-preprocess",
      """
      --interactions sample/interactions.csv --items sample/items.jsonl --vectors sample/item_embeddings.npy \
      --vector-ids sample/item_ids.txt --user-core 5 --item-core 3 --output data
      """, directory)
    try await run(
      "h2rec-tokenize", "--data data --codebooks 64,64,64,64 --output codes", directory)
  }

  private func quality(of model: String, in directory: FilePath) async throws -> Quality {
    let codes = model == "sasrec" ? "" : " --codes codes"
    let start = model == "sid" ? "" : "--hash-init random"
    try await run(
      "h2rec-train",
      """
      \(model) --data data\(codes) --dimension 32 --dropout 0.3 \(start) --epochs 20 \
      --output model-\(model)
      """, directory)
    try await run(
      "h2rec-evaluate",
      "--data data\(codes) --model model-\(model) --output report-\(model)", directory)
    let path = directory.appending("report-\(model)").appending("report.json").string
    let report = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path)))
    return Quality(
      head: try ndcg(report, group: "head"), tail: try ndcg(report, group: "tail"))
  }

  private func ndcg(_ report: Any, group: String) throws -> Double {
    var node: Any? = report
    for key in ["protocols", "full", group, "ndcg@10"] { node = (node as? [String: Any])?[key] }
    return try #require(node as? Double)
  }

  private func run(_ stage: String, _ arguments: String, _ directory: FilePath) async throws {
    let result = try await runStage(
      stage, arguments.split(separator: " ").map(String.init) + ["--quiet"], in: directory)
    try #require(result.status == .exited(0), "\(result.error)")
  }
}
