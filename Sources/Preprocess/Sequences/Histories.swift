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

  var userCount: Int { users.count }
  var eventCount: Int { items.count }

  func range(of user: Int) -> Range<Int> { offsets[user]..<offsets[user + 1] }
}

/// What to do with several events of one user and one item.
enum Deduplication: String, Sendable, CaseIterable {
  /// Keep all.
  case none
  /// Keep the earliest.
  case first
  /// Keep the latest.
  case last
  /// Keep one of a run of equal items.
  case consecutive
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
    for index in log.blocks.indices {
      var block = EventBlock()
      swap(&block, &log.blocks[index])
      for row in block.users.indices where admits[Int(block.items[row])] {
        let user = Int(rank[Int(block.users[row])])
        items[next[user]] = block.items[row]
        times[next[user]] = block.times[row]
        next[user] += 1
      }
    }
    log.blocks = []
    self.init(users: order, offsets: offsets, items: items, times: times)
  }

  /// Puts every user's events in time order, ties in the order of the log, and removes repeated ones.
  ///
  /// - Returns: the number of events removed.
  mutating func sortByTime(_ deduplication: Deduplication, threads: Int) -> Int {
    let source = self
    let pieces = parallelMap(balancedRanges(offsets).count, threads: threads) {
      [ranges = balancedRanges(offsets)] index in
      source.sorted(ranges[index], deduplication)
    }
    let before = eventCount
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
    }
    (self.offsets, self.items, self.times) = (offsets, items, times)
    return before - items.count
  }

  private struct Piece: Sendable {
    var counts: [Int] = []
    var items: [UInt32] = []
    var times: [Int64] = []
  }

  private func sorted(_ users: Range<Int>, _ deduplication: Deduplication) -> Piece {
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
      if deduplication != .none { deduplicate(&events, deduplication) }
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

/// Removes repeated items from events in time order.
private func deduplicate(_ events: inout [Event], _ rule: Deduplication) {
  switch rule {
  case .none: return
  case .consecutive:
    var last: UInt32?
    events.removeAll { event in
      defer { last = event.item }
      return event.item == last
    }
  case .first: keepFirst(&events)
  case .last:
    events.reverse()
    keepFirst(&events)
    events.reverse()
  }
}

private func keepFirst(_ events: inout [Event]) {
  // Most histories are short; searching them beats a set.
  if events.count <= 32 {
    var count = 0
    for event in events where !events[..<count].contains(where: { $0.item == event.item }) {
      events[count] = event
      count += 1
    }
    events.removeLast(events.count - count)
    return
  }
  var seen = Set<UInt32>(minimumCapacity: events.count)
  events.removeAll { !seen.insert($0.item).inserted }
}
