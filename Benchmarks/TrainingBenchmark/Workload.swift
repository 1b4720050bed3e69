import Dataset
import Models
import Numerics
import ShardIO
import SystemPackage

/// What the steps are timed on: a network's sizes, the batches, and the positives of the alignment loss.
struct Workload {
  let itemCount: Int
  let levelSizes: [Int]
  let codeRows: [UInt32]
  let pairs: AlignmentPairs?
  let batches: [TrainingBatch]
}

extension Workload {
  private static let batchCount = 32

  /// Synthetic sequences: only the time per real position matters, so nothing is learned that could be learned.
  ///
  /// Popularity is Zipf-like; lengths follow a geometric distribution cut at the longest that the model reads.
  init(
    itemCount: Int, codes: Int, meanLength: Double, maxLength: Int, batchSize: Int,
    negatives: Bool
  ) {
    self.itemCount = itemCount
    levelSizes = Array(repeating: codes, count: 4)
    let random = CounterRandom(seed: 3, stream: 9)
    codeRows = (0..<itemCount * 4).map {
      UInt32($0 % 4 * codes + random.integer(below: codes, UInt64($0)))
    }
    pairs = nil
    var source = SyntheticItems(itemCount: itemCount)
    batches = (0..<Self.batchCount).map { _ in
      var histories: [ArraySlice<UInt32>] = []
      var targets: [UInt32] = []
      for _ in 0..<batchSize {
        var length = 1
        while length < maxLength, source.uniform() < 1 - 1 / meanLength { length += 1 }
        histories.append((0..<length).map { _ in source.next() }[...])
        targets += (0..<length).map { _ in source.next() }
      }
      return TrainingBatch(
        histories: histories, targets: targets,
        negatives: negatives ? targets.map { _ in source.next() } : [])
    }
  }

  /// The train sequences of real data as the train stage cuts them, in an order that depends on nothing else.
  init(
    data: String, codes: String?, maxLength: Int, batchSize: Int, negatives: Bool
  ) throws {
    let input = try StageInput(directory: FilePath(data), expecting: "preprocess")
    let data = try PreprocessedData(input, includesVectors: false)
    let itemCodes = try codes.map {
      try ItemCodes(StageInput(directory: FilePath($0), expecting: "tokenize"))
    }
    itemCount = data.catalogue.count
    levelSizes = itemCodes?.levelSizes ?? []
    codeRows = itemCodes?.rows ?? []
    pairs =
      itemCodes == nil
      ? nil
      : AlignmentPairs(
        behaviour: try PositivePairs(input, .ppmi), codeRows: codeRows,
        levelCount: levelSizes.count, random: CounterRandom(seed: 42, stream: 0x5041_4952))
    let users = (0..<data.sequences.count).filter { data.sequences.trainEnds[$0] >= 2 }
    let order = CounterRandom(seed: 7, stream: 1).permutation(users.count)
    var source = SyntheticItems(itemCount: itemCount)
    batches = ranges(order.count, of: batchSize).prefix(Self.batchCount).map { range in
      let sequences = range.map { place in
        data.sequences.train(of: users[order[place]]).suffix(maxLength + 1)
      }
      let targets = sequences.flatMap { $0.dropFirst() }
      return TrainingBatch(
        histories: sequences.map { $0.dropLast() }, targets: targets,
        negatives: negatives ? targets.map { _ in source.next() } : [])
    }
  }
}

/// Items with Zipf-like popularity.
private struct SyntheticItems {
  let itemCount: Int
  private let random = CounterRandom(seed: 7, stream: 2)
  private var index: UInt64 = 0

  init(itemCount: Int) { self.itemCount = itemCount }

  mutating func uniform() -> Double {
    index += 1
    return random.uniform(index)
  }

  mutating func next() -> UInt32 {
    let place = uniform()
    return UInt32(min(Double(itemCount - 1), Double(itemCount) * place * place * place))
  }
}
