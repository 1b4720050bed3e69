internal import Dataset
internal import ShardIO
internal import TextInput

/// The rows of the table of sequences, made a few at a time.
struct SequenceRows: Sendable {
  let histories: Histories
  let userIDs: SortedIdentifiers
  let trainEnds: [UInt32]
  let validEnds: [UInt32]
  /// Whether times are times, which are stored in seconds and can be equal; places in the log stay as they are.
  let hasSeconds: Bool

  /// The bytes that each row takes in memory.
  var byteCounts: [Int] {
    var row = -1
    return histories.parts.flatMap { part in
      (0..<part.userCount).map { user in
        row += 1
        let eventCount = part.range(of: user).count
        return UserSequences.rowByteCount(
          userIDByteCount: userIDs.byteCount(of: part.users[user]), eventCount: eventCount,
          heldOutCount: hasSeconds ? eventCount - Int(trainEnds[row]) : nil)
      }
    }
  }

  /// The sequences of some rows.
  func sequences(_ rows: Range<Int>) throws(PipelineError) -> UserSequences {
    var ids: [String] = []
    ids.reserveCapacity(rows.count)
    var offsets = [0]
    offsets.reserveCapacity(rows.count + 1)
    var items: [UInt32] = []
    var times: [Int64] = []
    var ties = RaggedArray<UInt8>()
    let firstRows = histories.firstRows
    for index in histories.parts.indices {
      let wanted = rows.clamped(to: firstRows[index]..<firstRows[index + 1])
      if wanted.isEmpty { continue }
      let part = try histories.part(index)
      let users = wanted.lowerBound - firstRows[index]..<wanted.upperBound - firstRows[index]
      let events = part.offsets[users.lowerBound]..<part.offsets[users.upperBound]
      let base = items.count - events.lowerBound
      for user in users {
        ids.append(userIDs.text(part.users[user]))
        offsets.append(part.offsets[user + 1] + base)
        if hasSeconds {
          let end = trainEnds[firstRows[index] + user]
          ties.append(contentsOf: heldOutTies(part.times[part.range(of: user)], Int(end)))
        }
      }
      items += part.items[events]
      if hasSeconds {
        for time in part.times[events] { times.append(floorDivide(time, 1_000_000)) }
      } else {
        times += part.times[events]
      }
    }
    return UserSequences(
      userIDs: ids, items: RaggedArray(offsets: offsets, values: items),
      times: RaggedArray(offsets: offsets, values: times), trainEnds: Array(trainEnds[rows]),
      validEnds: Array(validEnds[rows]), heldOutTies: hasSeconds ? ties : nil)
  }

  /// For each event after the train part whether it has the time of the one before it.
  private func heldOutTies(_ times: ArraySlice<Int64>, _ trainEnd: Int) -> [UInt8] {
    times.indices.dropFirst(trainEnd).map { place in
      place > times.startIndex && times[place - 1] == times[place] ? 1 : 0
    }
  }
}
