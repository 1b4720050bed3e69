/// Sequences of one step: what is read, what must be predicted, and negatives.
public struct TrainingBatch: Sendable {
  /// The inputs of each sequence, oldest first; none is empty or longer than the model reads.
  public var histories: [ArraySlice<UInt32>]
  /// The next item after each input, `[T]`.
  public var targets: [UInt32]
  /// Negatives for each target, n in a row; empty where the loss needs none.
  public var negatives: [UInt32]

  /// Creates a batch from its parts.
  public init(histories: [ArraySlice<UInt32>], targets: [UInt32], negatives: [UInt32] = []) {
    precondition(histories.reduce(0) { $0 + $1.count } == targets.count)
    self.histories = histories
    self.targets = targets
    self.negatives = negatives
  }

  /// The number of positions, T.
  public var tokenCount: Int { targets.count }

  /// The sequences cut into micro-batches of about `tokensPerPart` tokens, at fixed places that depend on the
  /// lengths alone; an even number of them, so that two threads have the same work.
  func parts(tokensPerPart: Int) -> [Range<Int>] {
    let pairCount = max(1, (tokenCount + tokensPerPart) / (2 * tokensPerPart))
    let partCount = max(1, min(histories.count, 2 * pairCount))
    var parts: [Range<Int>] = []
    var first = 0
    var tokens = 0
    for (index, history) in histories.enumerated() {
      tokens += history.count
      let isFull = tokens * partCount >= tokenCount * (parts.count + 1)
      if isFull || index == histories.count - 1 {
        parts.append(first..<index + 1)
        first = index + 1
      }
    }
    return parts
  }
}
