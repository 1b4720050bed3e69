import Dataset

extension CaseGroup {
  /// The most categories that are reported.
  static let categoryLimit = 8

  /// The targets' most frequent categories, at the first level where targets differ; equally frequent ones by name.
  ///
  /// Categories run from the most general to the most specific one; an item whose list is shorter than the level counts
  /// with its last category.
  static func categories(_ cases: EvaluationCases, _ catalogue: Catalogue) -> [CaseGroup] {
    let depth = catalogue.categories.map(\.count).max() ?? 0
    for level in 0..<depth {
      let names = catalogue.categories.map { $0.isEmpty ? nil : $0[min(level, $0.count - 1)] }
      var counts: [String: Int] = [:]
      for target in cases.targets {
        if let name = names[Int(target)] { counts[name, default: 0] += 1 }
      }
      guard counts.count > 1 else { continue }
      let frequent = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      return frequent.prefix(categoryLimit).map { name, _ in
        CaseGroup(
          key: "category-\(name)", title: "category \(name)",
          rule: "the target's category at level \(level + 1) is \(name)", section: .category,
          contains: { names[Int(cases.targets[$0])] == name })
      }
    }
    return []
  }
}
