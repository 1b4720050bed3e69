internal import TextInput

/// The events of each user, one user after another.
struct Histories: Sendable, Equatable {
  /// The number of each user in the log; users are in ascending order of the bytes of their ids.
  var users: [UInt32]
  /// Where each user's events begin, with the end of the last.
  var offsets: [Int]
  /// The numbers of the items, those of the log or dense ones.
  var items: [UInt32]
  /// Microseconds since 1970, or places in the log.
  var times: [Int64]
  /// The weight of each event's kind, until ``sortByTime(_:threads:)`` has used them; empty where all weigh the same.
  var weights: [UInt16] = []

  var userCount: Int { users.count }
  var eventCount: Int { items.count }

  func range(of user: Int) -> Range<Int> { offsets[user]..<offsets[user + 1] }
}

extension Histories {
  /// Groups the events of a log by user, in the order of the log.
  ///
  /// - Parameters:
  ///   - log: emptied while it is read.
  ///   - admits: for each item number of the log, whether its events are kept.
  init(_ log: inout InteractionLog, admits: [Bool]) {
    let order = log.users.sortedNumbers()
    var rank = [UInt32](repeating: 0, count: order.count)
    for (place, user) in order.enumerated() { rank[Int(user)] = UInt32(place) }
    var offsets = [Int](repeating: 0, count: order.count + 1)
    for block in log.blocks {
      for row in block.users.indices where admits[Int(block.items[row])] {
        offsets[Int(rank[Int(block.users[row])]) + 1] += 1
      }
    }
    for user in order.indices { offsets[user + 1] += offsets[user] }
    var next = offsets
    let count = offsets[order.count]
    var items = [UInt32](repeating: 0, count: count)
    var times = [Int64](repeating: 0, count: count)
    let hasWeights = log.blocks.contains { !$0.weights.isEmpty }
    var weights = [UInt16](repeating: 0, count: hasWeights ? count : 0)
    for index in log.blocks.indices {
      var block = EventBlock()
      swap(&block, &log.blocks[index])
      for row in block.users.indices where admits[Int(block.items[row])] {
        let user = Int(rank[Int(block.users[row])])
        items[next[user]] = block.items[row]
        times[next[user]] = block.times[row]
        if hasWeights { weights[next[user]] = block.weights[row] }
        next[user] += 1
      }
    }
    log.blocks = []
    self.init(users: order, offsets: offsets, items: items, times: times, weights: weights)
  }

  /// Puts every user's events in time order, ties in the order of the log, and removes weak and repeated ones.
  ///
  /// - Returns: the number of events removed.
  mutating func sortByTime(_ rule: RepeatRule, threads: Int) -> RepeatRule.Removed {
    let source = self
    let pieces = parallelMap(balancedRanges(offsets).count, threads: threads) {
      [ranges = balancedRanges(offsets)] index in
      source.sorted(ranges[index], rule)
    }
    let before = eventCount
    var weakCount = 0
    var offsets = [0]
    offsets.reserveCapacity(userCount + 1)
    var items: [UInt32] = []
    var times: [Int64] = []
    items.reserveCapacity(before)
    times.reserveCapacity(before)
    for piece in pieces {
      for count in piece.counts { offsets.append(offsets[offsets.count - 1] + count) }
      items.append(contentsOf: piece.items)
      times.append(contentsOf: piece.times)
      weakCount += piece.weakCount
    }
    (self.offsets, self.items, self.times, weights) = (offsets, items, times, [])
    return RepeatRule.Removed(weak: weakCount, repeated: before - weakCount - items.count)
  }

  private struct Piece: Sendable {
    var counts: [Int] = []
    var items: [UInt32] = []
    var times: [Int64] = []
    /// The events removed for their weight.
    var weakCount = 0
  }

  private func sorted(_ users: Range<Int>, _ rule: RepeatRule) -> Piece {
    var piece = Piece()
    piece.counts.reserveCapacity(users.count)
    piece.items.reserveCapacity(offsets[users.upperBound] - offsets[users.lowerBound])
    piece.times.reserveCapacity(offsets[users.upperBound] - offsets[users.lowerBound])
    var events: [Event] = []
    for user in users {
      events.removeAll(keepingCapacity: true)
      var isSorted = true
      for row in range(of: user) {
        if let last = events.last, last.time > times[row] { isSorted = false }
        events.append(Event(time: times[row], place: UInt32(events.count), item: items[row]))
      }
      if !isSorted { events.sort() }
      if !rule.keepsAll {
        let first = offsets[user]
        piece.weakCount += rule.apply(
          to: &events, item: { $0.item },
          weight: weights.isEmpty ? nil : { weights[first + Int($0.place)] })
      }
      piece.counts.append(events.count)
      for event in events {
        piece.items.append(event.item)
        piece.times.append(event.time)
      }
    }
    return piece
  }
}

/// An event of one user while they are sorted.
private struct Event: Comparable {
  var time: Int64
  var place: UInt32
  var item: UInt32

  static func < (left: Event, right: Event) -> Bool {
    left.time != right.time ? left.time < right.time : left.place < right.place
  }
}
