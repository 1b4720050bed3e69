internal import ShardIO

/// Why a row of a log cannot be used; the raw value is its name in the manifest.
enum FaultReason: String, Sendable, CaseIterable {
  case fieldCount
  case emptyUser
  case emptyItem
  case nullUser
  case nullItem
  case timestamp
  case rating
  case quoting
  case unterminatedQuote
  case encoding
  case json
  case missingField
  case vector
}

/// A row that cannot be used.
struct RowFault: Sendable, Equatable {
  var reason: FaultReason
  /// The line, from 1; within a chunk until chunks are joined.
  var line: Int
  /// The column in bytes, from 1.
  var column: Int
  /// What was found and what was expected.
  var message: String
}

/// The bad rows of a file: the first of them in full, all of them in numbers.
struct FaultList: Sendable, Equatable {
  /// The rows shown in a message.
  static let shownCount = 20

  private(set) var shown: [RowFault] = []
  private(set) var counts: [FaultReason: Int] = [:]

  /// The number of bad rows.
  var count: Int { counts.values.reduce(0, +) }

  /// Records a bad row; rows come in the order of the file.
  mutating func record(_ fault: RowFault) {
    counts[fault.reason, default: 0] += 1
    if shown.count < Self.shownCount { shown.append(fault) }
  }

  /// Adds the bad rows of the next piece of the file, which begins after `lineOffset` lines.
  mutating func append(_ other: FaultList, lineOffset: Int) {
    counts.merge(other.counts) { $0 + $1 }
    for fault in other.shown.prefix(Self.shownCount - shown.count) {
      var moved = fault
      moved.line += lineOffset
      shown.append(moved)
    }
  }

  /// The failure of a file with bad rows.
  ///
  /// - Parameters:
  ///   - name: the file.
  ///   - rowCount: all rows of the file, good and bad.
  /// - Returns: the failure, or nil if there is no bad row.
  func error(in name: String, rowCount: Int) -> PipelineError? {
    guard let first = shown.first else { return nil }
    let remedy = "correct the rows, or leave them out with --skip-bad-rows"
    let firstPlace = PipelineError.Location(path: name, line: first.line, column: first.column)
    if count == 1 {
      return PipelineError(.dataFormat, first.message, at: firstPlace, note: remedy)
    }
    var lines = ["\(count) of \(rowCount) rows cannot be used"]
    for fault in shown {
      lines.append("  \(name):\(fault.line):\(fault.column): \(fault.message)")
    }
    if count > shown.count { lines.append("  and \(count - shown.count) more") }
    return PipelineError(
      .dataFormat, lines.joined(separator: "\n"), at: .init(path: name), note: remedy)
  }
}
