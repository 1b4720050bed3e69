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

  /// Comma-separated values after RFC 4180.
  public static let commaSeparated = DelimitedFormat(delimiter: UInt8(ascii: ","))
  /// Tab-separated values, without quotes.
  public static let tabSeparated = DelimitedFormat(delimiter: UInt8(ascii: "\t"), hasQuotes: false)
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
}

/// Cuts delimited text into records and fields (RFC 4180: quoted fields may hold delimiters, line ends and doubled quotes).
public struct DelimitedScanner: Sendable {
  /// Where a field lies; without its quotes.
  public struct Field: Sendable, Equatable {
    /// The first byte of the field, after an opening quote.
    public var start: Int
    /// The byte after the last.
    public var end: Int
    /// Whether it holds doubled quotes that stand for one.
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
  private let format: DelimitedFormat

  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")
  private static let quote = UInt8(ascii: "\"")

  /// Creates a scanner.
  public init(_ format: DelimitedFormat) { self.format = format }

  /// Scans one record.
  ///
  /// - Parameters:
  ///   - bytes: text that begins and ends with whole records.
  ///   - start: the first byte of the record.
  /// - Returns: the first byte of the next record, or the end of the text.
  public mutating func scan(_ bytes: Span<UInt8>, from start: Int) -> Int {
    fields.removeAll(keepingCapacity: true)
    lineCount = 1
    fault = nil
    var position = start
    var seen: UInt8 = 0
    while true {
      let isQuoted = format.hasQuotes && position < bytes.count && bytes[position] == Self.quote
      position =
        isQuoted
        ? scanQuoted(bytes, from: position, &seen) : scanPlain(bytes, from: position, &seen)
      if position >= bytes.count || fault != nil { break }
      if bytes[position] == Self.lineFeed {
        position += 1
        break
      }
      position += format.isDoubled ? 2 : 1
    }
    if fault != nil { return skipLine(bytes, from: max(position, start)) }
    if seen >= 0x80, let bad = firstInvalidUTF8(bytes, start..<position) {
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
      } else if byte == Self.quote, format.hasQuotes {
        fault = .strayQuote(offset: position)
        return position
      }
      position += 1
    }
    let atLineEnd = position >= bytes.count || bytes[position] == Self.lineFeed
    let hasReturn = atLineEnd && position > start && bytes[position - 1] == Self.carriageReturn
    fields.append(Field(start: start, end: hasReturn ? position - 1 : position, hasEscapes: false))
    return position
  }

  /// Scans up to the delimiter or line end after a quoted field.
  private mutating func scanQuoted(
    _ bytes: Span<UInt8>, from start: Int, _ seen: inout UInt8
  ) -> Int {
    var position = start + 1
    var hasEscapes = false
    while position < bytes.count {
      let byte = bytes[position]
      seen |= byte
      if byte == Self.quote {
        guard position + 1 < bytes.count, bytes[position + 1] == Self.quote else { break }
        hasEscapes = true
        position += 1
      } else if byte == Self.lineFeed {
        lineCount += 1
      }
      position += 1
    }
    guard position < bytes.count else {
      fault = .unterminatedQuote(offset: start)
      return position
    }
    fields.append(Field(start: start + 1, end: position, hasEscapes: hasEscapes))
    position += 1
    if position < bytes.count, bytes[position] == Self.carriageReturn,
      position + 1 == bytes.count || bytes[position + 1] == Self.lineFeed
    {
      position += 1
    }
    let isEnd =
      position >= bytes.count || bytes[position] == format.delimiter
      || bytes[position] == Self.lineFeed
    if !isEnd { fault = .textAfterQuote(offset: position) }
    return position
  }

  /// The first byte after the line end at or after a position; a faulty record ends there.
  private func skipLine(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var position = start
    while position < bytes.count, bytes[position] != Self.lineFeed { position += 1 }
    return min(position + 1, bytes.count)
  }
}

/// Replaces the doubled quotes of a field by single ones.
public func unescapedQuotes(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(range.count)
  var position = range.lowerBound
  while position < range.upperBound {
    result.append(bytes[position])
    position += bytes[position] == UInt8(ascii: "\"") ? 2 : 1
  }
  return result
}
