extension Histories {
  /// Gives items the numbers 0, 1, 2, … in the order of their first event, users being in order of their ids.
  ///
  /// - Parameter itemCount: the number of items of the log.
  /// - Returns: the number of each dense item in the log.
  mutating func renumberItems(itemCount: Int) -> [UInt32] {
    let unseen = UInt32.max
    var dense = [UInt32](repeating: unseen, count: itemCount)
    var kept: [UInt32] = []
    for row in items.indices {
      let item = Int(items[row])
      if dense[item] == unseen {
        dense[item] = UInt32(kept.count)
        kept.append(UInt32(item))
      }
      items[row] = dense[item]
    }
    return kept
  }

  /// Keeps the last events of every user.
  ///
  /// - Returns: the number of events removed.
  mutating func keepLast(_ maximum: Int) -> Int {
    let before = eventCount
    var end = 0
    var start = 0
    for user in 0..<userCount {
      let stop = offsets[user + 1]
      for row in max(start, stop - maximum)..<stop {
        items[end] = items[row]
        times[end] = times[row]
        end += 1
      }
      start = stop
      offsets[user + 1] = end
    }
    items.removeLast(before - end)
    times.removeLast(before - end)
    return before - end
  }
}
