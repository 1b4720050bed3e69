import Dataset
import Numerics

/// For each item other items with a weight above 0.
struct ItemGraph: Sendable, Equatable {
  /// The neighbours of each item.
  let neighbours: [[Neighbour]]

  /// One neighbour.
  struct Neighbour: Sendable, Equatable {
    let item: UInt32
    let weight: Double
  }

  /// A graph from its edges.
  init(neighbours: [[Neighbour]]) { self.neighbours = neighbours }

  /// How often the training events of a user go from an item to another one directly.
  init(transitionsOf sequences: UserSequences, itemCount: Int) {
    var counts = [[UInt32: Int]](repeating: [:], count: itemCount)
    for user in 0..<sequences.count {
      let train = sequences.train(of: user)
      for (item, next) in zip(train, train.dropFirst()) where item != next {
        counts[Int(item)][next, default: 0] += 1
      }
    }
    neighbours = counts.map { found in
      found.sorted { $0.key < $1.key }.map { Neighbour(item: $0.key, weight: Double($0.value)) }
    }
  }

  /// The most similar items: the cosine of the sets of users who have them among their training events.
  ///
  /// - Parameters:
  ///   - sequences: the training events; of a user with more than `eventLimit` the last ones.
  ///   - itemCount: items of the catalogue.
  ///   - limit: neighbours of an item.
  ///   - eventLimit: bounds the time, which grows with the square of a user's events.
  ///   - threads: threads to use; the result does not depend on it.
  init(
    cosinesOf sequences: UserSequences, itemCount: Int, limit: Int = 100, eventLimit: Int = 100,
    threads: Int
  ) {
    let sets = ItemSets(sequences, itemCount: itemCount, eventLimit: eventLimit)
    let (histories, owners) = (sets.histories, sets.users)
    let blockSize = 256
    let blocks = parallelMap((itemCount + blockSize - 1) / blockSize, threads: threads) { block in
      var common = ScoreBoard(itemCount: itemCount)
      return (block * blockSize..<min(itemCount, (block + 1) * blockSize)).map { item in
        common.clear()
        for user in owners[item] {
          for other in histories[Int(user)] where other != UInt32(item) { common.add(1, to: other) }
        }
        let found = common.items.map { other in
          let product = Double(owners[item].count) * Double(owners[Int(other)].count)
          return Neighbour(item: other, weight: common[other] / product.squareRoot())
        }
        return Array(
          found.sorted { ($1.weight, $0.item) < ($0.weight, $1.item) }.prefix(limit))
      }
    }
    neighbours = blocks.flatMap(\.self)
  }
}
