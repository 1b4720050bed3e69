internal import ShardIO
internal import TextInput

/// Turns the records of a chunk of delimited text into events.
struct DelimitedRowParser: Sendable {
  private var scanner: DelimitedScanner
  private let columns: ColumnMap
  private let settings: InteractionSettings
  private let hasRowTimes: Bool
  private let hasWeights: Bool

  init(_ format: DelimitedFormat, _ columns: ColumnMap, _ settings: InteractionSettings) {
    scanner = DelimitedScanner(format)
    self.columns = columns
    self.settings = settings
    hasRowTimes = columns.time != nil
    hasWeights = settings.hasWeights
  }

  /// Parses a chunk.
  ///
  /// - Parameters:
  ///   - bytes: whole records.
  ///   - start: the first byte to read.
  ///   - ids: receives new users and items.
  /// - Returns: the events and the bad rows.
  mutating func parse(
    _ bytes: Span<UInt8>, from start: Int, into ids: inout WorkerIDs
  ) -> ParsedChunk {
    var result = ParsedChunk()
    let estimate = bytes.count / 24
    result.events.users.reserveCapacity(estimate)
    result.events.items.reserveCapacity(estimate)
    result.events.times.reserveCapacity(estimate)
    var position = start
    while position < bytes.count {
      let begin = position
      position = scanner.scan(bytes, from: position)
      let isBlank =
        scanner.fields.count == 1 && scanner.fault == nil && scanner.fields[0].range.isEmpty
      let faultCount = result.faults.count
      if !isBlank { parseRecord(bytes, begin, &ids, &result) }
      if settings.keepsBadRows, result.faults.count > faultCount {
        result.badRows.append(contentsOf: (begin..<position).map { bytes[$0] })
      }
      result.lineCount +=
        scanner.fault == nil ? scanner.lineCount : lineFeeds(bytes, begin..<position)
    }
    return result
  }

  private mutating func parseRecord(
    _ bytes: Span<UInt8>, _ begin: Int, _ ids: inout WorkerIDs, _ result: inout ParsedChunk
  ) {
    result.counters.rowCount += 1
    let site = RecordSite(begin: begin, line: result.lineCount + 1)
    if let fault = scanner.fault {
      result.faults.record(site.fault(fault, bytes))
      return
    }
    guard scanner.fields.count == columns.fieldCount else {
      result.faults.record(
        site.fault(
          .fieldCount, at: begin, bytes,
          "found \(scanner.fields.count) fields, expected \(columns.fieldCount)"))
      return
    }
    let user = scanner.fields[columns.user]
    let item = scanner.fields[columns.item]
    if user.range.isEmpty || item.range.isEmpty {
      let what = user.range.isEmpty ? "user" : "item"
      result.faults.record(
        site.fault(
          user.range.isEmpty ? .emptyUser : .emptyItem,
          at: user.range.isEmpty ? user.start : item.start, bytes, "the \(what) id is empty"))
      return
    }
    guard let time = readTime(bytes, site, &result), keepsRating(bytes, site, &result) else {
      return
    }
    if hasRowTimes, time < settings.earliest || time >= settings.latest {
      result.counters.outsideWindow += 1
      return
    }
    var weight: UInt16?
    if let event = columns.event {
      weight = settings.eventWeights[text(bytes, scanner.fields[event])]
      if weight == nil {
        result.counters.otherEventType += 1
        return
      }
    }
    result.events.append(
      user: ids.users.insert(bytes, user), item: ids.items.insert(bytes, item), time: time,
      weight: hasWeights ? weight : nil)
  }

  private func readTime(
    _ bytes: Span<UInt8>, _ site: RecordSite, _ result: inout ParsedChunk
  ) -> Int64? {
    guard let column = columns.time else { return 0 }
    let field = scanner.fields[column]
    if let time = parseTimestamp(bytes, field.range, settings.timestampFormat) { return time }
    result.faults.record(
      site.fault(
        .timestamp, at: field.start, bytes,
        "timestamp \(quoted(text(bytes, field))) is not \(settings.timestampFormat.expectation)"))
    return nil
  }

  /// Whether the rating lets the event in; an empty one does.
  private func keepsRating(
    _ bytes: Span<UInt8>, _ site: RecordSite, _ result: inout ParsedChunk
  ) -> Bool {
    guard let column = columns.rating, let minimum = settings.minimumRating else { return true }
    let field = scanner.fields[column]
    if field.range.isEmpty { return true }
    guard let rating = parseDecimal(bytes, field.range) else {
      result.faults.record(
        site.fault(
          .rating, at: field.start, bytes, "rating \(quoted(text(bytes, field))) is not a number"))
      return false
    }
    if rating >= minimum { return true }
    result.counters.belowRating += 1
    return false
  }

  private func text(_ bytes: Span<UInt8>, _ field: DelimitedScanner.Field) -> String {
    String(decoding: field.range.prefix(200).map { bytes[$0] }, as: UTF8.self)
  }
}

/// The events of a chunk.
struct ParsedChunk: Sendable {
  var events = EventBlock()
  var counters = RowCounters()
  var faults = FaultList()
  var lineCount = 0
  /// The text of the bad rows, if it is kept.
  var badRows: [UInt8] = []
}

/// The ids that one worker has met.
struct WorkerIDs: Sendable {
  var users = IdentifierTable()
  var items = IdentifierTable()
}

extension IdentifierTable {
  /// The number of the id in a field.
  mutating func insert(_ bytes: Span<UInt8>, _ field: DelimitedScanner.Field) -> UInt32 {
    guard field.hasEscapes else { return insert(bytes, field.range) }
    return insert(unescapedQuotes(bytes, field.range))
  }
}

/// The number of line ends in a range.
func lineFeeds(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
  range.reduce(0) { $0 + (bytes[$1] == UInt8(ascii: "\n") ? 1 : 0) }
}

/// Where a record begins, to name places in it.
struct RecordSite {
  /// The first byte of the record.
  let begin: Int
  /// Its line within the chunk, from 1.
  let line: Int

  /// A fault at a byte of the record.
  func fault(
    _ reason: FaultReason, at offset: Int, _ bytes: Span<UInt8>, _ message: String
  ) -> RowFault {
    let end = min(max(offset, begin), bytes.count)
    var lineStart = end
    while lineStart > begin, bytes[lineStart - 1] != UInt8(ascii: "\n") { lineStart -= 1 }
    return RowFault(
      reason: reason, line: line + lineFeeds(bytes, begin..<lineStart),
      column: end - lineStart + 1, message: message)
  }

  /// What the scanner found.
  func fault(_ fault: RecordFault, _ bytes: Span<UInt8>) -> RowFault {
    switch fault {
    case .unterminatedQuote(let offset):
      self.fault(.unterminatedQuote, at: offset, bytes, "the quote opened here is never closed")
    case .textAfterQuote(let offset):
      self.fault(
        .quoting, at: offset, bytes,
        "text follows a closing quote, expected a delimiter; a quote inside of quotes is doubled")
    case .strayQuote(let offset):
      self.fault(
        .quoting, at: offset, bytes,
        "a quote inside of an unquoted field, expected quotes around it")
    case .notUTF8(let offset):
      self.fault(
        .encoding, at: offset, bytes,
        "byte 0x\(hexadecimal(bytes[offset])) is not UTF-8; convert the file, for example with iconv"
      )
    }
  }

  private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count == 1 ? "0\(digits)" : digits
  }
}
