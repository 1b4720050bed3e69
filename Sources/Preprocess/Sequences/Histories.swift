internal import Numerics
internal import ShardIO
internal import Synchronization

/// The events of consecutive users, one user after another.
struct HistoryPart: Sendable {
  /// The number of each user in the log; users are in ascending order of the bytes of their ids.
  var users: [UInt32] = []
  /// Where each user's events begin, with the end of the last.
  var offsets: [Int] = [0]
  /// The numbers of the items, those of the log or dense ones.
  var items: [UInt32] = []
  /// Microseconds since 1970, or places in the log.
  var times: [Int64] = []
  /// Where items and times are, if not in memory.
  private var stored: Stored?

  private struct Stored: Sendable {
    var items: ScratchFile.Piece<UInt32>
    var times: ScratchFile.Piece<Int64>
  }

  init() {}

  init(users: [UInt32], offsets: [Int], items: [UInt32], times: [Int64]) {
    (self.users, self.offsets, self.items, self.times) = (users, offsets, items, times)
  }

  var userCount: Int { users.count }
  var eventCount: Int { offsets[users.count] }

  func range(of user: Int) -> Range<Int> { offsets[user]..<offsets[user + 1] }

  /// Moves items and times out of memory.
  mutating func store(_ storage: EventStorage) throws(PipelineError) {
    if stored == nil {
      stored = Stored(items: try storage.write(items), times: try storage.write(times))
    } else {
      try stored.map { pieces throws(PipelineError) in
        var pieces = pieces
        try storage.rewrite(items, &pieces.items)
        try storage.rewrite(times, &pieces.times)
        stored = pieces
      }
    }
    (items, times) = ([], [])
  }

  /// Brings items and times into memory; returns whether they were elsewhere.
  mutating func load(_ storage: EventStorage) throws(PipelineError) -> Bool {
    guard let stored else { return false }
    items = try storage.read(stored.items)
    times = try storage.read(stored.times)
    return true
  }

  /// Forgets items and times that have not been changed since they were loaded.
  mutating func unload() { (items, times) = ([], []) }
}

/// The events of each user, in parts that can be worked on at the same time.
///
/// Rows are users, counted through all parts.
struct Histories: Sendable {
  private(set) var parts: [HistoryPart]
  let storage: EventStorage
  var threads = 1

  init(parts: [HistoryPart], _ storage: EventStorage, threads: Int) {
    (self.parts, self.storage, self.threads) = (parts, storage, threads)
  }

  var userCount: Int { parts.reduce(0) { $0 + $1.userCount } }
  var eventCount: Int { parts.reduce(0) { $0 + $1.eventCount } }

  /// The row of the first user of each part, with the number of rows.
  var firstRows: [Int] {
    parts.reduce(into: [0]) { rows, part in rows.append(rows[rows.count - 1] + part.userCount) }
  }

  /// A part with its events in memory.
  func part(_ index: Int) throws(PipelineError) -> HistoryPart {
    var part = parts[index]
    _ = try part.load(storage)
    return part
  }

  /// Computes one value for each part, several at a time.
  func map<Value: Sendable>(
    _ body: @Sendable (_ firstRow: Int, HistoryPart) throws(PipelineError) -> Value
  ) throws(PipelineError) -> [Value] {
    let rows = firstRows
    return try parallelMap(parts.count, threads: threads) { index throws(PipelineError) in
      try body(rows[index], part(index))
    }
  }

  /// Removes events from every part or changes them in place, several parts at a time.
  ///
  /// - Parameter body: returns a value and whether the part was changed.
  /// - Returns: the value of each part.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  mutating func update<Value: Sendable>(
    _ body: @Sendable (inout HistoryPart) -> (Value, isChanged: Bool)
  ) throws(PipelineError) -> [Value] {
    let count = parts.count
    let storage = storage
    let shared = Mutex(parts)
    parts = []
    let values = try parallelMap(count, threads: threads) { index throws(PipelineError) in
      // Taken out, so that it can be changed in place.
      var part = HistoryPart()
      shared.withLock { swap(&part, &$0[index]) }
      let isStored = try part.load(storage)
      let (value, isChanged) = body(&part)
      if isStored {
        if isChanged { try part.store(storage) } else { part.unload() }
      }
      shared.withLock { swap(&part, &$0[index]) }
      return value
    }
    parts = shared.withLock { parts in
      defer { parts = [] }
      return parts
    }
    return values
  }

  /// How often each item occurs.
  ///
  /// - Parameters:
  ///   - itemCount: the number of items.
  ///   - ends: for each row how many of its first events count; nil counts all.
  /// - Returns: one count an item.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  func itemCounts(
    _ itemCount: Int, upTo ends: [UInt32]? = nil
  ) throws(PipelineError) -> [UInt32] {
    let rows = firstRows
    return try sums(itemCount) { index, part, counts in
      guard let ends else {
        for item in part.items { counts[Int(item)] += 1 }
        return
      }
      for user in 0..<part.userCount {
        for event in part.range(of: user).prefix(Int(ends[rows[index] + user])) {
          counts[Int(part.items[event])] += 1
        }
      }
    }
  }

  /// Sums up something for each item over all parts.
  ///
  /// - Parameters:
  ///   - itemCount: the number of items.
  ///   - add: adds what a part contributes.
  /// - Returns: one sum an item.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  func sums<Number: FixedWidthInteger & Sendable>(
    _ itemCount: Int, _ add: @Sendable (_ part: Int, HistoryPart, inout [Number]) -> Void
  ) throws(PipelineError) -> [Number] {
    let pieces = try parallelMap(threads, threads: threads) { piece throws(PipelineError) in
      var sums = [Number](repeating: 0, count: itemCount)
      for index in parts.count * piece / threads..<parts.count * (piece + 1) / threads {
        add(index, try part(index), &sums)
      }
      return sums
    }
    return pieces.dropFirst().reduce(into: pieces[0]) { sums, other in
      for item in sums.indices { sums[item] += other[item] }
    }
  }

  /// The times at some places of all times in ascending order.
  ///
  /// - Parameter places: from 0; there must be events.
  /// - Returns: one time a place.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  func orderedTimes(_ places: [Int]) throws(PipelineError) -> [Int64] {
    // The digits of a time are found from the highest; each time all times with the digits so far are counted.
    var places = places
    var prefixes = [UInt64](repeating: 0, count: places.count)
    for shift in stride(from: UInt64(48), through: 0, by: -16) {
      for index in places.indices {
        let prefix = prefixes[index]
        let counts: [Int] = try sums(1 << 16) { _, part, counts in
          for time in part.times {
            let bits = UInt64(bitPattern: time) ^ (1 << 63)
            if shift == 48 || bits >> (shift + 16) == prefix {
              counts[Int(bits >> shift & 0xFFFF)] += 1
            }
          }
        }
        var digit = 0
        while places[index] >= counts[digit] {
          places[index] -= counts[digit]
          digit += 1
        }
        prefixes[index] = prefix << 16 | UInt64(digit)
      }
    }
    return prefixes.map { Int64(bitPattern: $0 ^ (1 << 63)) }
  }
}
