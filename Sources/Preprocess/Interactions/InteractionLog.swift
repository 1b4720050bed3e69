internal import Numerics
internal import ShardIO
internal import TextInput

/// Events in the order of the log, with ids numbered as one worker has met them.
struct EventBlock: Sendable {
  /// The worker whose numbers these are.
  var worker = 0
  var users: [UInt32] = []
  var items: [UInt32] = []
  /// Microseconds since 1970; 0 if the log has no times.
  var times: [Int64] = []
  /// The weight of each event's kind; empty where all kinds weigh the same.
  var weights: [UInt16] = []
  /// The place of the first event in the log, if places stand for times.
  var firstPlace: Int64?
  /// Where the events are, if not in memory.
  private var stored: Stored?

  private struct Stored: Sendable {
    var users: ScratchFile.Piece<UInt32>
    var items: ScratchFile.Piece<UInt32>
    var times: ScratchFile.Piece<Int64>
    var weights: ScratchFile.Piece<UInt16>
  }

  var count: Int { stored?.users.count ?? users.count }

  /// The bytes of the events.
  var byteCount: Int { 16 * count }

  /// The time of an event.
  func time(_ row: Int) -> Int64 { firstPlace.map { $0 + Int64(row) } ?? times[row] }

  mutating func append(user: UInt32, item: UInt32, time: Int64, weight: UInt16? = nil) {
    users.append(user)
    items.append(item)
    times.append(time)
    if let weight { weights.append(weight) }
  }

  /// Moves the events out of memory.
  mutating func store(_ storage: EventStorage) throws(PipelineError) {
    stored = Stored(
      users: try storage.write(users), items: try storage.write(items),
      times: try storage.write(times), weights: try storage.write(weights))
    (users, items, times, weights) = ([], [], [], [])
  }

  /// The same block with its events in memory.
  func loaded(_ storage: EventStorage) throws(PipelineError) -> EventBlock {
    guard let stored else { return self }
    var block = self
    block.users = try storage.read(stored.users)
    block.items = try storage.read(stored.items)
    block.times = try storage.read(stored.times)
    block.weights = try storage.read(stored.weights)
    block.stored = nil
    return block
  }
}

/// Counts of what happened to the rows of a log.
struct RowCounters: Sendable, Equatable {
  var rowCount = 0
  var belowRating = 0
  var outsideWindow = 0
  var otherEventType = 0
  /// What the times look like, before any filter.
  var times = TimeStatistics()

  static func += (left: inout RowCounters, right: RowCounters) {
    left.rowCount += right.rowCount
    left.belowRating += right.belowRating
    left.outsideWindow += right.outsideWindow
    left.otherEventType += right.otherEventType
    left.times += right.times
  }
}

/// The numbers of ids in a log, for each number that one worker has given them.
struct WorkerRanks: Sendable, Equatable {
  var users: [UInt32] = []
  var items: [UInt32] = []
}

/// All events of the logs of a run.
struct InteractionLog: Sendable {
  /// The ids in ascending order of their bytes.
  var users = SortedIdentifiers()
  var items = SortedIdentifiers()
  /// In the order of the logs.
  var blocks: [EventBlock] = []
  /// The ranks of the numbers in the blocks, by worker.
  var ranks: [WorkerRanks] = []
  /// Holds the events that have no room in memory.
  let storage: EventStorage
  var counters = RowCounters()
  /// The unit of times that are numbers; nil where there are none, or only ones that fit any.
  var timeUnit: TimeUnit?
  /// The bad rows that were left out.
  var faults = FaultList()
  /// Their text, if it was to be kept.
  var badRows: [UInt8] = []
  /// What was found in each file.
  var sources: [LogSource] = []
  /// How long reading took.
  var clock = PhaseClock()

  var eventCount: Int { blocks.reduce(0) { $0 + $1.count } }

  /// Joins what workers have read.
  ///
  /// - Parameters:
  ///   - workers: their ids.
  ///   - blocks: their events.
  ///   - storage: holds what is not in memory.
  ///   - threads: how many lists may be sorted at once.
  init(
    _ workers: consuming [WorkerIDs], _ blocks: [EventBlock], _ storage: EventStorage, threads: Int
  ) {
    self.blocks = blocks
    self.storage = storage
    let tables = workers.flatMap { [$0.users, $0.items] }
    workers = []
    let sorted = parallelMap(tables.count, threads: threads) {
      SortedIdentifiers.sorting(tables[$0])
    }
    let joined = parallelMap(2, threads: threads) { kind in
      Self.join(stride(from: kind, to: sorted.count, by: 2).map { sorted[$0] })
    }
    (users, items) = (joined[0].ids, joined[1].ids)
    ranks = zip(joined[0].ranks, joined[1].ranks).map { WorkerRanks(users: $0, items: $1) }
  }

  /// Joins sorted ids; the ranks are those in the whole.
  private static func join(
    _ lists: [(SortedIdentifiers, ranks: [UInt32])]
  ) -> (ids: SortedIdentifiers, ranks: [[UInt32]]) {
    guard let first = lists.first else { return (SortedIdentifiers(), []) }
    var ids = first.0
    var ranks = [first.ranks]
    for (other, otherRanks) in lists.dropFirst() {
      let (merged, left, right) = SortedIdentifiers.merging(ids, other)
      ranks = ranks.map { $0.map { left[Int($0)] } }
      ranks.append(otherRanks.map { right[Int($0)] })
      ids = merged
    }
    return (ids, ranks)
  }
}

/// What was found in a file: its format, and which column or field is what.
struct LogSource: Sendable, Equatable {
  var name: String
  var format: LogFormat
  /// Pairs of a role and the name of a column, for example user and `reviewerID`.
  var columns: [Role] = []
  var rowCount = 0
  /// The byte between fields; nil for JSON lines.
  var delimiter: UInt8?

  struct Role: Sendable, Equatable {
    var role: String
    var column: String
  }
}
