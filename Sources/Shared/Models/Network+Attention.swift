internal import Numerics
internal import Tape

extension Network {
  /// How much each item of a history counts for the state after it: the probabilities of the encoder's last attention at
  /// the last position, averaged over its heads.
  ///
  /// The states that the last block attends to have read the items before them, so this says where the encoder looks,
  /// not what the score would be without an item.
  ///
  /// - Parameter history: not empty; the most recent L items are read.
  /// - Returns: for each branch in the order of ``branches`` one probability for each item that is read; they add up to 1.
  public func attention(over history: ArraySlice<UInt32>) -> [[Float]] {
    precondition(!history.isEmpty)
    let batch = SequenceBatch([history], maxLength: hyper.maxLength)
    let count = batch.items.count
    return TapePool(parameters: parameters).withTape { tape in
      tape.begin(recording: false, randomness: nil)
      var last: (queries: [Float], keys: [Float]) = ([], [])
      _ = forward(batch, at: .last, on: tape) { queries, keys in last = (queries.array, keys.array)
      }
      return branches.indices.map { stream in
        probabilities(
          last.queries[stream * hyper.dimension..<(stream + 1) * hyper.dimension], last.keys,
          tokens: stream * count..<(stream + 1) * count)
      }
    }
  }

  /// The mean over the heads of the softmax of a query, `[d]`, with the keys of some tokens.
  private func probabilities(
    _ query: ArraySlice<Float>, _ keys: [Float], tokens: Range<Int>
  ) -> [Float] {
    let d = hyper.dimension
    let width = d / hyper.headCount
    var result = [Float](repeating: 0, count: tokens.count)
    for head in 0..<hyper.headCount {
      let first = query.startIndex + head * width
      let scores = tokens.map { token in
        let key = token * 2 * d + head * width
        return (0..<width).reduce(Float(0)) { $0 + query[first + $1] * keys[key + $1] }
          / Float(width).squareRoot()
      }
      let greatest = scores.max() ?? 0
      let terms = scores.map { Float(exponential(Double($0 - greatest))) }
      let sum = terms.reduce(0, +) * Float(hyper.headCount)
      for (place, term) in terms.enumerated() { result[place] += term / sum }
    }
    return result
  }
}
