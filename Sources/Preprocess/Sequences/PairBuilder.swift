internal import Dataset
internal import Glibc
internal import ShardIO

/// Finds the items that occur near one another in train sequences.
struct PairBuilder: Sendable {
  /// How far apart two events of a user may be.
  var window = 3
  /// The most neighbours of an item.
  var maximumCount = 50
  /// PPMI: the least number of co-occurrences.
  var minimumOccurrences = 2
  var threads = 1

  /// Train sequences one after another, a gap between users, and where each item occurs.
  private struct Occurrences: Sendable {
    static let gap = UInt32.max
    var flat: [UInt32]
    var offsets: [Int]
    var places: [UInt32]
    /// For each item, the number of its ordered pairs.
    var pairCounts: [Int]

    func places(of item: Int) -> ArraySlice<UInt32> { places[offsets[item]..<offsets[item + 1]] }
  }

  /// Builds the pairs of one kind.
  ///
  /// - Parameters:
  ///   - kind: how pairs are weighted.
  ///   - histories: with dense items.
  ///   - trainEnds: where each user's train part ends; nothing after it is looked at.
  ///   - itemCount: the number of items.
  /// - Returns: for each item its neighbours; not symmetric, because each item keeps its own best.
  func pairs(
    _ kind: PositivePairs.Kind, _ histories: Histories, trainEnds: [UInt32], itemCount: Int
  ) -> PositivePairs {
    let occurrences = occurrences(histories, trainEnds, itemCount)
    let ranges = balancedRanges(occurrences.offsets, valuesPerRange: 1 << 16)
    let total = occurrences.pairCounts.reduce(0, +)
    let pieces = parallelMap(ranges.count, threads: threads) { index in
      var tally = Tally(itemCount: itemCount)
      return ranges[index].map { item in
        tally.count(item, occurrences.flat, occurrences.places(of: item), window: window)
        return switch kind {
        case .ppmi: mutualInformation(item, tally, occurrences.pairCounts, total)
        case .decay: decay(tally)
        }
      }
    }
    var neighbours = RaggedArray<UInt32>()
    var weights = RaggedArray<Float>()
    for row in pieces.joined() {
      neighbours.append(contentsOf: row.map(\.item))
      weights.append(contentsOf: row.map(\.weight))
    }
    return PositivePairs(neighbours: neighbours, weights: weights)
  }

  private func occurrences(
    _ histories: Histories, _ trainEnds: [UInt32], _ itemCount: Int
  ) -> Occurrences {
    var flat: [UInt32] = []
    flat.reserveCapacity(histories.eventCount + histories.userCount)
    var offsets = [Int](repeating: 0, count: itemCount + 1)
    for user in 0..<histories.userCount {
      for item in histories.items[histories.range(of: user)].prefix(Int(trainEnds[user])) {
        flat.append(item)
        offsets[Int(item) + 1] += 1
      }
      flat.append(Occurrences.gap)
    }
    for item in 0..<itemCount { offsets[item + 1] += offsets[item] }
    var next = offsets
    var places = [UInt32](repeating: 0, count: offsets[itemCount])
    var pairCounts = [Int](repeating: 0, count: itemCount)
    for (place, item) in flat.enumerated() where item != Occurrences.gap {
      places[next[Int(item)]] = UInt32(place)
      next[Int(item)] += 1
      for other in place + 1..<min(place + window + 1, flat.count) {
        if flat[other] == Occurrences.gap { break }
        pairCounts[Int(item)] += 1
        pairCounts[Int(flat[other])] += 1
      }
    }
    return Occurrences(flat: flat, offsets: offsets, places: places, pairCounts: pairCounts)
  }

  /// A neighbour while the best are chosen.
  private struct Neighbour {
    var item: UInt32
    var weight: Float
    var score: Double
    var occurrences: UInt32
  }

  /// log(c·N / (mᵢ·mⱼ)) with the pair counts c and their marginals m, all over the same N ordered pairs: one normaliser,
  /// where the published code divides item counts by the number of pairs.
  private func mutualInformation(
    _ item: Int, _ tally: Tally, _ marginals: [Int], _ total: Int
  ) -> [(item: UInt32, weight: Float)] {
    var found: [Neighbour] = []
    for other in tally.touched where tally.counts[Int(other)] >= minimumOccurrences {
      let count = tally.counts[Int(other)]
      if other == item { continue }
      let ratio =
        Double(count) * Double(total)
        / (Double(marginals[item]) * Double(marginals[Int(other)]))
      guard ratio > 1 else { continue }
      found.append(Neighbour(item: other, weight: 0, score: log(ratio), occurrences: count))
    }
    keepBest(&found)
    let low = found.map(\.score).min() ?? 0
    let high = found.map(\.score).max() ?? 0
    for index in found.indices {
      let scaled = high > low ? 0.3 + 0.7 * (found[index].score - low) / (high - low) : 0.7
      found[index].weight = Float(scaled)
    }
    return found.map { ($0.item, $0.weight) }
  }

  /// The mean of max(0.3, 0.8^(distance − 1)) over all co-occurrences.
  private func decay(_ tally: Tally) -> [(item: UInt32, weight: Float)] {
    var found: [Neighbour] = []
    for other in tally.touched where other != tally.item {
      let count = tally.counts[Int(other)]
      let mean = tally.decays[Int(other)] / Double(count)
      found.append(
        Neighbour(item: other, weight: Float(mean), score: mean, occurrences: count))
    }
    keepBest(&found)
    return found.map { ($0.item, $0.weight) }
  }

  /// Keeps the best by score, then by occurrences, then by smaller number; in ascending order of numbers.
  private func keepBest(_ found: inout [Neighbour]) {
    if found.count > maximumCount {
      found.sort { left, right in
        if left.score != right.score { return left.score > right.score }
        if left.occurrences != right.occurrences { return left.occurrences > right.occurrences }
        return left.item < right.item
      }
      found.removeLast(found.count - maximumCount)
    }
    found.sort { $0.item < $1.item }
  }

  /// What occurs near one item.
  private struct Tally {
    var item: UInt32 = 0
    var counts: [UInt32]
    var decays: [Double]
    var touched: [UInt32] = []

    init(itemCount: Int) {
      counts = Array(repeating: 0, count: itemCount)
      decays = Array(repeating: 0, count: itemCount)
    }

    mutating func count(
      _ item: Int, _ flat: [UInt32], _ places: ArraySlice<UInt32>, window: Int
    ) {
      for other in touched {
        counts[Int(other)] = 0
        decays[Int(other)] = 0
      }
      touched.removeAll(keepingCapacity: true)
      self.item = UInt32(item)
      for place in places {
        var weight = 1.0
        var isLeftOpen = true
        var isRightOpen = true
        for distance in 1...window {
          let left = Int(place) - distance
          isLeftOpen = isLeftOpen && left >= 0 && flat[max(left, 0)] != Occurrences.gap
          if isLeftOpen { add(flat[left], weight) }
          let right = Int(place) + distance
          isRightOpen = isRightOpen && flat[right] != Occurrences.gap
          if isRightOpen { add(flat[right], weight) }
          weight = max(0.3, weight * 0.8)
        }
      }
    }

    private mutating func add(_ other: UInt32, _ weight: Double) {
      if counts[Int(other)] == 0 { touched.append(other) }
      counts[Int(other)] += 1
      decays[Int(other)] += weight
    }
  }
}
