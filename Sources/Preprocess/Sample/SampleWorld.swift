internal import Numerics

/// The shop of the sample: what its items are and what is bought after what.
///
/// Items come in families of three variants. Those of head items (the most popular fifth) share one text vector and so,
/// later, one semantic id; rare items have vectors of their own near their topic. A head item is followed by three head
/// items of its own, chosen without regard to topics: only an id can learn that, since the other variants of its family
/// have other followers. A rare item is followed by rare items of the topic that follows its own topic: with a dozen
/// events an item, only what is shared through the text shows that.
struct SampleWorld: Sendable {
  let itemCount: Int
  let topicCount: Int
  let headCount: Int
  private let random: CounterRandom
  /// The item at each place of popularity, and the place of each item.
  private let itemOfRank: [UInt32]
  /// For each rank the sum of the popularity of all before and itself.
  private let popularity: [Double]
  /// For each topic its rare ranks, most popular first, and the sums of their popularity.
  private let rareRanks: [[UInt32]]
  private let rareSums: [[Double]]
  /// For each head rank its three followers as ranks.
  private let followers: [UInt32]
  private let nextTopics: [(usual: Int, other: Int)]

  /// The width of the text vectors.
  static let vectorWidth = 64
  private static let familySize = 3

  /// Streams of random numbers, one for each thing that is drawn.
  private enum Stream {
    static let order: UInt64 = 1
    static let topic: UInt64 = 2
    static let follower: UInt64 = 3
    static let topicOrder: UInt64 = 4
    static let prototype: UInt64 = 5
    static let family: UInt64 = 6
    static let text: UInt64 = 7
    static let variant: UInt64 = 8
  }

  init(itemCount: Int, seed: UInt64) {
    self.itemCount = itemCount
    topicCount = max(2, min(itemCount / 40, 2000))
    headCount = max(1, itemCount / 5)
    let random = CounterRandom(seed: seed, stream: 0x53_414D_504C)
    self.random = random
    itemOfRank = random.substream(Stream.order).permutation(itemCount).map { UInt32($0) }
    var sum = 0.0
    popularity = (0..<itemCount).map { rank in
      sum += Self.weight(rank)
      return sum
    }
    var ranks = [[UInt32]](repeating: [], count: topicCount)
    var sums = [[Double]](repeating: [], count: topicCount)
    for rank in headCount..<itemCount {
      let topic = Self.topic(rank, headCount, topicCount, random)
      sums[topic].append((sums[topic].last ?? 0) + Self.weight(rank))
      ranks[topic].append(UInt32(rank))
    }
    rareRanks = ranks
    rareSums = sums
    followers = Self.chooseFollowers(headCount, popularity, random)
    // A cycle through all topics, so that each follows one and is followed by one.
    let cycle = random.substream(Stream.topicOrder).permutation(topicCount)
    var next = [(usual: Int, other: Int)](repeating: (0, 0), count: topicCount)
    for (place, topic) in cycle.enumerated() {
      next[topic] = (
        cycle[(place + 1) % cycle.count], cycle[(place + cycle.count / 2) % cycle.count]
      )
    }
    nextTopics = next
  }

  /// The id of the item at a place of popularity.
  func item(rank: Int) -> UInt32 { itemOfRank[rank] }

  /// The rank of each item.
  func rankOfItem() -> [UInt32] {
    var ranks = [UInt32](repeating: 0, count: itemCount)
    for (rank, item) in itemOfRank.enumerated() { ranks[Int(item)] = UInt32(rank) }
    return ranks
  }

  /// The topic of the item at a place of popularity.
  func topic(rank: Int) -> Int { Self.topic(rank, headCount, topicCount, random) }

  /// The rank that follows a rank; `draws` are three numbers in 0..<1.
  func next(after rank: Int, _ draws: (Double, Double, Double)) -> Int {
    let (kind, first, second) = draws
    if kind < 0.12 { return popularRank(first) }
    if rank < headCount {
      // Now and then a customer of a popular item looks at the rare ones beside it.
      if kind < 0.24 { return rareRank(topic(rank: rank), first) }
      return Int(followers[rank * 3 + (second < 0.6 ? 0 : second < 0.85 ? 1 : 2)])
    }
    if kind < 0.24 { return popularRank(first, below: headCount) }
    let topics = nextTopics[topic(rank: rank)]
    return rareRank(second < 0.85 ? topics.usual : topics.other, first)
  }

  /// A rank drawn by popularity.
  func popularRank(_ draw: Double, below end: Int? = nil) -> Int {
    let end = end ?? itemCount
    return Self.search(popularity[..<end], draw * popularity[end - 1])
  }

  private func rareRank(_ topic: Int, _ draw: Double) -> Int {
    guard let total = rareSums[topic].last else { return popularRank(draw) }
    return Int(rareRanks[topic][Self.search(rareSums[topic][...], draw * total)])
  }

  /// The popularity of a rank: Zipf's law with the steepest part cut off.
  private static func weight(_ rank: Int) -> Double { 1 / Double(rank + 8) }

  /// A family's number: head and rare ranks have families of their own.
  private static func family(_ rank: Int, _ headCount: Int) -> UInt64 {
    rank < headCount
      ? UInt64(rank % ((headCount + familySize - 1) / familySize))
      : UInt64(headCount + (rank - headCount) / familySize)
  }

  private static func topic(
    _ rank: Int, _ headCount: Int, _ topicCount: Int, _ random: CounterRandom
  ) -> Int {
    random.substream(Stream.topic).integer(below: topicCount, family(rank, headCount))
  }

  private static func chooseFollowers(
    _ headCount: Int, _ popularity: [Double], _ random: CounterRandom
  ) -> [UInt32] {
    let draws = random.substream(Stream.follower)
    return (0..<headCount * 3).map { index in
      let target = draws.uniform(UInt64(index)) * popularity[headCount - 1]
      return UInt32(search(popularity[..<headCount], target))
    }
  }

  /// The first place whose sum exceeds a target.
  private static func search(_ sums: ArraySlice<Double>, _ target: Double) -> Int {
    var low = sums.startIndex
    var high = sums.endIndex - 1
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > target { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension SampleWorld {
  /// The text vector of a rank, length 1: the direction of its topic, a smaller one of its family and, for rare items, one
  /// of its own.
  func vector(rank: Int) -> [Float] {
    let family = Self.family(rank, headCount)
    let topic = random.substream(Stream.prototype).substream(UInt64(topic(rank: rank)))
    let own = random.substream(Stream.family).substream(family)
    let variant = random.substream(Stream.variant).substream(UInt64(rank))
    let isRare = rank >= headCount
    var values = (0..<Self.vectorWidth).map { index in
      let common = topic.normal(UInt64(index)) + (isRare ? 0.35 : 0.5) * own.normal(UInt64(index))
      return isRare ? common + 0.35 * variant.normal(UInt64(index)) : common
    }
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    for index in values.indices { values[index] /= norm }
    return values.map { Float($0) }
  }

  /// What a customer reads about an item.
  struct Description {
    var title: String
    var categories: [String]
    var text: String
  }

  /// The words of a rank; variants of a family differ in colour only.
  func description(rank: Int) -> Description {
    let family = Self.family(rank, headCount)
    let words = random.substream(Stream.text).substream(family)
    func pick<Element>(_ list: [Element], _ index: UInt64) -> Element {
      list[words.integer(below: list.count, index)]
    }
    let topic = topic(rank: rank)
    let shelf = SampleWords.shelves[topic % SampleWords.shelves.count]
    let thing = pick(shelf.things, 0)
    let quality = pick(SampleWords.qualities, 1)
    let place = random.substream(Stream.text).integer(
      below: SampleWords.colours.count, UInt64(rank))
    let series = topic / SampleWords.shelves.count
    return Description(
      title: "\(pick(SampleWords.brands, 2)) \(quality) \(thing), \(SampleWords.colours[place])",
      categories: [shelf.department, shelf.kind] + (series > 0 ? ["Series \(series + 1)"] : []),
      text: """
        A \(quality.lowercased()) \(thing.lowercased()) of \(pick(SampleWords.materials, 3)) for \
        \(shelf.use), \(pick(SampleWords.features, 4)).
        """)
  }
}
