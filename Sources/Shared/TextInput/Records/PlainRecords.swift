internal import CKernels

/// Where a field lies in a text; without its quotes.
public struct FieldRange: Sendable, Equatable {
  /// The first byte of the field.
  public var start: UInt32
  /// The byte after the last.
  public var end: UInt32

  /// Creates a range.
  public init(start: Int, end: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    self.end = UInt32(truncatingIfNeeded: end)
  }

  /// The bytes of the field.
  public var range: Range<Int> { Int(start)..<Int(end) }
}

/// Finds the fields of many records at once where a record is plain: ASCII without quotes, with the right number of fields.
///
/// Anything else is left to ``DelimitedScanner``, record by record.
public struct PlainRecords: Sendable {
  /// The records found by the last ``find(_:from:)``.
  public private(set) var count = 0
  private let fieldCount: Int
  private let delimiter: UInt8
  private let quote: UInt8
  private var marks: [UInt32]
  private var start = 0

  /// Records are looked for in so many bytes at a time; they stay in the first cache.
  static let windowByteCount = 1 << 14
  private static let lineFeed = UInt8(ascii: "\n")

  /// Creates a finder, or nil for a format whose delimiter has two bytes.
  public init?(_ format: DelimitedFormat, fieldCount: Int) {
    guard !format.isDoubled else { return nil }
    self.fieldCount = fieldCount
    delimiter = format.delimiter
    quote = format.hasQuotes ? UInt8(ascii: "\"") : Self.lineFeed
    marks = [UInt32](repeating: 0, count: Self.windowByteCount)
  }

  /// Finds the plain records that follow one another at a place.
  ///
  /// - Parameters:
  ///   - bytes: the text.
  ///   - start: the first byte of a record.
  public mutating func find(_ bytes: Span<UInt8>, from start: Int) {
    self.start = start
    let window = bytes.extracting(start..<min(start + Self.windowByteCount, bytes.count))
    let found = unsafe window.withUnsafeBufferPointer { text in
      unsafe marks.withUnsafeMutableBufferPointer { marks in
        unsafe text.baseAddress.map { first in
          unsafe marks.baseAddress.map { target in
            unsafe h2rec_find_marks(first, text.count, delimiter, quote, target)
          } ?? 0
        } ?? 0
      }
    }
    count = 0
    var mark = 0
    while mark + fieldCount <= found, isPlain(window, mark) {
      mark += fieldCount
      count += 1
    }
  }

  /// Where a record begins.
  public func start(of record: Int) -> Int {
    record == 0 ? start : start + Int(marks[record * fieldCount - 1]) + 1
  }

  /// Where a field of a record lies; a carriage return before the line end belongs to no field.
  public func field(_ bytes: Span<UInt8>, _ record: Int, _ column: Int) -> FieldRange {
    let place = record * fieldCount + column
    let begin = place == 0 ? start : start + Int(marks[place - 1]) + 1
    var end = start + Int(marks[place])
    if column == fieldCount - 1, end > begin, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return FieldRange(start: begin, end: end)
  }

  /// Where a field of all records found lies, see ``field(_:_:_:)``.
  ///
  /// - Parameters:
  ///   - bytes: the text.
  ///   - column: the field, from 0.
  ///   - fields: receives one place a record instead of what it had.
  public func fields(_ bytes: Span<UInt8>, _ column: Int, into fields: inout [FieldRange]) {
    fields.removeAll(keepingCapacity: true)
    for record in 0..<count { fields.append(field(bytes, record, column)) }
  }

  /// Whether the marks from one on are the ends of the fields of one record.
  private func isPlain(_ window: Span<UInt8>, _ first: Int) -> Bool {
    for mark in first..<first + fieldCount - 1 where window[Int(marks[mark])] != delimiter {
      return false
    }
    return window[Int(marks[first + fieldCount - 1])] == Self.lineFeed
  }
}
