import Numerics
import ShardIO

/// The mean weight that the gate gives to each level of a semantic ID at the end of the history, by group of cases.
struct GateMeans {
  private let groups: [CaseGroup]
  /// For each group the sum of each level's weight; empty as long as nothing was added.
  private var sums: [[Double]] = []
  private var counts: [Int]

  /// Starts without cases.
  init(groups: [CaseGroup]) {
    self.groups = groups
    counts = [Int](repeating: 0, count: groups.count)
  }

  /// Adds the cases of a block.
  ///
  /// - Parameters:
  ///   - weights: the weights of the levels, `[cases, M]`; a row of zeros stands for a user without a history.
  ///   - cases: the places of the rows among all cases.
  mutating func add(_ weights: Matrix, cases: Range<Int>) {
    if sums.isEmpty {
      sums = groups.map { _ in [Double](repeating: 0, count: weights.columns) }
    }
    for (index, group) in groups.enumerated() {
      for (row, position) in cases.enumerated() where group.contains(position) {
        let values = weights[row: row]
        guard values.contains(where: { $0 > 0 }) else { continue }
        counts[index] += 1
        for (level, value) in values.enumerated() { sums[index][level] += Double(value) }
      }
    }
  }

  /// Mean weights by group key, coarsest level first, of the groups that have cases; nil for a model without a gate.
  var json: JSONValue? {
    guard !sums.isEmpty else { return nil }
    var members: [String: JSONValue] = [:]
    for (index, group) in groups.enumerated() where counts[index] > 0 {
      members[group.key] = .array(sums[index].map { .number($0 / Double(counts[index])) })
    }
    return .object(members)
  }
}
