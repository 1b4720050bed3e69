internal import Foundation

/// What lists of recommendations look like beyond accuracy, at several lengths of list, added up user by user.
///
/// Memory is a few numbers an item, however many users there are. With one list of k items for each of U users, `n(i)` the
/// number of lists that hold item `i`, and a catalogue of I items:
///
/// | key | value | source |
/// |---|---|---|
/// | `coverage@k` | items with n(i) > 0, / I | Herlocker et al. 2004 |
/// | `gini@k` | Gini index of n over all items: 0 all alike, near 1 one item | Gini 1912 |
/// | `entropy@k` | −Σ q ln q with q(i) = n(i) / Σ n, in nats | Shannon 1948 |
/// | `popularity@k` | train interactions of the items, mean of a list, mean over users | Yin et al. 2012 |
/// | `tail@k` | share of the places that tail items hold | |
/// | `novelty@k` | −log₂ p, p(i) = (train interactions + 1) / (all of them + I); mean of a list, mean over users | Zhou et al. 2010 |
/// | `diversity@k` | 1 − mean cosine of the text vectors of the pairs of a list, mean over users with two items | Ziegler et al. 2005 |
/// | `personalization@k` | 1 − mean over pairs of users of (common items / k) | |
/// | `calibration@k` | Kullback-Leibler divergence in nats of the list's categories from the history's: 0 is the same mix | Steck 2018, with α = 0.01 |
///
/// An item with several categories gives each an equal part.
public struct ListMetrics: Sendable {
  /// What is known of the items.
  public struct Items: Sendable {
    /// Train interactions of each item.
    public let trainCounts: [UInt32]
    /// Whether each item belongs to the tail.
    public let isTail: [Bool]
    /// The categories of each item, as indices; empty where there are none.
    public let categories: [[Int]]
    /// Text vectors of length 1, `[I, width]`; empty where there are none.
    public let directions: [Float]
    /// The length of a text vector.
    public let width: Int

    /// Collects what is known of the items.
    ///
    /// - Parameters:
    ///   - trainCounts: train interactions of each item.
    ///   - isTail: whether each item belongs to the tail.
    ///   - categories: the categories of each item by name.
    ///   - vectors: text vectors `[I, width]` of any length; empty where there are none.
    ///   - width: the length of a text vector.
    public init(
      trainCounts: [UInt32], isTail: [Bool], categories: [[String]], vectors: [Float] = [],
      width: Int = 0
    ) {
      precondition(isTail.count == trainCounts.count && categories.count == trainCounts.count)
      precondition(vectors.isEmpty || vectors.count == trainCounts.count * width)
      self.trainCounts = trainCounts
      self.isTail = isTail
      var indices: [String: Int] = [:]
      self.categories = categories.map { names in
        names.map { name in
          let index = indices[name, default: indices.count]
          indices[name] = index
          return index
        }
      }
      self.width = width
      directions = Self.normalized(vectors, width)
    }

    private static func normalized(_ vectors: [Float], _ width: Int) -> [Float] {
      guard width > 0 else { return [] }
      var result = vectors
      for first in stride(from: 0, to: vectors.count, by: width) {
        let row = first..<first + width
        let length = row.reduce(Float(0)) { $0 + vectors[$1] * vectors[$1] }.squareRoot()
        guard length > 0 else { continue }
        for index in row { result[index] = vectors[index] / length }
      }
      return result
    }
  }

  /// A sum over users and how many users it is of.
  private struct Mean: Sendable {
    var sum = 0.0
    var count = 0
    var value: Double? { count > 0 ? sum / Double(count) : nil }

    mutating func add(_ value: Double?) {
      guard let value else { return }
      sum += value
      count += 1
    }
  }

  /// The sums of one length of list.
  private struct Totals: Sendable {
    var listCounts: [Int]
    var popularity = Mean()
    var tail = Mean()
    var novelty = Mean()
    var diversity = Mean()
    var calibration = Mean()
  }

  /// The part of the history's mix that is added to the list's, so that a missing category costs a finite amount.
  private static let calibrationSmoothing = 0.01

  private let items: Items
  private let cutoffs: [Int]
  private let novelties: [Double]
  private var userCount = 0
  private var totals: [Totals]

  /// Starts with no users.
  ///
  /// - Parameters:
  ///   - items: what is known of the items.
  ///   - cutoffs: the lengths of list, each at least 1.
  public init(items: Items, cutoffs: [Int]) {
    self.items = items
    self.cutoffs = cutoffs
    let all = items.trainCounts.reduce(Double(items.trainCounts.count)) { $0 + Double($1) }
    novelties = items.trainCounts.map { -log2((Double($0) + 1) / all) }
    totals = cutoffs.map { _ in
      Totals(listCounts: [Int](repeating: 0, count: items.trainCounts.count))
    }
  }

  /// The longest list that is looked at.
  public var longestCutoff: Int { cutoffs.max() ?? 0 }

  /// Adds the list of one user.
  ///
  /// - Parameters:
  ///   - list: the recommendations, best first; a list shorter than a cut counts as it is.
  ///   - history: what the user did.
  public mutating func add(list: ArraySlice<UInt32>, history: ArraySlice<UInt32>) {
    userCount += 1
    let wanted = categoryMix(history)
    for (index, cutoff) in cutoffs.enumerated() {
      let head = list.prefix(cutoff)
      for item in head { totals[index].listCounts[Int(item)] += 1 }
      guard !head.isEmpty else { continue }
      func mean(_ value: (Int) -> Double) -> Double {
        head.reduce(0) { $0 + value(Int($1)) } / Double(head.count)
      }
      totals[index].popularity.add(mean { Double(items.trainCounts[$0]) })
      totals[index].tail.add(mean { items.isTail[$0] ? 1 : 0 })
      totals[index].novelty.add(mean { novelties[$0] })
      totals[index].diversity.add(diversity(head))
      totals[index].calibration.add(divergence(of: categoryMix(head), from: wanted))
    }
  }

  /// The share of each category; empty if no item has one.
  private func categoryMix(_ list: ArraySlice<UInt32>) -> [Int: Double] {
    var mix: [Int: Double] = [:]
    var total = 0.0
    for item in list {
      let categories = items.categories[Int(item)]
      guard !categories.isEmpty else { continue }
      total += 1
      for category in categories { mix[category, default: 0] += 1 / Double(categories.count) }
    }
    return mix.mapValues { $0 / total }
  }

  private func divergence(of list: [Int: Double], from history: [Int: Double]) -> Double? {
    guard !list.isEmpty, !history.isEmpty else { return nil }
    // In the order of the categories: a dictionary's own order differs from run to run, and so would the last bits.
    return history.sorted { $0.key < $1.key }.reduce(0) { sum, entry in
      let (category, share) = entry
      let smoothed =
        (1 - Self.calibrationSmoothing) * list[category, default: 0]
        + Self.calibrationSmoothing * share
      return sum + share * log(share / smoothed)
    }
  }

  /// 1 − the mean cosine of all pairs, from the length of the sum: |Σ v|² = Σ |v|² + 2 Σ cosines.
  private func diversity(_ list: ArraySlice<UInt32>) -> Double? {
    guard items.width > 0, list.count > 1 else { return nil }
    var sum = [Double](repeating: 0, count: items.width)
    var squares = 0.0
    for item in list {
      let first = Int(item) * items.width
      for column in 0..<items.width {
        let value = Double(items.directions[first + column])
        sum[column] += value
        squares += value * value
      }
    }
    let cosines = (sum.reduce(0) { $0 + $1 * $1 } - squares) / 2
    return 1 - cosines / (Double(list.count * (list.count - 1)) / 2)
  }

  /// The metrics by key, in the order of the table above, length by length; nil where nothing can be said.
  public var values: [(key: String, value: Double?)] {
    zip(cutoffs, totals).flatMap { cutoff, totals in
      [
        ("coverage", coverage(totals)), ("gini", gini(totals)), ("entropy", entropy(totals)),
        ("popularity", totals.popularity.value), ("tail", totals.tail.value),
        ("novelty", totals.novelty.value), ("diversity", totals.diversity.value),
        ("personalization", personalization(totals, cutoff)),
        ("calibration", totals.calibration.value),
      ].map { ("\($0.0)@\(cutoff)", $0.1) }
    }
  }

  private func coverage(_ totals: Totals) -> Double? {
    guard !totals.listCounts.isEmpty else { return nil }
    return Double(totals.listCounts.count { $0 > 0 }) / Double(totals.listCounts.count)
  }

  private func gini(_ totals: Totals) -> Double? {
    let counts = totals.listCounts.sorted()
    let total = Double(counts.reduce(0, +))
    guard total > 0 else { return nil }
    let weighted = counts.enumerated().reduce(0) { $0 + Double($1.offset + 1) * Double($1.element) }
    let size = Double(counts.count)
    return 2 * weighted / (size * total) - (size + 1) / size
  }

  private func entropy(_ totals: Totals) -> Double? {
    let total = Double(totals.listCounts.reduce(0, +))
    guard total > 0 else { return nil }
    return -totals.listCounts.reduce(0) { sum, count in
      guard count > 0 else { return sum }
      return sum + Double(count) / total * log(Double(count) / total)
    }
  }

  /// An item in n lists is common to n (n − 1) / 2 pairs of users.
  private func personalization(_ totals: Totals, _ cutoff: Int) -> Double? {
    guard userCount > 1 else { return nil }
    let common = totals.listCounts.reduce(0) { $0 + Double($1) * Double($1 - 1) / 2 }
    let pairs = Double(userCount) * Double(userCount - 1) / 2
    return 1 - common / pairs / Double(cutoff)
  }
}
