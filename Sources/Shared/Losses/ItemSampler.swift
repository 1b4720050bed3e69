public import Numerics

/// Draws items with given probabilities, at a cost that does not depend on their number.
///
/// The alias method: Walker 1977, with the tables of Vose 1991. A draw is a function of one 64-bit random number.
public struct ItemSampler: Sendable {
  /// The number of items.
  public let count: Int
  /// The probability that a draw stays in its column, in units of 2⁻⁶⁴, and the item it goes to otherwise; empty where
  /// all items are equally likely.
  private var limits: [UInt64] = []
  private var aliases: [UInt32] = []
  private var probabilities: [Double] = []

  /// Every item of a catalogue with the same probability.
  public init(uniformBelow count: Int) {
    precondition(count > 0)
    self.count = count
  }

  /// Every item with a probability proportional to its weight.
  ///
  /// - Parameter weights: finite, none negative, not all of them 0.
  public init(weights: [Double]) {
    let total = weights.reduce(0, +)
    precondition(total.isFinite && total > 0 && weights.allSatisfy { $0 >= 0 })
    count = weights.count
    probabilities = weights.map { $0 / total }
    limits = Array(repeating: .max, count: count)
    aliases = (0..<UInt32(count)).map { $0 }
    var share = probabilities.map { $0 * Double(count) }
    var small = share.indices.filter { share[$0] < 1 }
    var large = share.indices.filter { share[$0] >= 1 }
    // Rounding may leave a column over on either side; it keeps its own item.
    while let column = small.popLast(), let donor = large.last {
      limits[column] = UInt64(share[column] * 0x1p63) << 1
      aliases[column] = UInt32(donor)
      share[donor] -= 1 - share[column]
      if share[donor] < 1 {
        large.removeLast()
        small.append(donor)
      }
    }
  }

  /// Items that were seen often with a higher probability: proportional to `max(1, count)^power`.
  ///
  /// - Parameters:
  ///   - counts: how often each item was seen.
  ///   - power: 0 for equal probabilities, 1 for the frequencies themselves; word2vec used 0.75 (Mikolov et al. 2013).
  public init(counts: [UInt32], power: Double) {
    if power == 0 {
      self.init(uniformBelow: counts.count)
    } else {
      self.init(weights: counts.map { raised(Double(max(1, $0)), to: power) })
    }
  }

  /// The item of a random number.
  ///
  /// - Parameters:
  ///   - random: a stream.
  ///   - index: the place in it.
  /// - Returns: an item below ``count``.
  public func item(_ random: CounterRandom, _ index: UInt64) -> UInt32 {
    let product = random.bits(index).multipliedFullWidth(by: UInt64(count))
    let column = Int(product.high)
    guard !limits.isEmpty, product.low >= limits[column] else { return UInt32(column) }
    return aliases[column]
  }

  /// The negatives that a step shares.
  ///
  /// Where all items are equally likely they are distinct, so that no draw repeats what another says; where they are not, they
  /// are drawn with replacement. ``correction(_:draws:)`` is right for both.
  ///
  /// - Parameters:
  ///   - draws: how many; all items where there are not more.
  ///   - random: a stream.
  ///   - marks: a number for each item, all -1; the same afterwards.
  /// - Returns: at most `draws` items below ``count``.
  public func items(_ draws: Int, _ random: CounterRandom, marks: inout [Int32]) -> [UInt32] {
    guard probabilities.isEmpty else { return (0..<UInt64(draws)).map { item(random, $0) } }
    guard draws < count else { return Array(0..<UInt32(count)) }
    var items: [UInt32] = []
    items.reserveCapacity(draws)
    var index: UInt64 = 0
    while items.count < draws {
      let drawn = item(random, index)
      index += 1
      guard marks[Int(drawn)] < 0 else { continue }
      marks[Int(drawn)] = 0
      items.append(drawn)
    }
    for item in items { marks[Int(item)] = -1 }
    return items
  }

  /// The probability of an item.
  public func probability(_ item: UInt32) -> Double {
    probabilities.isEmpty ? 1 / Double(count) : probabilities[Int(item)]
  }

  /// What the score of a sampled negative is raised by: −log of how often it is expected among `draws`.
  public func correction(_ item: UInt32, draws: Int) -> Float {
    Float(
      probabilities.isEmpty
        ? naturalLogarithm(Double(count) / Double(draws))
        : -naturalLogarithm(Double(draws) * probabilities[Int(item)]))
  }
}
