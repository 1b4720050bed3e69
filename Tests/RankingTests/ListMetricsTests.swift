import Foundation
import Metrics
import Testing

/// Four users with lists of two out of five items.
///
/// | item | train interactions | tail | categories | vector |
/// |---|---|---|---|---|
/// | 0 | 8 | | a | (2, 0) |
/// | 1 | 4 | | a | (1, 0) |
/// | 2 | 2 | yes | b | (0, 1) |
/// | 3 | 1 | yes | b | (0, 3) |
/// | 4 | 0 | yes | a, b | (1, 1) |
@Suite struct ListMetricsTests {
  static let items = ListMetrics.Items(
    trainCounts: [8, 4, 2, 1, 0], isTail: [false, false, true, true, true],
    categories: [["a"], ["a"], ["b"], ["b"], ["a", "b"]], vectors: [2, 0, 1, 0, 0, 1, 0, 3, 1, 1],
    width: 2)
  static let lists: [(list: [UInt32], history: [UInt32])] = [
    ([0, 1], [2]), ([0, 2], [0, 2]), ([2, 3], [2]), ([0, 1], [4]),
  ]

  func metrics(_ cutoffs: [Int], items: ListMetrics.Items = items) -> [String: Double?] {
    var metrics = ListMetrics(items: items, cutoffs: cutoffs)
    for (list, history) in Self.lists { metrics.add(list: list[...], history: history[...]) }
    return Dictionary(uniqueKeysWithValues: metrics.values.map { ($0.key, $0.value) })
  }

  /// Of 8 places, item 0 holds 3, items 1 and 2 hold 2 each, item 3 holds 1.
  static let expectations: [(String, Double)] = [
    ("coverage@2", 4.0 / 5),
    // Sorted counts 0 1 2 2 3: 2 · (0 + 2 + 6 + 8 + 15) / (5 · 8) − 6/5.
    ("gini@2", 7.0 / 20),
    ("entropy@2", -(3.0 / 8 * log(3.0 / 8) + 2 * 0.25 * log(0.25) + 0.125 * log(0.125))),
    // Means of the lists: 6, 5, 3/2, 6.
    ("popularity@2", 37.0 / 8),
    ("tail@2", 3.0 / 8),
    // p of the items: 9/20, 5/20, 3/20, 2/20.
    (
      "novelty@2",
      -(3 * log2(9.0 / 20) + 2 * log2(5.0 / 20) + 2 * log2(3.0 / 20) + log2(2.0 / 20)) / 8
    ),
    // Cosines of the pairs: 1, 0, 1, 1.
    ("diversity@2", 1.0 / 4),
    // Common items of the 6 pairs of users: 1, 0, 2, 1, 1, 0.
    ("personalization@2", 1 - 5.0 / 6 / 2),
    // b against a; the same; the same; half and half against a.
    (
      "calibration@2",
      (log(1 / 0.01) + 0.5 * log(0.5 / 0.995) + 0.5 * log(0.5 / 0.005)) / 4
    ),
    ("coverage@1", 2.0 / 5),
    ("tail@1", 1.0 / 4),
    ("personalization@1", 1 - 3.0 / 6),
  ]

  @Test func `every metric of the four users has its hand-computed value`() throws {
    let values = metrics([1, 2])
    for (key, expected) in Self.expectations {
      let value = try #require(values[key] ?? nil)
      #expect(abs(value - expected) < 1e-12, "\(key): \(value), not \(expected)")
    }
    #expect(values["diversity@1"] == .some(nil))
  }

  @Test func `what cannot be said is nil`() {
    let empty = ListMetrics(items: Self.items, cutoffs: [2]).values
    #expect(empty.filter { $0.value != nil }.map(\.key) == ["coverage@2"])
    let bare = ListMetrics.Items(
      trainCounts: [8, 4, 2, 1, 0], isTail: [false, false, true, true, true],
      categories: [[], [], [], [], []])
    let values = metrics([2], items: bare)
    #expect(values["diversity@2"] == .some(nil) && values["calibration@2"] == .some(nil))
  }
}
