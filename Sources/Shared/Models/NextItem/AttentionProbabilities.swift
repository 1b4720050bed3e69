internal import Layers
internal import Numerics
internal import Tape

extension NextItemModel {
  /// How much each item of a history counts for the state after it: the probabilities of the encoder's last attention at
  /// the last position, averaged over its heads.
  ///
  /// The states that the last block attends to have read the items before them, so this says where the encoder looks,
  /// not what the score would be without an item.
  ///
  /// - Parameter history: not empty; the most recent L items are read.
  /// - Returns: for each branch one probability for each item that is read; they add up to 1.
  public func attention(
    over history: ArraySlice<UInt32>
  ) -> [(branch: String, weights: [Float])] {
    precondition(!history.isEmpty)
    guard let headCount else { return [] }
    let batch = SequenceBatch([history], maxLength: maxLength)
    let count = batch.items.count
    return TapePool(parameters: store.values).withTape { tape in
      tape.begin(recording: false, randomness: nil)
      var last: (queries: [Float], keys: [Float]) = ([], [])
      _ = states(batch, at: .last, on: tape, random: nil) { queries, keys in
        last = (queries.array, keys.array)
      }
      let width = last.queries.count / branchNames.count
      return branchNames.enumerated().map { stream, name in
        let weights = attentionProbabilities(
          last.queries[stream * width..<(stream + 1) * width], last.keys,
          tokens: stream * count..<(stream + 1) * count, headCount: headCount)
        return (name, weights)
      }
    }
  }
}

/// The mean over the heads of the softmax of a query, `[d]`, with the keys of some tokens, each followed by its value.
private func attentionProbabilities(
  _ query: ArraySlice<Float>, _ keys: [Float], tokens: Range<Int>, headCount: Int
) -> [Float] {
  let d = query.count
  let width = d / headCount
  var result = [Float](repeating: 0, count: tokens.count)
  for head in 0..<headCount {
    let first = query.startIndex + head * width
    let scores = tokens.map { token in
      let key = token * 2 * d + head * width
      return (0..<width).reduce(Float(0)) { $0 + query[first + $1] * keys[key + $1] }
        / Float(width).squareRoot()
    }
    let greatest = scores.max() ?? 0
    let terms = scores.map { Float(exponential(Double($0 - greatest))) }
    let sum = terms.reduce(0, +) * Float(headCount)
    for (position, term) in terms.enumerated() { result[position] += term / sum }
  }
  return result
}
