import Dataset
import Kernels
import Ranking
import ShardIO

/// Writes the best items of every user, with the ids of the user's own data.
///
/// What a user is given is what the model expects next after everything the user did, the held-out events included; nothing
/// of the history is given again. Users are scored block by block and the file is streamed, so the memory does
/// not grow with the number of users.
struct RecommendationWriter {
  let format: RecommendationFormat
  let count: Int
  let threads: Int

  /// Writes the file.
  ///
  /// - Parameters:
  ///   - data: histories and ids.
  ///   - model: gives the user vectors.
  ///   - items: the item vectors, `[I, w]`.
  ///   - output: gets the file.
  ///   - progress: called with the number of users done since the last call.
  /// - Throws: `PipelineError`: `.inputOutput`; `.dataFormat` if the model gives scores that are not numbers.
  func write(
    _ data: PreprocessedData, model: some ScoringModel, items: Matrix,
    to output: inout StageOutput, progress: (Int) -> Void
  ) throws(PipelineError) {
    let itemFields = data.catalogue.itemIDs.map { format.field($0) }
    var file = try output.beginFile(format.fileName)
    if format == .csv { try file.append(Array("user_id,rank,item_id,score\n".utf8)) }
    for first in stride(from: 0, to: data.sequences.count, by: CaseRanker.blockSize) {
      let block = first..<min(data.sequences.count, first + CaseRanker.blockSize)
      var histories = RaggedArray<UInt32>()
      for user in block { histories.append(contentsOf: data.items[user]) }
      let users = model.userVectors(histories, threads: threads)
      guard users.values.allSatisfy(\.isFinite) else { throw .modelNotFinite("user") }
      let top = topK(
        users: users, items: items, count: count, excluded: histories, threads: threads)
      var bytes: [UInt8] = []
      for user in block {
        append(
          user: format.field(data.userIDs[user]), items: top.items[user - first],
          scores: top.scores[user - first], itemFields: itemFields, to: &bytes)
      }
      try file.append(bytes)
      progress(block.count)
    }
    try output.endFile(file)
  }

  /// Appends the list of one user.
  private func append(
    user: [UInt8], items: ArraySlice<UInt32>, scores: ArraySlice<Float>, itemFields: [[UInt8]],
    to bytes: inout [UInt8]
  ) {
    if format == .jsonl {
      bytes += "{\"user_id\":".utf8
      bytes += user
      bytes += ",\"items\":[".utf8
    }
    for (place, (item, score)) in zip(items, scores).enumerated() {
      switch format {
      case .csv:
        bytes += user
        bytes += ",\(place + 1),".utf8
        bytes += itemFields[Int(item)]
        bytes += ",\(score)\n".utf8
      case .jsonl:
        bytes += (place == 0 ? "{\"item_id\":" : ",{\"item_id\":").utf8
        bytes += itemFields[Int(item)]
        bytes += ",\"score\":\(score)}".utf8
      }
    }
    if format == .jsonl { bytes += "]}\n".utf8 }
  }
}
