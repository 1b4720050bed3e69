internal import Dataset
internal import Numerics
public import Training

/// Targets of one step with their histories; a micro-batch is some of them.
public struct GeneratorBatch: StepBatch {
  /// The items before each target, oldest first, `[N]`; none is empty or longer than the model reads.
  public var histories: [ArraySlice<UInt32>]
  /// The next item after each history, `[N]`.
  public var targets: [UInt32]
  /// The digits of an item, C.
  public var digitCount: Int

  /// The number of digits that are predicted.
  public var tokenCount: Int { targets.count * digitCount }

  /// The targets cut into micro-batches of about `tokenLimit` digits, those of the histories included.
  public func microBatches(tokenLimit: Int) -> [GeneratorBatch] {
    microBatchRanges(
      tokenCounts: histories.map { ($0.count + 1) * digitCount }, tokenLimit: tokenLimit
    ).map {
      GeneratorBatch(
        histories: Array(histories[$0]), targets: Array(targets[$0]), digitCount: digitCount)
    }
  }
}

/// Every event of the train part of each user but the first, with the events before it, and the order of the epochs.
struct GeneratorExamples: ExampleSource {
  private let sequences: UserSequences
  private let maxLength: Int
  private let digitCount: Int
  private let order: CounterRandom
  /// The user and the place in the history of each target.
  private let places: [(user: UInt32, position: UInt32)]

  init(_ sequences: UserSequences, maxLength: Int, digitCount: Int, seed: UInt64) {
    self.sequences = sequences
    self.maxLength = maxLength
    self.digitCount = digitCount
    order = CounterRandom(seed: seed, stream: 0x4F52_4445)
    places = (0..<sequences.count).flatMap { user in
      (1..<max(1, sequences.trainEnds[user])).map { (UInt32(user), $0) }
    }
  }

  /// The number of targets.
  var count: Int { places.count }

  /// The same: each example predicts one event.
  var targetCount: Int? { count }

  /// The targets of an epoch, shuffled and cut into batches; a function of the seed and the epoch alone.
  func batches(epoch: Int, size: Int) -> [[Int]] {
    shuffledBatches(of: count, size: size, order.substream(UInt64(epoch)))
  }

  /// The histories of some targets.
  func batch(_ members: [Int], epoch: Int) -> GeneratorBatch {
    var batch = GeneratorBatch(histories: [], targets: [], digitCount: digitCount)
    for member in members {
      let (user, position) = places[member]
      let items = sequences.train(of: Int(user)).prefix(Int(position) + 1)
      batch.histories.append(items.dropLast().suffix(maxLength))
      batch.targets.append(items[items.endIndex - 1])
    }
    return batch
  }
}
