internal import ShardIO

/// How the events of a user are divided into train, valid and test.
enum Split: Sendable, Equatable {
  /// The last `count` events are test targets, the `count` before them valid targets; users with fewer than
  /// `2 count + 1` events train only. Leave-one-out is `count` = 1.
  case last(Int)
  /// Events before the first time are train, before the second valid, the others test; microseconds since 1970.
  case time(valid: Int64, test: Int64)

  /// Where each user's train and valid parts end, counted from the user's first event.
  func ends(
    of histories: Histories
  ) throws(PipelineError) -> (train: [UInt32], valid: [UInt32]) {
    let pieces = try histories.map { _, part in
      (0..<part.userCount).map { user in ends(part.times[part.range(of: user)]) }
    }
    return (pieces.joined().map(\.train), pieces.joined().map(\.valid))
  }

  /// The ends of one user, given the times of all events.
  private func ends(_ times: ArraySlice<Int64>) -> (train: UInt32, valid: UInt32) {
    switch self {
    case .last(let count):
      guard times.count >= 2 * count + 1 else { return (UInt32(times.count), UInt32(times.count)) }
      return (UInt32(times.count - 2 * count), UInt32(times.count - count))
    case .time(let validCut, let testCut):
      return (UInt32(times.count { $0 < validCut }), UInt32(times.count { $0 < testCut }))
    }
  }
}
