internal import Dataset
internal import ShardIO

/// How many items changed their codes from one run to the next.
struct Churn: Sendable, Equatable {
  /// The share of items whose first one, two, … codes are not what they were.
  struct Shares: Sendable, Equatable {
    var itemCount = 0
    var changedCounts: [Int]

    /// Shares by prefix length; 0 where there are no items.
    var values: [Double] { changedCounts.map { Double($0) / Double(max(1, itemCount)) } }
  }

  var sharedCount = 0
  var addedCount = 0
  var removedCount = 0
  var all: Shares
  var head: Shares
  var tail: Shares

  /// Compares codes of the items that both runs have.
  ///
  /// - Parameters:
  ///   - codes: the codes now, `levelCount` an item.
  ///   - levelCount: the number of levels now.
  ///   - previous: the earlier run; where it has fewer levels, only as many codes are compared.
  ///   - rows: the row of each item in the earlier run; nil for new items.
  ///   - catalogue: says which items are head and tail now.
  init(
    _ codes: [UInt16], levelCount: Int, _ previous: ItemCodes, rows: [Int?], _ catalogue: Catalogue
  ) {
    let compared = min(levelCount, previous.levelCount)
    let none = Shares(changedCounts: [Int](repeating: 0, count: compared))
    (all, head, tail) = (none, none, none)
    for (item, row) in rows.enumerated() {
      guard let row else { continue }
      let now = codes[item * levelCount..<item * levelCount + compared]
      let equal = zip(now, previous.tuple(of: row)).prefix { $0 == $1 }.count
      sharedCount += 1
      all.add(equalPrefix: equal)
      if catalogue.isHead[item] { head.add(equalPrefix: equal) }
      if catalogue.isTail[item] { tail.add(equalPrefix: equal) }
    }
    addedCount = rows.count - sharedCount
    removedCount = previous.count - sharedCount
  }

  /// The churn for reports; lists are by prefix length.
  var json: JSONValue {
    .object([
      "sharedItems": JSONValue(sharedCount),
      "addedItems": JSONValue(addedCount),
      "removedItems": JSONValue(removedCount),
      "changed": .object([
        "all": .array(all.values.map { JSONValue($0) }),
        "head": .array(head.values.map { JSONValue($0) }),
        "tail": .array(tail.values.map { JSONValue($0) }),
      ]),
    ])
  }
}

extension Churn.Shares {
  /// Counts an item whose first `equalPrefix` codes are what they were.
  fileprivate mutating func add(equalPrefix: Int) {
    itemCount += 1
    for level in changedCounts.indices where level >= equalPrefix { changedCounts[level] += 1 }
  }
}
