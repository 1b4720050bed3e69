import Dataset
import Models
import Numerics
import ShardIO
import SystemPackage
import TestSupport

/// A tiny shop with everything that a model can read: sequences, codes, text vectors, pairs.
struct ContractWorld {
  static let itemCount = 24
  let sequences: UserSequences
  let codes: ItemCodes
  let data: ModelData

  /// Writes the shop as the output of a preprocess stage to `directory`, and reads it.
  init(in directory: FilePath) throws {
    let itemCount = Self.itemCount
    let histories = (0..<40).map { (user: Int) -> [UInt32] in
      (0..<4 + user % 6).map { UInt32((user * 7 + $0 * (1 + user % 3)) % itemCount) }
    }
    sequences = UserSequences(
      userIDs: histories.indices.map { "u\($0)" }, items: RaggedArray(histories),
      times: RaggedArray(histories.map { $0.indices.map { Int64($0) } }),
      trainEnds: histories.map { UInt32($0.count - 2) },
      validEnds: histories.map { UInt32($0.count - 1) })
    codes = ItemCodes(
      levelSizes: [6, 4], codes: (0..<itemCount).flatMap { [UInt16($0 / 4), UInt16($0 % 4)] },
      codebooks: Grid.noise(10, 5, seed: 1).floats, width: 5,
      usage: [UInt32](repeating: 4, count: 6) + [UInt32](repeating: 6, count: 4),
      center: [Float](repeating: 0, count: 5))
    let vectors = Grid.noise(itemCount, 5, seed: 2).floats
    let counts = (0..<itemCount).map { item in
      UInt32(
        (0..<histories.count).reduce(0) { sum, user in
          sum + histories[user].dropLast(2).count { $0 == UInt32(item) }
        })
    }
    let input = try Self.write(
      to: directory, sequences: sequences, vectors: vectors, counts: counts)
    var data = ModelData(itemCount: itemCount, codes: codes)
    data.vectors = Matrix(rows: itemCount, columns: 5, values: vectors)
    data.trainCounts = counts
    data.preprocessed = input
    data.seed = 3
    self.data = data
  }

  private static func write(
    to directory: FilePath, sequences: UserSequences, vectors: [Float], counts: [UInt32]
  ) throws -> StageInput {
    let items = 0..<itemCount
    var stage = try StageOutput(directory: directory, stage: "preprocess")
    let catalogue = Catalogue(
      itemIDs: items.map { "i\($0)" }, titles: items.map { "Item \($0)" },
      categories: items.map { ["c\($0 / 8)"] }, texts: items.map { "text of item \($0)" },
      trainCounts: counts, isHead: items.map { $0 < 5 }, isTail: items.map { $0 >= 5 },
      buckets: counts.map { PopularityBucket(trainCount: Int($0)) })
    try stage.write(sequences.table)
    try stage.write(catalogue.table)
    try stage.write(ItemVectors(values: vectors, width: 5).table)
    let neighbours = items.map {
      [UInt32(($0 + 1) % itemCount), UInt32(($0 + 5) % itemCount)].sorted()
    }
    let pairs = PositivePairs(
      neighbours: RaggedArray(neighbours),
      weights: RaggedArray(neighbours.map { _ in [0.5, 0.75] }))
    for kind in PositivePairs.Kind.allCases { try stage.write(pairs.table(kind)) }
    try stage.commit(configuration: [:], inputs: [], counters: [:])
    return try StageInput(directory: directory, expecting: "preprocess")
  }

  /// The train part of every user, as scoring reads it.
  var histories: RaggedArray<UInt32> {
    RaggedArray((0..<sequences.count).map { Array(sequences.train(of: $0)) })
  }
}
