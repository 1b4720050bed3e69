internal import ShardIO

extension Histories {
  /// Gives items the numbers 0, 1, 2, … in the order of their first event, users being in order of their ids.
  ///
  /// - Parameter itemCount: the number of items of the log.
  /// - Returns: the number of each dense item in the log.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  mutating func renumberItems(itemCount: Int) throws(PipelineError) -> [UInt32] {
    let unseen = UInt32.max
    var dense = [UInt32](repeating: unseen, count: itemCount)
    var kept: [UInt32] = []
    for index in parts.indices {
      for item in try part(index).items where dense[Int(item)] == unseen {
        dense[Int(item)] = UInt32(kept.count)
        kept.append(item)
      }
    }
    _ = try update { [dense] part in
      for row in part.items.indices { part.items[row] = dense[Int(part.items[row])] }
      return ((), isChanged: true)
    }
    return kept
  }

  /// Keeps the last events of every user.
  ///
  /// - Returns: the number of events removed.
  mutating func keepLast(_ maximum: Int) throws(PipelineError) -> Int {
    let removed = try update { part in
      let before = part.items.count
      var end = 0
      var start = 0
      for user in 0..<part.userCount {
        let stop = part.offsets[user + 1]
        for row in max(start, stop - maximum)..<stop {
          part.items[end] = part.items[row]
          part.times[end] = part.times[row]
          end += 1
        }
        start = stop
        part.offsets[user + 1] = end
      }
      part.items.removeLast(before - end)
      part.times.removeLast(before - end)
      return (before - end, isChanged: end < before)
    }
    return removed.reduce(0, +)
  }
}
