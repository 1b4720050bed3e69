import Dataset
import ShardIO

extension CaseGroup {
  /// Whether the step from the last item of the history to the target was seen in training: memory against inference.
  static func transitions(_ cases: EvaluationCases, _ sequences: UserSequences) -> [CaseGroup] {
    let isSeen = seenTransitions(cases, sequences)
    return [
      CaseGroup(
        key: "transition-seen", title: "transition seen",
        rule:
          "in the training events of some user the target follows the last item of the history directly",
        section: .transition, contains: { isSeen[$0] }),
      CaseGroup(
        key: "transition-unseen", title: "transition unseen",
        rule:
          "no user's training events go from the last item of the history to the target, or there is no history",
        section: .transition, contains: { !isSeen[$0] }),
    ]
  }

  /// For each case whether its step occurs in training; memory grows with the cases, not with the events.
  private static func seenTransitions(
    _ cases: EvaluationCases, _ sequences: UserSequences
  ) -> [Bool] {
    func step(_ from: UInt32, _ to: UInt32) -> UInt64 { UInt64(from) << 32 | UInt64(to) }
    let wanted = (0..<cases.count).map { position -> UInt64? in
      let length = cases.historyLengths[position]
      let history = sequences.items[cases.users[position]].prefix(length)
      return history.last.map { step($0, cases.targets[position]) }
    }
    let asked = Set(wanted.compactMap(\.self))
    var found: Set<UInt64> = []
    for user in 0..<sequences.count {
      let train = sequences.train(of: user)
      for (from, to) in zip(train, train.dropFirst()) where asked.contains(step(from, to)) {
        found.insert(step(from, to))
      }
    }
    return wanted.map { $0.map(found.contains) ?? false }
  }
}
