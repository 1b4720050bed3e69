/// How the events of a user are divided into train, valid and test.
enum Split: Sendable, Equatable {
  /// The last `count` events are test targets, the `count` before them valid targets; users with fewer than
  /// `2 count + 1` events train only. Leave-one-out is `count` = 1.
  case last(Int)
  /// Events before the first time are train, before the second valid, the others test; microseconds since 1970.
  case time(valid: Int64, test: Int64)

  /// Where each user's train and valid parts end, counted from the user's first event.
  func ends(of histories: Histories) -> (train: [UInt32], valid: [UInt32]) {
    var train: [UInt32] = []
    var valid: [UInt32] = []
    train.reserveCapacity(histories.userCount)
    valid.reserveCapacity(histories.userCount)
    for user in 0..<histories.userCount {
      let range = histories.range(of: user)
      switch self {
      case .last(let count):
        let isSplit = range.count >= 2 * count + 1
        train.append(UInt32(isSplit ? range.count - 2 * count : range.count))
        valid.append(UInt32(isSplit ? range.count - count : range.count))
      case .time(let validCut, let testCut):
        let times = histories.times[range]
        train.append(UInt32(times.count { $0 < validCut }))
        valid.append(UInt32(times.count { $0 < testCut }))
      }
    }
    return (train, valid)
  }
}
