internal import Numerics
internal import ShardIO
internal import TextInput

/// An event with the numbers that the log gives its user and its item.
struct Event: Sendable, BitwiseCopyable {
  /// Microseconds since 1970, or the place in the log.
  var time: Int64
  var user: UInt32
  var item: UInt32
}

/// Some of the events of a part.
struct EventSlice {
  var events: ArraySlice<Event>
  /// The weight of each event; empty where all weigh 1.
  var weights: ArraySlice<UInt16>
}

/// How users are divided into parts: so many consecutive ones each.
struct UserParts: Sendable {
  let userCount: Int
  /// A part has 2 to this power of users.
  let shift: UInt32
  let count: Int

  /// The events of a part are sorted in the second cache.
  private static let eventsPerPart = 1 << 16

  init(userCount: Int, eventCount: Int) {
    self.userCount = userCount
    let wanted = max(1, eventCount / Self.eventsPerPart)
    let usersPerPart = UInt32(max(1, userCount / wanted))
    shift = UInt32(31 - usersPerPart.leadingZeroBitCount)
    count = userCount == 0 ? 0 : ((userCount - 1) >> Int(shift)) + 1
  }

  /// The part of a user.
  func part(of user: UInt32) -> Int { Int(user >> shift) }

  /// The users of a part.
  func users(of part: Int) -> Range<Int> {
    part << Int(shift)..<min((part + 1) << Int(shift), userCount)
  }
}

/// Events of some blocks of a log, in the order of the parts of their users.
struct EventRun: Sendable {
  private var events: [Event]
  /// The weight of each event; empty where all weigh 1.
  private var weights: [UInt16]
  /// Where each part begins, with the end of the last.
  private var offsets: [Int]
  /// Where the events are, if not in memory.
  private var stored: (events: ScratchFile.Piece<Event>, weights: ScratchFile.Piece<UInt16>)?

  /// Sorts events by part.
  ///
  /// - Parameters:
  ///   - blocks: the events, with the numbers of workers.
  ///   - ranks: the numbers of the log.
  ///   - admits: for each item of the log, whether its events are kept; nil keeps all.
  ///   - parts: how users are divided.
  init(
    _ blocks: [EventBlock], _ ranks: [WorkerRanks], admits: [Bool]?, _ parts: UserParts
  ) {
    offsets = Array(repeating: 0, count: parts.count + 1)
    // Ranks are all over the place, so each is looked up once.
    var users: [[UInt32]] = []
    for block in blocks {
      let ranks = ranks[block.worker]
      users.append(block.users.map { ranks.users[Int($0)] })
      for row in block.users.indices {
        if let admits, !admits[Int(ranks.items[Int(block.items[row])])] { continue }
        offsets[parts.part(of: users[users.count - 1][row]) + 1] += 1
      }
    }
    for part in 0..<parts.count { offsets[part + 1] += offsets[part] }
    var next = offsets
    events = largeArray(
      repeating: Event(time: 0, user: 0, item: 0), count: offsets[parts.count])
    let hasWeights = blocks.contains { !$0.weights.isEmpty }
    weights = Array(repeating: 1, count: hasWeights ? offsets[parts.count] : 0)
    for (block, users) in zip(blocks, users) {
      let ranks = ranks[block.worker]
      for row in block.users.indices {
        let item = ranks.items[Int(block.items[row])]
        if let admits, !admits[Int(item)] { continue }
        let user = users[row]
        let part = parts.part(of: user)
        events[next[part]] = Event(time: block.time(row), user: user, item: item)
        if hasWeights { weights[next[part]] = block.weights[row] }
        next[part] += 1
      }
    }
  }

  /// Moves the events out of memory.
  mutating func store(_ storage: EventStorage) throws(PipelineError) {
    stored = (try storage.write(events), try storage.write(weights))
    (events, weights) = ([], [])
  }

  /// The events of a part.
  func slice(_ part: Int, _ storage: EventStorage) throws(PipelineError) -> EventSlice {
    let range = offsets[part]..<offsets[part + 1]
    guard let stored else {
      return EventSlice(events: events[range], weights: weights.isEmpty ? [] : weights[range])
    }
    return EventSlice(
      events: try storage.read(stored.events, range)[...],
      weights: stored.weights.count == 0 ? [] : try storage.read(stored.weights, range)[...])
  }
}
