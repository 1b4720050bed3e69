/// The least numbers of events that users and items must have.
struct CoreFilter: Sendable, Equatable {
  var minimumUserCount: Int
  var minimumItemCount: Int
  /// Whether to repeat until nothing changes, or to count once as the published line does.
  var isIterated = true

  /// Removes events of users and items that have too few; order is kept.
  ///
  /// Iterated, the result is the largest set in which every user and every item has enough events (the k-core), whatever
  /// the order of removal. In one pass, users and items are both counted before anything is removed.
  ///
  /// - Returns: the number of passes over the events.
  func apply(to histories: inout Histories, itemCount: Int) -> Int {
    guard minimumUserCount > 1 || minimumItemCount > 1 else {
      removeEmptyUsers(&histories)
      return 0
    }
    var passes = 0
    while true {
      passes += 1
      let before = histories.eventCount
      pass(&histories, itemCount: itemCount)
      if !isIterated || histories.eventCount == before { break }
    }
    removeEmptyUsers(&histories)
    return passes
  }

  private func pass(_ histories: inout Histories, itemCount: Int) {
    var counts = [UInt32](repeating: 0, count: itemCount)
    for item in histories.items { counts[Int(item)] += 1 }
    var end = 0
    var start = 0
    for user in 0..<histories.userCount {
      let range = start..<histories.offsets[user + 1]
      start = range.upperBound
      let begin = end
      for row in range where counts[Int(histories.items[row])] >= minimumItemCount {
        histories.items[end] = histories.items[row]
        histories.times[end] = histories.times[row]
        end += 1
      }
      let size = isIterated ? end - begin : range.count
      if size < minimumUserCount { end = begin }
      histories.offsets[user + 1] = end
    }
    histories.items.removeLast(histories.items.count - end)
    histories.times.removeLast(histories.times.count - end)
  }

  private func removeEmptyUsers(_ histories: inout Histories) {
    var users: [UInt32] = []
    var offsets = [0]
    for user in 0..<histories.userCount where !histories.range(of: user).isEmpty {
      users.append(histories.users[user])
      offsets.append(histories.offsets[user + 1])
    }
    histories.users = users
    histories.offsets = offsets
  }
}
