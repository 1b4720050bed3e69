internal import TextInput

/// Events in the order of the log, with ids numbered as they were met.
struct EventBlock: Sendable {
  var users: [UInt32] = []
  var items: [UInt32] = []
  /// Microseconds since 1970, or the place in the log if it has no times.
  var times: [Int64] = []
  /// The weight of each event's kind; empty where all kinds weigh the same.
  var weights: [UInt16] = []

  var count: Int { users.count }

  mutating func append(user: UInt32, item: UInt32, time: Int64, weight: UInt16? = nil) {
    users.append(user)
    items.append(item)
    times.append(time)
    if let weight { weights.append(weight) }
  }
}

/// Counts of what happened to the rows of a log.
struct RowCounters: Sendable, Equatable {
  var rowCount = 0
  var belowRating = 0
  var outsideWindow = 0
  var otherEventType = 0

  static func += (left: inout RowCounters, right: RowCounters) {
    left.rowCount += right.rowCount
    left.belowRating += right.belowRating
    left.outsideWindow += right.outsideWindow
    left.otherEventType += right.otherEventType
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
  /// Their text, if it was to be kept.
  var badRows: [UInt8] = []
  /// What was found in each file.
  var sources: [LogSource] = []

  var eventCount: Int { blocks.reduce(0) { $0 + $1.count } }
}

/// What was found in a file: its format, and which column or field is what.
struct LogSource: Sendable, Equatable {
  var name: String
  var format: LogFormat
  /// Pairs of a role and the name of a column, for example user and `reviewerID`.
  var columns: [Role] = []
  var rowCount = 0

  struct Role: Sendable, Equatable {
    var role: String
    var column: String
  }
}
