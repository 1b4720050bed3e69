internal import TextInput

/// Events in the order of the log, with ids numbered as they were met.
struct EventBlock: Sendable {
  var users: [UInt32] = []
  var items: [UInt32] = []
  /// Microseconds since 1970, or the place in the log if it has no times.
  var times: [Int64] = []

  var count: Int { users.count }

  mutating func append(user: UInt32, item: UInt32, time: Int64) {
    users.append(user)
    items.append(item)
    times.append(time)
  }
}

/// Counts of what happened to the rows of a log.
struct RowCounters: Sendable, Equatable {
  var rowCount = 0
  var belowRating = 0
  var outsideWindow = 0

  static func += (left: inout RowCounters, right: RowCounters) {
    left.rowCount += right.rowCount
    left.belowRating += right.belowRating
    left.outsideWindow += right.outsideWindow
  }
}

/// All events of the logs of a run.
struct InteractionLog: Sendable {
  var users = IdentifierTable()
  var items = IdentifierTable()
  /// In the order of the logs; numbers are those of ``users`` and ``items``.
  var blocks: [EventBlock] = []
  var counters = RowCounters()
  /// The bad rows that were left out.
  var faults = FaultList()

  var eventCount: Int { blocks.reduce(0) { $0 + $1.count } }
}
