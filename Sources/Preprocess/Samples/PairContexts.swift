internal import ShardIO

/// What stands beside each train event of the items of a range.
struct Contexts: Sendable {
  static let gap = UInt32.max
  let window: Int
  private let range: Range<Int>
  /// For each item of the range, its first event, with the number of events.
  private var offsets: [Int]
  /// For each event the item one place before, one place after, two places before and so on; a gap where there is none.
  private var beside: [UInt32]

  /// Goes through all sequences; events of an item keep their order.
  ///
  /// - Parameters:
  ///   - range: the items.
  ///   - histories: with dense items.
  ///   - trainEnds: where each user's train part ends.
  ///   - counts: for each item its train events.
  ///   - window: how far to look.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  init(
    _ range: Range<Int>, _ histories: Histories, trainEnds: [UInt32], counts: [UInt32],
    window: Int
  ) throws(PipelineError) {
    self.range = range
    self.window = window
    offsets = [0]
    for item in range { offsets.append(offsets[offsets.count - 1] + Int(counts[item])) }
    beside = Array(repeating: Self.gap, count: offsets[range.count] * 2 * window)
    var next = offsets
    let rows = histories.firstRows
    for index in histories.parts.indices {
      let part = try histories.part(index)
      for user in 0..<part.userCount {
        let train = part.range(of: user).prefix(Int(trainEnds[rows[index] + user]))
        for place in train where range.contains(Int(part.items[place])) {
          let item = Int(part.items[place]) - range.lowerBound
          note(part.items, place, train, at: next[item])
          next[item] += 1
        }
      }
    }
  }

  private mutating func note(
    _ items: [UInt32], _ place: Int, _ train: Range<Int>, at event: Int
  ) {
    var target = event * 2 * window
    for distance in 1...window {
      if place - distance >= train.lowerBound { beside[target] = items[place - distance] }
      if place + distance < train.upperBound { beside[target + 1] = items[place + distance] }
      target += 2
    }
  }

  /// What stands beside the events of an item, all events one after another.
  func beside(_ item: Int) -> ArraySlice<UInt32> {
    let index = item - range.lowerBound
    return beside[offsets[index] * 2 * window..<offsets[index + 1] * 2 * window]
  }
}

/// What occurs near one item.
struct PairTally {
  var item: UInt32 = 0
  var counts: [UInt32]
  var decays: [Double]
  var touched: [UInt32] = []

  init(itemCount: Int) {
    counts = Array(repeating: 0, count: itemCount)
    decays = Array(repeating: 0, count: itemCount)
  }

  mutating func count(_ item: Int, _ contexts: Contexts) {
    for other in touched {
      counts[Int(other)] = 0
      decays[Int(other)] = 0
    }
    touched.removeAll(keepingCapacity: true)
    self.item = UInt32(item)
    // The weight of each distance, on both sides.
    var weights: [Double] = []
    var weight = 1.0
    for _ in 0..<contexts.window {
      weights += [weight, weight]
      weight = max(0.3, weight * 0.8)
    }
    var side = 0
    for other in contexts.beside(item) {
      if other != Contexts.gap { add(other, weights[side]) }
      side = side + 1 == weights.count ? 0 : side + 1
    }
  }

  private mutating func add(_ other: UInt32, _ weight: Double) {
    if counts[Int(other)] == 0 { touched.append(other) }
    counts[Int(other)] += 1
    decays[Int(other)] += weight
  }
}
