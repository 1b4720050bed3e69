internal import ShardIO
internal import TextInput

/// Turns the records of a chunk of delimited text into events.
struct DelimitedRowParser: Sendable {
  private var scanner: DelimitedScanner
  private var plain: PlainRecords?
  private let columns: ColumnMap
  private let settings: InteractionSettings
  private let hasRowTimes: Bool
  private let hasWeights: Bool
  /// The ids of plain records.
  private var userFields: [FieldRange] = []
  private var itemFields: [FieldRange] = []
  /// The ids of events whose times are stored already.
  private var users: [FieldRange] = []
  private var items: [FieldRange] = []

  init(_ format: DelimitedFormat, _ columns: ColumnMap, _ settings: InteractionSettings) {
    scanner = DelimitedScanner(format, fieldCount: columns.fieldCount)
    plain = PlainRecords(format, fieldCount: columns.fieldCount)
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
      position = parsePlain(bytes, from: position, &ids, &result)
      if position < bytes.count { position = parseOne(bytes, from: position, &ids, &result) }
    }
    return result
  }

  /// Parses the plain records at a place; returns the first byte after them.
  private mutating func parsePlain(
    _ bytes: Span<UInt8>, from start: Int, _ ids: inout WorkerIDs, _ result: inout ParsedChunk
  ) -> Int {
    guard var plain else { return start }
    self.plain = nil
    defer { self.plain = plain }
    var position = start
    while true {
      plain.find(bytes, from: position)
      if plain.count == 0 { return position }
      plain.fields(bytes, columns.user, into: &userFields)
      plain.fields(bytes, columns.item, into: &itemFields)
      for record in 0..<plain.count {
        let fields = RecordFields(
          columns, user: userFields[record], item: itemFields[record]
        ) { plain.field(bytes, record, $0) }
        let site = RecordSite(begin: plain.start(of: record), line: result.lineCount + 1)
        let faultCount = result.faults.count
        if let kept = judge(bytes, fields, site, &result) {
          users.append(fields.user)
          items.append(fields.item)
          result.events.times.append(kept.time)
          if hasWeights { result.events.weights.append(kept.weight) }
        } else if result.faults.count > faultCount {
          keepBadRow(bytes, site.begin..<plain.start(of: record + 1), &result)
        }
        result.lineCount += 1
      }
      position = plain.start(of: plain.count)
      ids.users.insert(bytes, users, into: &result.events.users)
      ids.items.insert(bytes, items, into: &result.events.items)
      users.removeAll(keepingCapacity: true)
      items.removeAll(keepingCapacity: true)
    }
  }

  /// Parses the record at a place, whatever it is; returns the first byte after it.
  private mutating func parseOne(
    _ bytes: Span<UInt8>, from begin: Int, _ ids: inout WorkerIDs, _ result: inout ParsedChunk
  ) -> Int {
    let end = scanner.scan(bytes, from: begin)
    let isBlank =
      scanner.fields.count == 1 && scanner.fault == nil && scanner.fields[0].range.isEmpty
    let faultCount = result.faults.count
    if !isBlank { parseRecord(bytes, begin, &ids, &result) }
    if result.faults.count > faultCount { keepBadRow(bytes, begin..<end, &result) }
    result.lineCount += scanner.lineCount
    return end
  }

  private func keepBadRow(_ bytes: Span<UInt8>, _ row: Range<Int>, _ result: inout ParsedChunk) {
    if settings.keepsBadRows { result.badRows.append(contentsOf: row.map { bytes[$0] }) }
  }

  private mutating func parseRecord(
    _ bytes: Span<UInt8>, _ begin: Int, _ ids: inout WorkerIDs, _ result: inout ParsedChunk
  ) {
    let site = RecordSite(begin: begin, line: result.lineCount + 1)
    if let fault = scanner.fault {
      result.counters.rowCount += 1
      result.faults.record(site.fault(fault, bytes))
      return
    }
    guard scanner.fields.count == columns.fieldCount else {
      result.counters.rowCount += 1
      result.faults.record(
        site.fault(
          .fieldCount, at: begin, bytes,
          "found \(scanner.fields.count) fields, expected \(columns.fieldCount)"))
      return
    }
    func field(_ column: Int) -> FieldRange {
      FieldRange(start: scanner.fields[column].start, end: scanner.fields[column].end)
    }
    let fields = RecordFields(
      columns, user: field(columns.user), item: field(columns.item), field)
    guard let kept = judge(bytes, fields, site, &result) else { return }
    result.events.append(
      user: ids.users.insert(bytes, scanner.fields[columns.user]),
      item: ids.items.insert(bytes, scanner.fields[columns.item]), time: kept.time,
      weight: hasWeights ? kept.weight : nil)
  }

  /// Time and weight of an event that is kept; nil if it is bad or filtered out, which is counted.
  private func judge(
    _ bytes: Span<UInt8>, _ fields: RecordFields, _ site: RecordSite, _ result: inout ParsedChunk
  ) -> (time: Int64, weight: UInt16)? {
    result.counters.rowCount += 1
    let user = fields.user.range
    let item = fields.item.range
    if user.isEmpty || item.isEmpty {
      let what = user.isEmpty ? "user" : "item"
      result.faults.record(
        site.fault(
          user.isEmpty ? .emptyUser : .emptyItem,
          at: user.isEmpty ? user.lowerBound : item.lowerBound, bytes, "the \(what) id is empty"))
      return nil
    }
    for (range, isUser) in [(user, true), (item, false)]
    where !settings.keepsNullIDs && isNullID(bytes, range) {
      result.faults.record(
        site.fault(
          isUser ? .nullUser : .nullItem, at: range.lowerBound, bytes,
          """
          the \(isUser ? "user" : "item") id \(quoted(text(bytes, isUser ? fields.user : fields.item))) stands for none \
          (--keep-null-ids takes it as an id)
          """))
      return nil
    }
    guard let time = readTime(bytes, fields, site, &result),
      keepsRating(bytes, fields, site, &result)
    else { return nil }
    if hasRowTimes, time < settings.earliest || time >= settings.latest {
      result.counters.outsideWindow += 1
      return nil
    }
    guard let event = fields.event else { return (time, 1) }
    guard let weight = settings.eventWeights[text(bytes, event)] else {
      result.counters.otherEventType += 1
      return nil
    }
    return (time, weight)
  }

  private func readTime(
    _ bytes: Span<UInt8>, _ fields: RecordFields, _ site: RecordSite, _ result: inout ParsedChunk
  ) -> Int64? {
    guard let field = fields.time else { return 0 }
    if let time = parseTimestamp(
      bytes, field.range, settings.timestampFormat, unit: settings.timeUnit,
      noting: &result.counters.times)
    {
      return time
    }
    result.faults.record(
      site.fault(
        .timestamp, at: field.range.lowerBound, bytes,
        "timestamp \(quoted(text(bytes, field))) is not \(settings.timestampFormat.expectation)"))
    return nil
  }

  /// Whether the rating lets the event in; an empty one does.
  private func keepsRating(
    _ bytes: Span<UInt8>, _ fields: RecordFields, _ site: RecordSite, _ result: inout ParsedChunk
  ) -> Bool {
    guard let field = fields.rating, let minimum = settings.minimumRating else { return true }
    if field.range.isEmpty { return true }
    guard let rating = parseDecimal(bytes, field.range) else {
      result.faults.record(
        site.fault(
          .rating, at: field.range.lowerBound, bytes,
          "rating \(quoted(text(bytes, field))) is not a number"))
      return false
    }
    if rating >= minimum { return true }
    result.counters.belowRating += 1
    return false
  }

  private func text(_ bytes: Span<UInt8>, _ field: FieldRange) -> String {
    String(decoding: field.range.prefix(200).map { bytes[$0] }, as: UTF8.self)
  }
}

/// The fields of a record that matter.
private struct RecordFields {
  var user: FieldRange
  var item: FieldRange
  var time: FieldRange?
  var rating: FieldRange?
  var event: FieldRange?

  init(
    _ columns: ColumnMap, user: FieldRange, item: FieldRange, _ field: (Int) -> FieldRange
  ) {
    self.user = user
    self.item = item
    time = columns.time.map(field)
    rating = columns.rating.map(field)
    event = columns.event.map(field)
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

/// Whether a field is what databases and programs write for a missing value.
func isNullID(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
  guard (2...4).contains(range.count) else { return false }
  return nullIDs.contains { name in
    name.count == range.count
      && name.indices.allSatisfy { name[$0] == bytes[range.lowerBound + $0] }
  }
}

private let nullIDs = ["NULL", "null", "Null", "\\N", "nan", "NaN", "NAN", "None", "<NA>"]
  .map { Array($0.utf8) }

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
