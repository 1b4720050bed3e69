import Dataset
import ShardIO

/// What is evaluated: every target of the split, its user, and what was known before it.
///
/// A target is an event of the split's part; with leave-one-out a user has one. The history is every kept event before it, the
/// valid part included when the split is `test`, and earlier targets too.
struct EvaluationCases: Sendable {
  /// The row of the sequences of each target, ascending; several targets of a user follow one another.
  let users: [Int]
  /// The dense id of each target.
  let targets: [UInt32]
  /// The number of events before each target.
  let historyLengths: [Int]
  /// The time of each target's event, seconds since 1970 unless the log had no times.
  let times: [Int64]
  /// Whether each target has the time of the last event before it; nil where that is not known.
  let ties: [Bool]?

  /// The number of targets.
  var count: Int { users.count }
  /// The number of users who have a target.
  var userCount: Int {
    users.indices.count { $0 == 0 || users[$0] != users[$0 - 1] }
  }

  /// Finds the targets.
  ///
  /// - Parameters:
  ///   - sequences: the histories of all users.
  ///   - split: the part whose events are targets.
  ///   - heldOut: which of several events of a user in that part.
  init(_ sequences: UserSequences, split: Split, heldOut: HeldOut = .all) {
    var users: [Int] = []
    var targets: [UInt32] = []
    var lengths: [Int] = []
    var times: [Int64] = []
    var ties: [Bool] = []
    for user in 0..<sequences.count {
      let part =
        switch split {
        case .valid: sequences.validTargets(of: user)
        case .test: sequences.testTargets(of: user)
        }
      let begin = Int(split == .valid ? sequences.trainEnds[user] : sequences.validEnds[user])
      for (number, target) in part.prefix(heldOut == .first ? 1 : part.count).enumerated() {
        let length = begin + number
        users.append(user)
        targets.append(target)
        lengths.append(length)
        times.append(sequences.times[user].dropFirst(length).first ?? 0)
        if let isTied = sequences.sharesTime(of: user, event: length) { ties.append(isTied) }
      }
    }
    self.users = users
    self.targets = targets
    historyLengths = lengths
    self.times = times
    self.ties = ties.count == users.count ? ties : nil
  }

  /// The histories of a range of cases, one row a case.
  func histories(_ range: Range<Int>, in sequences: UserSequences) -> RaggedArray<UInt32> {
    var rows = RaggedArray<UInt32>()
    for index in range {
      rows.append(contentsOf: sequences.items[users[index]].prefix(historyLengths[index]))
    }
    return rows
  }
}
