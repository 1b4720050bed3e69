import Dataset
import Models
import Numerics
import ShardIO
import SystemPackage

/// What the steps are timed on: the histories, and what a model is built from.
struct Workload {
  /// Batches that are gone through in turn.
  static let batchCount = 32
  let sequences: UserSequences
  let model: ModelData
}

extension Workload {
  /// Synthetic sequences: only the time per real position matters, so nothing is learned that could be learned.
  ///
  /// Popularity is Zipf-like; lengths follow a geometric distribution cut at the longest that the model reads. Without pairs: the
  /// alignment has the codes' positives alone.
  init(
    itemCount: Int, codes: Int, meanLength: Double, maxLength: Int, users: Int, threads: Int
  ) {
    let random = CounterRandom(seed: 3, stream: 9)
    var data = ModelData(
      itemCount: itemCount,
      codes: ItemCodes(
        levelSizes: Array(repeating: codes, count: 4),
        codes: (0..<itemCount * 4).map { UInt16(random.integer(below: codes, UInt64($0))) },
        codebooks: [], width: 0, usage: [UInt32](repeating: 1, count: 4 * codes), center: []))
    var source = SyntheticItems(itemCount: itemCount)
    let histories = (0..<users).map { _ in
      var length = 1
      while length < maxLength, source.uniform() < 1 - 1 / meanLength { length += 1 }
      return (0...length).map { _ in source.next() }
    }
    let ends = histories.map { UInt32($0.count) }
    sequences = UserSequences(
      userIDs: histories.indices.map { "u\($0)" }, items: RaggedArray(histories),
      times: RaggedArray(histories.map { $0.indices.map { Int64($0) } }), trainEnds: ends,
      validEnds: ends)
    data.trainCounts = [UInt32](repeating: 1, count: itemCount)
    data.trainLengths = histories.map(\.count)
    data.threads = threads
    model = data
  }

  /// The train sequences of real data as the train stage reads them.
  init(data: String, codes: String?, _ needs: ModelNeeds, threads: Int) throws {
    let input = try StageInput(directory: FilePath(data), expecting: "preprocess")
    let wantsVectors = !needs.isDisjoint(with: [.itemVectors, .itemVectorsIfPresent])
    let read = try PreprocessedData(input, includesVectors: wantsVectors)
    sequences = read.sequences
    var data = ModelData(
      itemCount: read.catalogue.count,
      codes: try codes.map {
        try ItemCodes(StageInput(directory: FilePath($0), expecting: "tokenize"))
      })
    data.vectors = read.vectors.map {
      Matrix(rows: $0.count, columns: $0.width, values: $0.values)
    }
    data.trainCounts = read.catalogue.trainCounts
    data.trainLengths = (0..<read.sequences.count).map { read.sequences.train(of: $0).count }
    data.preprocessed = input
    data.threads = threads
    model = data
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
