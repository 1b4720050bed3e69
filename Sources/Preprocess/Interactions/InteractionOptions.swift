internal import TextInput

/// How an interaction log is to be read.
struct InteractionSettings: Sendable {
  /// The names or the numbers (from 1) of the columns; nil means the usual names.
  var userColumn: String?
  var itemColumn: String?
  var timeColumn: String?
  var ratingColumn: String?
  var eventColumn: String?
  /// The kinds of events that are kept, and their weights; empty keeps all.
  var eventWeights: [String: UInt16] = [:]
  var timestampFormat = TimestampFormat.automatic
  /// What duckdb is asked for in place of files; nil for files.
  var query: String?
  /// The unit of times that are numbers; nil until it is known.
  var timeUnit: TimeUnit?
  /// The format, or nil to tell it from the first bytes.
  var format: LogFormat?
  var hasHeader = true
  var delimiter: UInt8?
  /// Events with a smaller rating are left out; events without a rating are kept.
  var minimumRating: Double?
  /// Events at or after this time, microseconds since 1970.
  var earliest = Int64.min
  /// Events before this time, microseconds since 1970.
  var latest = Int64.max
  /// Whether `NULL`, `\N`, `nan` and `None` are ids like others.
  var keepsNullIDs = false
  var skipsBadRows = false
  /// Whether the text of bad rows is kept, to be written to a file.
  var keepsBadRows = false
  var threads = 1

  /// Whether some kinds of events weigh more than others.
  var hasWeights: Bool { eventWeights.values.contains { $0 != 1 } }
}

/// The formats of interaction logs.
enum LogFormat: String, Sendable, CaseIterable {
  /// Delimited by commas, RFC 4180.
  case csv
  /// Delimited by tabs.
  case tsv
  /// MovieLens' `user::item::rating::time`, without a header.
  case movielens
  /// RecBole's `.inter`: tabs, and a header of `name:type`.
  case recbole
  /// One JSON object a line.
  case jsonl
}
