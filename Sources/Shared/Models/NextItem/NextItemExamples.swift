internal import Dataset
internal import Losses
internal import Numerics
internal import Training

/// The train part of every user as inputs and next items, and the order of the epochs.
struct NextItemExamples: ExampleSource {
  private let sequences: [ArraySlice<UInt32>]
  private let users: [Int]
  private let histories: [Set<UInt32>]
  private let negativeCount: Int
  private let sampler: ItemSampler
  private let order: CounterRandom
  private let negatives: CounterRandom

  /// Takes users with at least two train items; the most recent `maxLength + 1` of them.
  ///
  /// - Parameters:
  ///   - sequences: the histories of all users.
  ///   - maxLength: the most inputs of a sequence.
  ///   - negativeCount: negatives for each position.
  ///   - sampler: how they are drawn.
  ///   - seed: of the order of the epochs and of the negatives.
  init(
    _ sequences: UserSequences, maxLength: Int, negativeCount: Int, sampler: ItemSampler,
    seed: UInt64
  ) {
    users = (0..<sequences.count).filter { sequences.trainEnds[$0] >= 2 }
    self.sequences = users.map { sequences.train(of: $0).suffix(maxLength + 1) }
    histories = negativeCount > 0 ? users.map { Set(sequences.train(of: $0)) } : []
    self.negativeCount = negativeCount
    self.sampler = sampler
    order = CounterRandom(seed: seed, stream: 0x4F52_4445)
    negatives = CounterRandom(seed: seed, stream: 0x4E45_4741)
  }

  /// The number of sequences.
  var count: Int { sequences.count }

  /// The sequences of an epoch, shuffled and cut into batches; a function of the seed and the epoch alone.
  func batches(epoch: Int, size: Int) -> [[Int]] {
    let shuffled = order.substream(UInt64(epoch)).permutation(count)
    return ranges(count, of: size).map { Array(shuffled[$0]) }
  }

  /// The inputs, targets and negatives of some sequences.
  func batch(_ members: [Int], epoch: Int) -> NextItemBatch {
    var targets: [UInt32] = []
    var drawn: [UInt32] = []
    for member in members {
      let next = sequences[member].dropFirst()
      targets += next
      drawn += drawNegatives(member, count: next.count * negativeCount, epoch: epoch)
    }
    return NextItemBatch(
      histories: members.map { sequences[$0].dropLast() }, targets: targets, negatives: drawn)
  }

  /// Items outside a user's train history; any item for a user who has seen everything.
  private func drawNegatives(_ member: Int, count: Int, epoch: Int) -> [UInt32] {
    guard count > 0 else { return [] }
    let stream = negatives.substream(UInt64(epoch)).substream(UInt64(users[member]))
    let seen = histories[member]
    var drawn: [UInt32] = []
    var index: UInt64 = 0
    while drawn.count < count {
      let item = sampler.item(stream, index)
      index += 1
      if seen.count >= sampler.count || !seen.contains(item) { drawn.append(item) }
    }
    return drawn
  }
}
