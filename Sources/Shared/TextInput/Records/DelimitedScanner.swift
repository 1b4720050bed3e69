/// How the fields of a record of delimited text are told apart.
public struct DelimitedFormat: Sendable, Equatable {
  /// The byte between fields.
  public var delimiter: UInt8
  /// Whether it takes two of them, as in MovieLens' `::`.
  public var isDoubled: Bool
  /// Whether fields may be quoted as in RFC 4180; if not, a quote is a byte like any other.
  public var hasQuotes: Bool

  /// Creates a format.
  public init(delimiter: UInt8, isDoubled: Bool = false, hasQuotes: Bool = true) {
    self.delimiter = delimiter
    self.isDoubled = isDoubled
    self.hasQuotes = hasQuotes
  }

  /// Whether a quote that is neither an opening nor a closing one is a byte like any other, as in tab-separated text, which
  /// is written with and without quotes.
  public var keepsStrayQuotes: Bool { hasQuotes && delimiter == UInt8(ascii: "\t") }

  /// Comma-separated values after RFC 4180.
  public static let commaSeparated = DelimitedFormat(delimiter: UInt8(ascii: ","))
  /// Tab-separated values.
  public static let tabSeparated = DelimitedFormat(delimiter: UInt8(ascii: "\t"))
  /// MovieLens' `.dat` files.
  public static let movieLens = DelimitedFormat(
    delimiter: UInt8(ascii: ":"), isDoubled: true, hasQuotes: false)
}

/// What is wrong with a record, and the byte where.
public enum RecordFault: Sendable, Equatable {
  /// A quote is opened and never closed.
  case unterminatedQuote(offset: Int)
  /// Something else than a delimiter follows a closing quote.
  case textAfterQuote(offset: Int)
  /// A quote inside of a field that does not begin with one.
  case strayQuote(offset: Int)
  /// A byte sequence that is no UTF-8.
  case notUTF8(offset: Int)

  /// Whether a quote is in the wrong place.
  var isOfQuotes: Bool {
    if case .notUTF8 = self { false } else { true }
  }

  /// The byte.
  public var offset: Int {
    switch self {
    case .unterminatedQuote(let offset), .textAfterQuote(let offset), .strayQuote(let offset),
      .notUTF8(let offset):
      offset
    }
  }
}

/// Cuts delimited text into records and fields.
///
/// The one rule for quotes: a field that begins with a quote ends at the next quote before a delimiter or a line end, and may hold
/// delimiters, line ends and doubled quotes (RFC 4180), or quotes after a backslash (as Spark and R write them). A record that spans
/// lines must have the right number of fields. A record that breaks the rule is its first line alone, so that whatever
/// follows is read as if that line were not there. ``ChunkReader`` cuts text by this scanner.
public struct DelimitedScanner: Sendable {
  /// Where a field lies; without its quotes.
  public struct Field: Sendable, Equatable {
    /// The first byte of the field, after an opening quote.
    public var start: Int
    /// The byte after the last.
    public var end: Int
    /// Whether it holds doubled quotes, or quotes after a backslash, that stand for one.
    public var hasEscapes: Bool

    /// The bytes of the field.
    public var range: Range<Int> { start..<end }
  }

  /// The fields of the last record.
  public private(set) var fields: [Field] = []
  /// The number of lines that the last record spans, at least 1.
  public private(set) var lineCount = 1
  /// What is wrong with the last record.
  public private(set) var fault: RecordFault?
  /// Whether more text after the end could have made the last record another one.
  public private(set) var reachesEnd = false
  private let format: DelimitedFormat
  private let fieldCount: Int?
  /// Whether quoted fields may hold line ends; not where a record is read again as its first line alone.
  private var spansLines = true
  /// The quote that opens the first field that holds a line end.
  private var opening: Int?

  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")
  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")

  /// Creates a scanner.
  ///
  /// - Parameters:
  ///   - format: how fields are told apart.
  ///   - fieldCount: the fields that a record of several lines must have; nil for any number.
  public init(_ format: DelimitedFormat, fieldCount: Int? = nil) {
    self.format = format
    self.fieldCount = fieldCount
  }

  /// Scans one record.
  ///
  /// - Parameters:
  ///   - bytes: text that begins and ends with whole records.
  ///   - start: the first byte of the record.
  /// - Returns: the first byte of the next record, or the end of the text.
  public mutating func scan(_ bytes: Span<UInt8>, from start: Int) -> Int {
    reachesEnd = false
    spansLines = true
    opening = nil
    let end = scanRecord(bytes, from: start)
    let isTooLong = lineCount > 1 && fieldCount != nil && fields.count != fieldCount
    if !isTooLong, fault?.isOfQuotes != true { return end }
    if format.keepsStrayQuotes {
      spansLines = false
      return scanRecord(bytes, from: start)
    }
    let lineEnd = skipLine(bytes, from: start)
    // What is wrong on a later line began with the quote that led there.
    if let opening, isTooLong || fault?.offset ?? 0 >= lineEnd {
      fault = .unterminatedQuote(offset: opening)
    }
    lineCount = 1
    return lineEnd
  }

  /// Scans a record by its quotes, whatever its number of fields.
  private mutating func scanRecord(_ bytes: Span<UInt8>, from start: Int) -> Int {
    fields.removeAll(keepingCapacity: true)
    lineCount = 1
    fault = nil
    var position = start
    var seen: UInt8 = 0
    while true {
      let isQuoted = format.hasQuotes && position < bytes.count && bytes[position] == Self.quote
      let next = isQuoted ? scanQuoted(bytes, from: position, &seen) : nil
      position = next ?? (fault == nil ? scanPlain(bytes, from: position, &seen) : position)
      if position >= bytes.count || fault != nil { break }
      if bytes[position] == Self.lineFeed {
        position += 1
        break
      }
      position += format.isDoubled ? 2 : 1
      if position >= bytes.count { reachesEnd = true }
    }
    if fault == nil, seen >= 0x80, let bad = firstInvalidUTF8(bytes, start..<position) {
      fault = .notUTF8(offset: bad)
    }
    return position
  }

  /// Scans up to the delimiter or line end after an unquoted field.
  private mutating func scanPlain(
    _ bytes: Span<UInt8>, from start: Int, _ seen: inout UInt8
  ) -> Int {
    let delimiter = format.delimiter
    var position = start
    while position < bytes.count {
      let byte = bytes[position]
      seen |= byte
      if byte == delimiter {
        if !format.isDoubled || (position + 1 < bytes.count && bytes[position + 1] == delimiter) {
          break
        }
      } else if byte == Self.lineFeed {
        break
      } else if byte == Self.quote, format.hasQuotes, !format.keepsStrayQuotes {
        fault = .strayQuote(offset: position)
        return position
      }
      position += 1
    }
    if position >= bytes.count { reachesEnd = true }
    let atLineEnd = position >= bytes.count || bytes[position] == Self.lineFeed
    let hasReturn = atLineEnd && position > start && bytes[position - 1] == Self.carriageReturn
    fields.append(Field(start: start, end: hasReturn ? position - 1 : position, hasEscapes: false))
    return position
  }

  /// Scans up to the delimiter or line end after a quoted field; nil if the field breaks the rule, which is a fault unless stray
  /// quotes are kept.
  private mutating func scanQuoted(
    _ bytes: Span<UInt8>, from start: Int, _ seen: inout UInt8
  ) -> Int? {
    var position = start + 1
    var hasEscapes = false
    var hasBackslashes = false
    var lines = 0
    while position < bytes.count {
      let byte = bytes[position]
      seen |= byte
      if byte == Self.lineFeed {
        if !spansLines { return nil }
        lines += 1
        opening = opening ?? start
      } else if byte == Self.quote {
        let isBackslashed = position > start + 1 && bytes[position - 1] == Self.backslash
        let isDoubled = position + 1 < bytes.count && bytes[position + 1] == Self.quote
        if isDoubled, !(isBackslashed && hasBackslashes && endsField(bytes, position + 2)) {
          position += 1
        } else if !isDoubled, endsField(bytes, position + 1) {
          break
        } else if isBackslashed {
          hasBackslashes = true
        } else {
          if !format.keepsStrayQuotes { fault = .textAfterQuote(offset: position + 1) }
          return nil
        }
        hasEscapes = true
      }
      position += 1
    }
    guard position < bytes.count else {
      reachesEnd = true
      if !format.keepsStrayQuotes { fault = .unterminatedQuote(offset: start) }
      return nil
    }
    if position + 1 >= bytes.count { reachesEnd = true }
    lineCount += lines
    fields.append(Field(start: start + 1, end: position, hasEscapes: hasEscapes))
    position += 1
    let hasReturn = position < bytes.count && bytes[position] == Self.carriageReturn
    return hasReturn ? position + 1 : position
  }

  /// Whether a delimiter, a line end or the end of the text is at a position.
  private mutating func endsField(_ bytes: Span<UInt8>, _ position: Int) -> Bool {
    func isLineEnd(_ position: Int) -> Bool {
      position >= bytes.count || bytes[position] == Self.lineFeed
    }
    if isLineEnd(position) || bytes[position] == format.delimiter { return true }
    guard bytes[position] == Self.carriageReturn, isLineEnd(position + 1) else { return false }
    if position + 1 >= bytes.count { reachesEnd = true }
    return true
  }

  /// The first byte after the line end at or after a position; a faulty record ends there.
  private mutating func skipLine(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var position = start
    while position < bytes.count, bytes[position] != Self.lineFeed { position += 1 }
    if position >= bytes.count { reachesEnd = true }
    return min(position + 1, bytes.count)
  }
}

/// Replaces doubled quotes, and quotes after a backslash, by single ones.
public func unescapedQuotes(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
  let quote = UInt8(ascii: "\"")
  var result: [UInt8] = []
  result.reserveCapacity(range.count)
  var position = range.lowerBound
  while position < range.upperBound {
    let isQuote = bytes[position] == quote
    let isDoubled = isQuote && position + 1 < range.upperBound && bytes[position + 1] == quote
    // A single quote within a field is there because of a backslash, which is no part of the text.
    if isQuote, !isDoubled, result.last == UInt8(ascii: "\\") { result.removeLast() }
    result.append(bytes[position])
    position += isDoubled ? 2 : 1
  }
  return result
}
