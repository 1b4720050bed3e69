internal import Dataset
internal import Glibc
internal import ShardIO
internal import Threading

/// Finds the items that occur near one another in train sequences.
struct PairBuilder: Sendable {
  /// How far apart two events of a user may be.
  var window = 3
  /// The most neighbours of an item.
  var maximumCount = 50
  /// PPMI: the least number of co-occurrences.
  var minimumOccurrences = 2

  /// How often items occur in train sequences.
  private struct Totals: Sendable {
    /// For each item, the number of its events.
    var events: [UInt32]
    /// For each item, the number of its ordered pairs, and all of them together.
    var pairs: [Int]
    var allPairs: Int
  }

  /// Builds pairs.
  ///
  /// - Parameters:
  ///   - kinds: how pairs are weighted.
  ///   - histories: with dense items.
  ///   - trainEnds: where each user's train part ends; nothing after it is looked at.
  ///   - itemCount: the number of items.
  /// - Returns: for each kind the neighbours of each item; not symmetric, because each item keeps its own best.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  func pairs(
    _ kinds: [PositivePairs.Kind], _ histories: Histories, trainEnds: [UInt32], itemCount: Int
  ) throws(PipelineError) -> [PositivePairs] {
    let events = try histories.itemCounts(itemCount, upTo: trainEnds)
    let pairs = try pairCounts(histories, trainEnds, itemCount)
    let totals = Totals(events: events, pairs: pairs, allPairs: pairs.reduce(0, +))
    // Each range goes through all events; there are more than threads only where memory asks for it.
    let contextByteCount = events.reduce(0) { $0 + Int($1) } * (8 * window + 4)
    let threads = histories.threads
    let rangeCount = max(
      threads, contextByteCount * threads / max(1, histories.storage.byteCount / 2) + 1)
    let ranges = balancedRanges(events, count: rangeCount)
    let pieces = try parallelMap(ranges.count, threads: threads) { index throws(PipelineError) in
      let contexts = try Contexts(
        ranges[index], histories, trainEnds: trainEnds, counts: events, window: window)
      return neighbours(kinds, of: ranges[index], contexts, totals)
    }
    return kinds.indices.map { kind in
      var neighbours = RaggedArray<UInt32>()
      var weights = RaggedArray<Float>()
      for row in pieces.lazy.map({ $0[kind] }).joined() {
        neighbours.append(contentsOf: row.map(\.item))
        weights.append(contentsOf: row.map(\.weight))
      }
      return PositivePairs(neighbours: neighbours, weights: weights)
    }
  }

  /// For each item, the number of its ordered pairs.
  private func pairCounts(
    _ histories: Histories, _ trainEnds: [UInt32], _ itemCount: Int
  ) throws(PipelineError) -> [Int] {
    let rows = histories.firstRows
    return try histories.sums(itemCount) { index, part, counts in
      for user in 0..<part.userCount {
        let train = part.range(of: user).prefix(Int(trainEnds[rows[index] + user]))
        for place in train {
          counts[Int(part.items[place])] +=
            min(place - train.lowerBound, window) + min(train.upperBound - 1 - place, window)
        }
      }
    }
  }

  /// A neighbour with its weight.
  private typealias Weighted = (item: UInt32, weight: Float)

  /// The neighbours of the items of a range, by kind and item.
  private func neighbours(
    _ kinds: [PositivePairs.Kind], of range: Range<Int>, _ contexts: Contexts, _ totals: Totals
  ) -> [[[Weighted]]] {
    var found = kinds.map { _ in [[Weighted]]() }
    var tally = PairTally(itemCount: totals.events.count)
    for item in range {
      tally.count(item, contexts)
      for (kind, name) in kinds.enumerated() {
        switch name {
        case .ppmi: found[kind].append(mutualInformation(item, tally, totals))
        case .decay: found[kind].append(decay(tally))
        }
      }
    }
    return found
  }

  /// log(c·N / (mᵢ·mⱼ)) with the pair counts c and their marginals m, all over the same N ordered pairs: one normaliser,
  /// where the published code divides item counts by the number of pairs.
  private func mutualInformation(_ item: Int, _ tally: PairTally, _ totals: Totals) -> [Weighted] {
    var best = BestNeighbours(limit: maximumCount)
    /// A ratio below this cannot be among the best; spares most logarithms.
    var leastRatio = 1.0
    for other in tally.touched where tally.counts[Int(other)] >= minimumOccurrences {
      let count = tally.counts[Int(other)]
      if other == item { continue }
      let ratio =
        Double(count) * Double(totals.allPairs)
        / (Double(totals.pairs[item]) * Double(totals.pairs[Int(other)]))
      guard ratio > 1, ratio >= leastRatio else { continue }
      best.insert(Neighbour(item: other, score: log(ratio), occurrences: count))
      // A little less than the worst, so that rounding decides nothing.
      if let worst = best.worst { leastRatio = exp(worst.score) * (1 - 1e-9) }
    }
    let low = best.neighbours.last?.score ?? 0
    let high = best.neighbours.first?.score ?? 0
    return best.inOrder.map { neighbour in
      let scaled = high > low ? 0.3 + 0.7 * (neighbour.score - low) / (high - low) : 0.7
      return (neighbour.item, Float(scaled))
    }
  }

  /// The mean of max(0.3, 0.8^(distance − 1)) over all co-occurrences.
  private func decay(_ tally: PairTally) -> [Weighted] {
    var best = BestNeighbours(limit: maximumCount)
    for other in tally.touched where other != tally.item {
      let count = tally.counts[Int(other)]
      let mean = tally.decays[Int(other)] / Double(count)
      best.insert(Neighbour(item: other, score: mean, occurrences: count))
    }
    return best.inOrder.map { ($0.item, Float($0.score)) }
  }
}

/// A neighbour while the best are chosen.
struct Neighbour: Equatable {
  var item: UInt32
  var score: Double
  var occurrences: UInt32

  /// Whether it is better: by score, then by occurrences, then by smaller number.
  func precedes(_ other: Neighbour) -> Bool {
    if score != other.score { return score > other.score }
    if occurrences != other.occurrences { return occurrences > other.occurrences }
    return item < other.item
  }
}

/// The best of many neighbours.
struct BestNeighbours {
  let limit: Int
  /// Best first.
  private(set) var neighbours: [Neighbour] = []

  init(limit: Int) { self.limit = limit }

  /// The last one, once there are so many that each new one drives one out.
  var worst: Neighbour? { neighbours.count == limit ? neighbours.last : nil }

  /// In ascending order of their numbers.
  var inOrder: [Neighbour] { neighbours.sorted { $0.item < $1.item } }

  mutating func insert(_ neighbour: Neighbour) {
    if let worst {
      guard neighbour.precedes(worst) else { return }
      neighbours.removeLast()
    }
    var low = 0
    var high = neighbours.count
    while low < high {
      let middle = (low + high) / 2
      if neighbours[middle].precedes(neighbour) { low = middle + 1 } else { high = middle }
    }
    neighbours.insert(neighbour, at: low)
  }
}
