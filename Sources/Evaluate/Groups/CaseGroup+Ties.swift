extension CaseGroup {
  /// Above this share of targets with the time of the event before, they are reported apart.
  static let tieLimit = 0.05

  /// Targets with the time of the last event of their history, and those later than it.
  ///
  /// There are none where few targets share a time, or where it is not known.
  static func ties(_ cases: EvaluationCases) -> [CaseGroup] {
    guard let ties = cases.ties,
      Double(ties.count(where: \.self)) > tieLimit * Double(ties.count)
    else { return [] }
    return [
      CaseGroup(
        key: "tied", title: "same time as the history",
        rule:
          "the target has the time of the last event before it; the data do not say which came first",
        section: .ties, contains: { ties[$0] }),
      CaseGroup(
        key: "later", title: "later than the history",
        rule: "the target is later than every event before it", section: .ties,
        contains: { !ties[$0] }),
    ]
  }
}
