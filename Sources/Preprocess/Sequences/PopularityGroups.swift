internal import Dataset
internal import ShardIO

/// How often items occur in train parts, and the groups made of it.
struct PopularityGroups: Sendable, Equatable {
  var trainCounts: [UInt32]
  var isHead: [Bool]
  var isTail: [Bool]
  var buckets: [PopularityBucket]

  /// Counts train events only, so that no held-out event has a say.
  ///
  /// - Parameters:
  ///   - histories: with dense items.
  ///   - trainEnds: where each user's train part ends.
  ///   - itemCount: the number of items.
  ///   - headShare: head is this share of the items, rounded up, the most popular ones; equal counts go by smaller number.
  ///   - tailThreshold: tail is what has fewer train events than this.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  init(
    _ histories: Histories, trainEnds: [UInt32], itemCount: Int, headShare: Double,
    tailThreshold: Int
  ) throws(PipelineError) {
    let counts = try histories.itemCounts(itemCount, upTo: trainEnds)
    let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
    isHead = Array(repeating: false, count: itemCount)
    for item in order.prefix(Int((headShare * Double(itemCount)).rounded(.up))) {
      isHead[item] = true
    }
    isTail = counts.map { $0 < tailThreshold }
    buckets = counts.map { PopularityBucket(trainCount: Int($0)) }
    trainCounts = counts
  }
}
