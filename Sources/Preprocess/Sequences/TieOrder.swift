internal import Numerics
internal import ShardIO
internal import TextInput

/// What decides the order of a user's events that have one time.
enum TieRule: String, Sendable, CaseIterable {
  /// A seeded hash of what the events say: no order is invented, and the files have no say.
  case hash
  /// The order of the rows in the files.
  case file
}

/// The order of a user's events that have one time.
struct TieOrder: Sendable {
  var rule: TieRule
  var seed: UInt64
  /// The ids behind the numbers of users and items.
  var users: SortedIdentifiers
  var items: SortedIdentifiers
  /// Whether several events of one item at one time are parted like others; if not, they stay together for a rule
  /// that keeps one of them, so that an item has one chance however often it is written.
  var partsRepeats: Bool

  /// The hash of a user.
  func userHash(_ user: UInt32) -> UInt64 { shortHash(users[user].span, seed: seed) }

  /// What the events of a user at a time are put in order by; a function of seed, ids and time alone.
  ///
  /// - Parameters:
  ///   - userHash: as ``userHash(_:)`` gives it.
  ///   - time: microseconds since 1970.
  ///   - item: the number of the item.
  ///   - repetition: how many events of the same item at the same time come before, by weight.
  /// - Returns: 64 bits of chance.
  func key(userHash: UInt64, time: Int64, item: UInt32, repetition: Int) -> UInt64 {
    let random = CounterRandom(seed: userHash, stream: UInt64(bitPattern: time))
    let itemHash = shortHash(items[item].span, seed: seed)
    return random.bits(itemHash &+ UInt64(partsRepeats ? repetition : 0))
  }
}

/// Puts ties in order; keeps its memory from one run of ties to the next.
struct TieArranger {
  let order: TieOrder
  private var keys: [(key: UInt64, place: Int)] = []

  init(_ order: TieOrder) { self.order = order }

  /// Orders the ties of a user.
  ///
  /// - Parameters:
  ///   - events: in ascending order of time, those of one time in ascending order of item and weight.
  ///   - range: where the user's events are.
  ///   - user: the number of the user.
  ///   - content: time and item of an event.
  mutating func arrange<Event>(
    _ events: inout [Event], _ range: Range<Int>, user: UInt32,
    _ content: (Event) -> (time: Int64, item: UInt32)
  ) {
    guard order.rule == .hash, range.count > 1 else { return }
    var userHash: UInt64?
    var start = range.lowerBound
    while start < range.upperBound {
      let time = content(events[start]).time
      var end = start + 1
      while end < range.upperBound, content(events[end]).time == time { end += 1 }
      if end - start > 1 {
        let hash = userHash ?? order.userHash(user)
        userHash = hash
        collectKeys(events[start..<end], hash, content)
        let sorted = keys.map { events[$0.place] }
        events.replaceSubrange(start..<end, with: sorted)
      }
      start = end
    }
  }

  /// The places of some events of one time in their new order.
  private mutating func collectKeys<Event>(
    _ events: ArraySlice<Event>, _ userHash: UInt64,
    _ content: (Event) -> (time: Int64, item: UInt32)
  ) {
    keys.removeAll(keepingCapacity: true)
    var previous: UInt32?
    var repetition = 0
    for place in events.indices {
      let (time, item) = content(events[place])
      repetition = item == previous ? repetition + 1 : 0
      previous = item
      let key = order.key(userHash: userHash, time: time, item: item, repetition: repetition)
      keys.append((key, place))
    }
    keys.sort { ($0.key, $0.place) < ($1.key, $1.place) }
  }
}
