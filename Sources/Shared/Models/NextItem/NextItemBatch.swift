public import Layers
internal import Numerics
public import Training

/// Sequences of one step: what is read, what must be predicted, and negatives.
public struct NextItemBatch: StepBatch {
  /// The inputs of each sequence, oldest first; none is empty or longer than the model reads.
  public var histories: [ArraySlice<UInt32>]
  /// The next item after each input, or where some inputs are hidden the inputs themselves, `[T]`.
  public var targets: [UInt32]
  /// Negatives for each target, n in a row, or where some inputs are hidden for each of these; empty where the loss needs none.
  public var negatives: [UInt32]
  /// The inputs that are hidden and predicted, ascending; nil where each input predicts its next item.
  public var hidden: [Int]?

  /// Creates a batch from its parts.
  public init(histories: [ArraySlice<UInt32>], targets: [UInt32], negatives: [UInt32] = []) {
    precondition(histories.reduce(0) { $0 + $1.count } == targets.count)
    self.histories = histories
    self.targets = targets
    self.negatives = negatives
  }

  /// The number of positions, T.
  public var tokenCount: Int { targets.count }

  /// The sequences cut into micro-batches of about `tokenLimit` tokens, at fixed places that depend on the
  /// lengths alone; an even number of them, so that two threads have the same work.
  public func microBatches(tokenLimit: Int) -> [SequenceBatch] {
    var rest = (hidden ?? [])[...]
    var first = 0
    return ranges(tokenLimit: tokenLimit).map { range in
      var batch = SequenceBatch(Array(histories[range]), maxLength: .max)
      let end = first + batch.items.count
      if hidden != nil {
        let own = rest.prefix { $0 < end }
        batch.hidden = own.map { UInt32($0 - first) }
        rest = rest.dropFirst(own.count)
      }
      first = end
      return batch
    }
  }

  func ranges(tokenLimit: Int) -> [Range<Int>] {
    microBatchRanges(tokenCounts: histories.map(\.count), tokenLimit: tokenLimit)
  }

  /// The targets and negatives of the positions that are read.
  func predictions(at readout: Readout) -> (targets: [UInt32], negatives: [UInt32]) {
    if let hidden { return (hidden.map { targets[$0] }, negatives) }
    guard readout == .last else { return (targets, negatives) }
    let perTarget = negatives.count / max(1, targets.count)
    var end = 0
    let last = histories.map { history in
      end += history.count
      return end - 1
    }
    return (
      last.map { targets[$0] },
      last.flatMap { negatives[$0 * perTarget..<($0 + 1) * perTarget] }
    )
  }
}

/// Neighbouring examples of about `tokenLimit` tokens together; an even number of ranges where there are enough examples, so that two
/// threads have the same work.
///
/// - Parameters:
///   - tokenCounts: of each example.
///   - tokenLimit: about how many tokens a range has.
/// - Returns: ranges that depend on the lengths alone, none of them empty.
func microBatchRanges(tokenCounts: [Int], tokenLimit: Int) -> [Range<Int>] {
  let all = tokenCounts.reduce(0, +)
  let pairCount = max(1, (all + tokenLimit) / (2 * tokenLimit))
  let wanted = max(1, min(tokenCounts.count, 2 * pairCount))
  var ranges: [Range<Int>] = []
  var first = 0
  var tokens = 0
  for (index, count) in tokenCounts.enumerated() {
    tokens += count
    let isFull = tokens * wanted >= all * (ranges.count + 1)
    if isFull || index == tokenCounts.count - 1 {
      ranges.append(first..<index + 1)
      first = index + 1
    }
  }
  return ranges
}

/// Examples in an order of their own, cut into batches; the last one may be smaller.
func shuffledBatches(of count: Int, size: Int, _ random: CounterRandom) -> [[Int]] {
  let shuffled = random.permutation(count)
  return ranges(count, of: size).map { Array(shuffled[$0]) }
}
