internal import Numerics
internal import ShardIO
internal import Synchronization
internal import TextInput

extension Histories {
  /// Groups the events of a log by user, in the order of time, and removes weak and repeated ones.
  ///
  /// Events of one user at one time go by `ties`.
  ///
  /// - Parameters:
  ///   - log: loses its events.
  ///   - admits: for each item number of the log, whether its events are kept.
  ///   - rule: which of several events of a user and an item stay.
  ///   - ties: what decides between equal times, and the seed of what is drawn.
  ///   - threads: how many parts may be sorted at once.
  /// - Returns: the histories, and the numbers of events removed.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  static func sorting(
    _ log: inout InteractionLog, admits: [Bool], _ rule: RepeatRule,
    ties: (rule: TieRule, seed: UInt64) = (.hash, 42), threads: Int
  ) throws(PipelineError) -> (Histories, RepeatRule.Removed) {
    let eventCount = log.eventCount
    let parts = UserParts(userCount: log.users.count, eventCount: eventCount)
    let admitted = admits.contains(false) ? admits : nil
    let runs = try runs(&log, admits: admitted, parts, threads: threads)
    let itemCount = log.items.count
    let storage = log.storage
    let order = TieOrder(
      rule: ties.rule, seed: ties.seed, users: log.users, items: log.items,
      partsRepeats: rule.deduplication == .none)
    // 12 bytes an event; the other half of the memory may be full of runs.
    let isStored = 12 * eventCount > storage.byteCount / 2
    let scratches = Mutex<[RepeatMarks]>([])
    let sorted = try parallelMap(parts.count, threads: threads) { index throws(PipelineError) in
      var marks = scratches.withLock { $0.popLast() } ?? RepeatMarks(itemCount: itemCount)
      defer { scratches.withLock { $0.append(marks) } }
      var slices: [EventSlice] = []
      for run in runs { slices.append(try run.slice(index, storage)) }
      let sorter = PartSorter(
        slices: slices, users: parts.users(of: index), itemCount: itemCount, ties: order)
      var sorted = sorter.sorted(rule, &marks)
      if isStored { try sorted.part.store(storage) }
      return sorted
    }
    let histories = Histories(parts: sorted.map(\.part), storage, threads: threads)
    let removed = sorted.reduce(into: RepeatRule.Removed()) { sum, part in
      sum.weak += part.removed.weak
      sum.repeated += part.removed.repeated
    }
    return (histories, removed)
  }

  private static func runs(
    _ log: inout InteractionLog, admits: [Bool]?, _ parts: UserParts, threads: Int
  ) throws(PipelineError) -> [EventRun] {
    let storage = log.storage
    let isStored = 16 * log.eventCount > storage.byteCount / 2
    var groups = groups(log.blocks, storage, threads: threads)
    log.blocks = []
    let count = groups.count
    let ranks = log.ranks
    let shared = Mutex(groups)
    groups = []
    return try parallelMap(count, threads: threads) { index throws(PipelineError) in
      // Taken out, so that the memory of blocks is free again when they have become a run.
      var blocks: [EventBlock] = []
      shared.withLock { swap(&blocks, &$0[index]) }
      for place in blocks.indices { blocks[place] = try blocks[place].loaded(storage) }
      var run = EventRun(blocks, ranks, admits: admits, parts)
      if isStored { try run.store(storage) }
      return run
    }
  }

  /// The blocks that become a run together: a million events, or what memory has room for.
  private static func groups(
    _ blocks: [EventBlock], _ storage: EventStorage, threads: Int
  ) -> [[EventBlock]] {
    // A run is in memory twice while it is made.
    let size = min(1 << 20, max(1 << 12, storage.byteCount / 2 / (32 * threads)))
    var groups: [[EventBlock]] = [[]]
    var count = 0
    for block in blocks {
      if count >= size {
        groups.append([])
        count = 0
      }
      groups[groups.count - 1].append(block)
      count += block.count
    }
    return groups
  }
}

/// For each item the last user, plus 1, with whom it was seen.
struct RepeatMarks: Sendable {
  private var users: [UInt32]

  init(itemCount: Int) { users = largeArray(repeating: 0, count: itemCount) }

  /// Whether this is the first time that an item is seen with a user.
  mutating func isFirst(_ item: UInt32, user: UInt32) -> Bool {
    if users[Int(item)] == user + 1 { return false }
    users[Int(item)] = user + 1
    return true
  }
}
