public import Dataset
internal import Losses
public import Numerics
internal import ShardIO

/// For every item, the items that the alignment loss counts as its positives, with weights in (0, 1].
///
/// The union of the pairs that occur together in train sequences and of the items with the same semantic ID
/// (weight 1, at most 50 for each item, chosen by the seed); an item that is both has the larger weight (H2Rec, 1.4).
public struct AlignmentPairs: Sendable {
  private var offsets: [Int] = [0]
  private var neighbours: [UInt32] = []
  private var weights: [Float] = []

  /// The largest number of partners with the same semantic ID.
  public static let sameCodeLimit = 50

  /// Joins both kinds of pairs.
  ///
  /// - Parameters:
  ///   - behaviour: pairs from train sequences, a list for each item; nil for none.
  ///   - codeRows: `[I · M]`, equal rows being equal semantic IDs.
  ///   - levelCount: M.
  ///   - random: chooses partners in groups of more than 51 items.
  public init(
    behaviour: PositivePairs?, codeRows: [UInt32], levelCount: Int, random: CounterRandom
  ) {
    let itemCount = codeRows.count / levelCount
    var groups: [ArraySlice<UInt32>: [UInt32]] = [:]
    for item in 0..<itemCount {
      groups[codeRows[item * levelCount..<(item + 1) * levelCount], default: []]
        .append(UInt32(item))
    }
    for item in 0..<itemCount {
      let code = codeRows[item * levelCount..<(item + 1) * levelCount]
      let partners = Self.partners(
        of: UInt32(item), in: groups[code] ?? [], random.substream(UInt64(item)))
      var row: [UInt32: Float] = [:]
      if let behaviour {
        for (other, weight) in zip(behaviour.neighbours[item], behaviour.weights[item]) {
          row[other] = weight
        }
      }
      for partner in partners { row[partner] = 1 }
      for (other, weight) in row.sorted(by: { $0.key < $1.key }) where other != UInt32(item) {
        neighbours.append(other)
        weights.append(weight)
      }
      offsets.append(neighbours.count)
    }
  }

  /// Takes lists of positives as they are, one for each item.
  public init(lists: [[(item: UInt32, weight: Float)]]) {
    for list in lists {
      neighbours += list.map(\.item)
      weights += list.map(\.weight)
      offsets.append(neighbours.count)
    }
  }

  private static func partners(
    of item: UInt32, in group: [UInt32], _ random: CounterRandom
  ) -> [UInt32] {
    let others = group.filter { $0 != item }
    guard others.count > sameCodeLimit else { return others }
    return random.permutation(others.count).prefix(sameCodeLimit).map { others[$0] }
  }

  /// The positives of some marked items among all that are marked, each item its own first positive.
  ///
  /// - Parameters:
  ///   - items: some of the marked items.
  ///   - places: where items are marked.
  /// - Returns: a list for each of `items`; columns are places.
  func lists(of items: ArraySlice<UInt32>, in places: ItemPlaces) -> PositiveLists {
    places.lists(of: items, offsets: offsets, neighbours: neighbours, weights: weights)
  }
}
