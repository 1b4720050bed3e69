internal import Foundation

// N items, M levels, K codes of a level.

/// How the items of a catalogue spread over the codes of one level.
struct LevelStatistics: Sendable, Equatable {
  /// The number of items with each code, shape `[K]`.
  let usage: [Int]

  init(usage: [Int]) {
    self.usage = usage
  }

  /// The number of codes that some item has.
  var usedCount: Int { usage.count { $0 > 0 } }

  /// The share of codes that some item has.
  var utilization: Double { Double(usedCount) / Double(usage.count) }

  /// Entropy of the codes in nats: −Σ p ln p.
  var entropy: Double {
    let total = Double(usage.reduce(0, +))
    return usage.reduce(0) { sum, count in
      guard count > 0 else { return sum }
      let share = Double(count) / total
      return sum - share * log(share)
    }
  }

  /// The entropy divided by its largest value ln K; 1 for a single code.
  var normalizedEntropy: Double {
    usage.count > 1 ? entropy / log(Double(usage.count)) : 1
  }

  /// exp(entropy): the number of equally frequent codes with the same entropy.
  var perplexity: Double { exp(entropy) }

  /// The share of the items that have the most frequent code.
  var largestShare: Double {
    Double(usage.max() ?? 0) / Double(max(1, usage.reduce(0, +)))
  }
}

/// Items that have the same code at every level.
struct CodeGroup: Sendable, Equatable {
  var codes: [UInt16]
  /// Ascending.
  var items: [Int]
}

/// The codes of a catalogue, counted.
struct CodeStatistics: Sendable, Equatable {
  let itemCount: Int
  let levels: [LevelStatistics]
  /// The number of different tuples.
  let distinctCount: Int
  /// Groups of two or more items, largest first, then by codes.
  let groups: [CodeGroup]

  /// Counts codes.
  ///
  /// - Parameters:
  ///   - codes: shape `[N, M]`, each below its level's size.
  ///   - levelSizes: the number of codes of each level.
  init(_ codes: [UInt16], levelSizes: [Int]) {
    let levelCount = levelSizes.count
    var usage = levelSizes.map { [Int](repeating: 0, count: $0) }
    for (index, code) in codes.enumerated() { usage[index % levelCount][Int(code)] += 1 }
    itemCount = codes.count / levelCount
    levels = usage.map(LevelStatistics.init)
    let keys = tupleKeys(codes, levelSizes: levelSizes)
    let order = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    var distinct = 0
    var found: [CodeGroup] = []
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, keys[order[end]] == keys[order[start]] { end += 1 }
      distinct += 1
      if end - start > 1 {
        let first = order[start] * levelCount
        found.append(
          CodeGroup(
            codes: Array(codes[first..<first + levelCount]), items: Array(order[start..<end])))
      }
      start = end
    }
    distinctCount = distinct
    groups = found.sorted {
      $0.items.count != $1.items.count
        ? $0.items.count > $1.items.count : $0.codes.lexicographicallyPrecedes($1.codes)
    }
  }

  /// The number of items that share their tuple with another item.
  var collidingCount: Int { groups.reduce(0) { $0 + $1.items.count } }

  /// The share of items that share their tuple with another item.
  var collisionRate: Double { Double(collidingCount) / Double(max(1, itemCount)) }
}

/// A number for each item; equal tuples have equal numbers, and tuples sort as their numbers do.
private func tupleKeys(_ codes: [UInt16], levelSizes: [Int]) -> [UInt64] {
  let levelCount = levelSizes.count
  var keys = [UInt64](repeating: 0, count: codes.count / levelCount)
  var bound: UInt64 = 1
  for (level, size) in levelSizes.enumerated() {
    if bound.multipliedReportingOverflow(by: UInt64(size)).overflow {
      // Ranks of the prefixes so far need fewer bits than the prefixes.
      let sorted = Set(keys).sorted()
      let ranks = Dictionary(uniqueKeysWithValues: zip(sorted, 0...).map { ($0, UInt64($1)) })
      keys = keys.map { ranks[$0] ?? 0 }
      bound = UInt64(sorted.count)
    }
    bound *= UInt64(size)
    for item in keys.indices {
      keys[item] = keys[item] * UInt64(size) + UInt64(codes[item * levelCount + level])
    }
  }
  return keys
}
