internal import ShardIO

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
  func apply(to histories: inout Histories, itemCount: Int) throws(PipelineError) -> Int {
    guard minimumUserCount > 1 || minimumItemCount > 1 else { return 0 }
    var counts = try histories.itemCounts(itemCount)
    var passes = 0
    while true {
      passes += 1
      let removed = try histories.update { [counts] part in
        let items = remove(from: &part, counts)
        return (items, isChanged: !items.isEmpty)
      }
      if !isIterated || removed.allSatisfy(\.isEmpty) { break }
      for item in removed.joined() { counts[Int(item)] -= 1 }
    }
    return passes
  }

  /// Removes events from a part; returns their items.
  private func remove(from part: inout HistoryPart, _ counts: [UInt32]) -> [UInt32] {
    var removed: [UInt32] = []
    var end = 0
    var start = 0
    var userCount = 0
    for user in 0..<part.userCount {
      let range = start..<part.offsets[user + 1]
      start = range.upperBound
      let begin = end
      for row in range {
        let item = part.items[row]
        if counts[Int(item)] < minimumItemCount {
          removed.append(item)
        } else {
          if end < row {
            part.items[end] = item
            part.times[end] = part.times[row]
          }
          end += 1
        }
      }
      if (isIterated ? end - begin : range.count) < minimumUserCount {
        removed += part.items[begin..<end]
        end = begin
      }
      if end == begin { continue }
      part.users[userCount] = part.users[user]
      userCount += 1
      part.offsets[userCount] = end
    }
    if userCount < part.userCount {
      part.users.removeLast(part.users.count - userCount)
      part.offsets.removeLast(part.offsets.count - userCount - 1)
    }
    if end < part.items.count {
      part.times.removeLast(part.items.count - end)
      part.items.removeLast(part.items.count - end)
    }
    return removed
  }
}
