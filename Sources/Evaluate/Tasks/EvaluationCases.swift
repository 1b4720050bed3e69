import Dataset
import ShardIO

/// Who is evaluated: each user with a target in the split, what was known before it, and the target.
///
/// The target is the first event of the split's part; with leave-one-out it is the only one. The history is every kept event
/// before it, the valid part included when the split is `test`.
struct EvaluationCases: Sendable {
  /// Rows of the sequences, ascending.
  let users: [Int]
  /// The dense id of each user's target.
  let targets: [UInt32]
  /// The number of events before each target.
  let historyLengths: [Int]
  /// The time of each target's event, seconds since 1970 unless the log had no times.
  let times: [Int64]
  /// Whether each target has the time of the last event before it; nil where that is not known.
  let ties: [Bool]?

  /// The number of users evaluated.
  var count: Int { users.count }

  /// Finds the users that have a target.
  init(_ sequences: UserSequences, split: Split) {
    var users: [Int] = []
    var targets: [UInt32] = []
    var lengths: [Int] = []
    var times: [Int64] = []
    var ties: [Bool] = []
    for user in 0..<sequences.count {
      let found =
        switch split {
        case .valid: sequences.validTargets(of: user).first
        case .test: sequences.testTargets(of: user).first
        }
      guard let found else { continue }
      users.append(user)
      targets.append(found)
      let length = Int(split == .valid ? sequences.trainEnds[user] : sequences.validEnds[user])
      lengths.append(length)
      times.append(sequences.times[user].dropFirst(length).first ?? 0)
      if let isTied = sequences.sharesTime(of: user, event: length) { ties.append(isTied) }
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
