internal import Dataset

/// How well the first codes of an item tell its category.
///
/// - Parameters:
///   - codes: `levelCount` an item.
///   - levelCount: the number of levels.
///   - categories: the categories of each item, from the most general to the most specific; the last one counts.
/// - Returns: for prefixes of one, two, … codes the share of the items with categories that have the most frequent
///   category of their group; nil where no item has one.
func prefixPurities(_ codes: [UInt16], levelCount: Int, _ categories: [[String]]) -> [Double]? {
  let items = categories.indices.filter { !categories[$0].isEmpty }
  guard !items.isEmpty else { return nil }
  var numbers: [String: Int] = [:]
  let labels = items.map { item -> Int in
    let name = categories[item].last ?? ""
    let number = numbers[name] ?? numbers.count
    numbers[name] = number
    return number
  }
  var groups = [Int](repeating: 0, count: items.count)
  return (0..<levelCount).map { level in
    var groupNumbers: [GroupCode: Int] = [:]
    var counts: [[Int: Int]] = []
    for (place, item) in items.enumerated() {
      let key = GroupCode(group: groups[place], code: codes[item * levelCount + level])
      let group = groupNumbers[key] ?? groupNumbers.count
      if group == groupNumbers.count {
        groupNumbers[key] = group
        counts.append([:])
      }
      groups[place] = group
      counts[group][labels[place], default: 0] += 1
    }
    let pure = counts.reduce(0) { $0 + ($1.values.max() ?? 0) }
    return Double(pure) / Double(items.count)
  }
}

/// A group of items with equal prefixes, and the next code.
private struct GroupCode: Hashable {
  var group: Int
  var code: UInt16
}
