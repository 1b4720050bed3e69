import Dataset

/// A set of cases whose metrics are reported together.
struct CaseGroup: Sendable {
  /// What the groups of a table have in common.
  enum Section: String, Sendable, CaseIterable {
    /// All users.
    case overall
    /// By the popularity of the target.
    case popularity
    /// By the number of events before the target.
    case length
    /// By whether the data say that the target came after the history.
    case ties
    /// Head and tail targets by the number of events.
    case grid
    /// By the category of the target.
    case category
    /// By the time of the target's event.
    case period
    /// By whether training has seen the step to the target.
    case transition
  }

  /// The stable key in report.json.
  let key: String
  /// The name in tables.
  let title: String
  /// The rule in words.
  let rule: String
  /// The table in which it stands.
  let section: Section
  /// Whether the case at a position belongs to the group; nothing is stored for each case.
  let contains: @Sendable (_ position: Int) -> Bool
}

extension CaseGroup {
  /// The lower ends of the user-length groups, in events before the target.
  static let lengthLimits = [0, 1, 5, 10, 20, 50]

  /// All groups in the order of the report; a group without users is there all the same.
  ///
  /// - Parameters:
  ///   - cases: who is grouped.
  ///   - sequences: the training events.
  ///   - catalogue: the items.
  ///   - hasTimes: whether the times of events are times, and not places in the log.
  /// - Returns: the groups, section by section.
  static func all(
    _ cases: EvaluationCases, in sequences: UserSequences, catalogue: Catalogue,
    hasTimes: Bool = true
  ) -> [CaseGroup] {
    let overall = CaseGroup(
      key: "overall", title: "overall", rule: "every user with a target", section: .overall,
      contains: { _ in true })
    let popularity = popularityGroups(cases, catalogue)
    let lengths = lengthGroups(cases)
    return [overall] + popularity + transitions(cases, sequences) + lengths + ties(cases)
      + grid(Array(popularity.prefix(2)), lengths) + categories(cases, catalogue)
      + (hasTimes ? periods(cases) : [])
  }

  /// Every row group crossed with every column group.
  private static func grid(_ rows: [CaseGroup], _ columns: [CaseGroup]) -> [CaseGroup] {
    rows.flatMap { row in
      columns.map { column in
        CaseGroup(
          key: "\(row.key)-\(column.key)", title: "\(row.title), \(column.title)",
          rule: "\(row.rule); \(column.rule)", section: .grid,
          contains: { row.contains($0) && column.contains($0) })
      }
    }
  }

  private static func popularityGroups(
    _ cases: EvaluationCases, _ catalogue: Catalogue
  ) -> [CaseGroup] {
    func group(
      _ key: String, _ title: String, _ rule: String, _ test: @escaping @Sendable (Int) -> Bool
    ) -> CaseGroup {
      CaseGroup(
        key: key, title: title, rule: rule, section: .popularity,
        contains: { test(Int(cases.targets[$0])) })
    }
    var groups = [
      group("head", "head", "the target is among the most popular items, by share of the items") {
        catalogue.isHead[$0]
      },
      group("tail", "tail", "the target is not among the most popular items, by share") {
        !catalogue.isHead[$0]
      },
      group(
        "head-threshold", "head (threshold)",
        "the target has at least as many train interactions as the tail threshold"
      ) { !catalogue.isTail[$0] },
      group(
        "tail-threshold", "tail (threshold)",
        "the target has fewer train interactions than the tail threshold"
      ) { catalogue.isTail[$0] },
    ]
    for bucket in PopularityBucket.allCases where bucket != .cold {
      groups.append(
        group(
          "popularity-\(bucket.label)", "popularity \(bucket.label)",
          "the target has \(bucket.label) train interactions"
        ) { catalogue.buckets[$0] == bucket })
    }
    groups.append(
      group("cold", "cold", "the target has no train interaction") {
        catalogue.buckets[$0] == .cold
      })
    return groups
  }

  private static func lengthGroups(_ cases: EvaluationCases) -> [CaseGroup] {
    lengthLimits.indices.map { index in
      let lower = lengthLimits[index]
      let upper = index + 1 < lengthLimits.count ? lengthLimits[index + 1] : Int.max
      let label =
        upper == .max ? "\(lower)+" : upper == lower + 1 ? "\(lower)" : "\(lower)-\(upper - 1)"
      return CaseGroup(
        key: "length-\(label)", title: lower == 0 ? "no history" : "user length \(label)",
        rule: "the user has \(label) events before the target", section: .length,
        contains: { (lower..<upper).contains(cases.historyLengths[$0]) })
    }
  }
}
