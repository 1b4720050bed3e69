/// How times are written in a log.
public enum TimestampFormat: Sendable, Hashable, CaseIterable {
  /// Told from each value: ISO 8601, or a number, whose unit is that of the log or, alone, told by its size (below 10^11
  /// seconds, 10^14 milliseconds, 10^17 microseconds).
  case automatic
  /// Numbers of one unit since 1970.
  case unit(TimeUnit)
  /// A date, or a date and a time of day, with an optional offset; UTC where there is none.
  case iso8601
  /// Dates in an order of their own, for example `m/d/Y H:M`.
  case pattern(TimePattern)
  /// No times: the order of the file is the order of events.
  case none

  /// All that have a name.
  public static var allCases: [TimestampFormat] {
    [.automatic] + TimeUnit.allCases.map { .unit($0) } + [.iso8601, .none]
  }

  /// What a value must look like, for messages.
  public var expectation: String {
    switch self {
    case .automatic: "a number of seconds since 1970 or an ISO 8601 time"
    case .unit(.seconds): "a number of seconds"
    case .unit(let unit): "a number of \(unit.rawValue)"
    case .iso8601: "an ISO 8601 time, for example 2018-10-02T07:30:00Z"
    case .pattern(let pattern): "a time of the form '\(pattern.text)'"
    case .none: "absent"
    }
  }
}

extension TimestampFormat: RawRepresentable {
  /// The name on the command line.
  public var rawValue: String {
    switch self {
    case .automatic: "auto"
    case .unit(let unit): unit.rawValue
    case .iso8601: "iso8601"
    case .pattern(let pattern): pattern.text
    case .none: "none"
    }
  }

  /// The format of a name, or of a pattern; nil for anything else.
  public init?(rawValue: String) {
    if let named = Self.allCases.first(where: { $0.rawValue == rawValue }) {
      self = named
    } else if let pattern = TimePattern(rawValue) {
      self = .pattern(pattern)
    } else {
      return nil
    }
  }
}

/// The unit of a number of time since 1970.
public enum TimeUnit: String, Sendable, CaseIterable {
  case seconds, milliseconds, microseconds, nanoseconds

  /// The unit that the size of a number suggests: no other one makes it a time between 1973 and 5138.
  init(of magnitude: UInt64) {
    self =
      switch magnitude {
      case ..<100_000_000_000: .seconds
      case ..<100_000_000_000_000: .milliseconds
      case ..<100_000_000_000_000_000: .microseconds
      default: .nanoseconds
      }
  }
}

/// Reads a time.
///
/// - Parameters:
///   - bytes: holds the text.
///   - range: where it lies.
///   - format: how it is written.
///   - unit: with ``TimestampFormat/automatic`` the unit of numbers; nil tells it from the size of this one.
/// - Returns: microseconds since 1970, rounded down; nil if the text is no time of this format or out of range.
public func parseTimestamp(
  _ bytes: Span<UInt8>, _ range: Range<Int>, _ format: TimestampFormat, unit: TimeUnit? = nil
) -> Int64? {
  switch format {
  case .none: return 0
  case .iso8601: return parseISO8601(bytes, range)
  case .unit(let unit): return parseNumber(bytes, range, unit)
  case .pattern(let pattern): return pattern.parse(bytes, range)
  case .automatic:
    guard let value = parseInteger(bytes, range) else {
      return parseNumber(bytes, range, unit) ?? parseISO8601(bytes, range)
    }
    return microseconds(value, unit ?? TimeUnit(of: value.magnitude))
  }
}

/// A number of a unit in microseconds, rounded down; nil if it is out of range.
func microseconds(_ value: Int64, _ unit: TimeUnit) -> Int64? {
  switch unit {
  case .seconds: scaled(value, by: 1_000_000)
  case .milliseconds: scaled(value, by: 1000)
  case .microseconds: value
  case .nanoseconds: floorDivide(value, 1000)
  }
}

/// The quotient rounded towards negative infinity; `divisor` is positive.
public func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
  let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
  return remainder < 0 ? quotient - 1 : quotient
}

private func scaled(_ value: Int64?, by factor: Int64) -> Int64? {
  guard let value else { return nil }
  let (product, overflow) = value.multipliedReportingOverflow(by: factor)
  return overflow ? nil : product
}

/// A number of a unit, with a fraction of any length; without a unit, that of the whole part by its size.
private func parseNumber(
  _ bytes: Span<UInt8>, _ range: Range<Int>, _ unit: TimeUnit?
) -> Int64? {
  let point = range.first { bytes[$0] == UInt8(ascii: ".") }
  guard let whole = parseInteger(bytes, range.lowerBound..<(point ?? range.upperBound)) else {
    return nil
  }
  let unit = unit ?? TimeUnit(of: whole.magnitude)
  guard let start = microseconds(whole, unit) else { return nil }
  guard let point else { return start }
  guard let millionths = parseFraction(bytes, point + 1..<range.upperBound) else { return nil }
  let fraction: Int64 =
    switch unit {
    case .seconds: millionths
    case .milliseconds: millionths / 1000
    case .microseconds, .nanoseconds: 0
    }
  let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
  let (sum, overflow) = start.addingReportingOverflow(isNegative ? -fraction : fraction)
  return overflow ? nil : sum
}

/// The digits after a decimal point as microseconds, cut off after the sixth.
private func parseFraction(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
  var value: Int64 = 0
  var digits = 0
  for index in range {
    let digit = bytes[index] &- UInt8(ascii: "0")
    guard digit <= 9 else { return nil }
    if digits < 6 {
      value = value * 10 + Int64(digit)
      digits += 1
    }
  }
  while digits < 6 {
    value *= 10
    digits += 1
  }
  return value
}

/// `YYYY-MM-DD` or `YYYY/MM/DD`, optionally followed by `T` or a space and a time of day.
private func parseISO8601(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
  var cursor = DigitCursor(position: range.lowerBound, end: range.upperBound)
  guard let year = cursor.number(4, bytes) else { return nil }
  let separator: Unicode.Scalar = cursor.isAt("/", bytes) ? "/" : "-"
  guard cursor.skip(separator, bytes), let month = cursor.number(2, bytes),
    cursor.skip(separator, bytes), let day = cursor.number(2, bytes),
    let midnight = secondsOfDay(year, month, day)
  else { return nil }
  return parseRest(&cursor, bytes, midnight)
}

/// Seconds since 1970 at the beginning of a day; nil if there is no such day.
func secondsOfDay(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
  guard (1...12).contains(month), (1...daysInMonth(year, month)).contains(day) else { return nil }
  return daysSince1970(year, month, day) * 86_400
}

/// What may follow a date: nothing, or `T` or a space, `H:MM[:SS[.fraction]]` and an offset.
///
/// - Returns: microseconds since 1970.
func parseRest(
  _ cursor: inout DigitCursor, _ bytes: Span<UInt8>, _ midnight: Int64
) -> Int64? {
  if cursor.isAtEnd { return midnight * 1_000_000 }
  guard cursor.skip("T", bytes) || cursor.skip(" ", bytes),
    let hour = cursor.number(upTo: 2, bytes), cursor.skip(":", bytes),
    let minute = cursor.number(2, bytes), hour < 24, minute < 60
  else { return nil }
  var second: Int64 = 0
  if cursor.skip(":", bytes) {
    guard let value = cursor.number(2, bytes), value <= 60 else { return nil }
    second = value
  }
  return parseEnd(&cursor, bytes, midnight + hour * 3600 + minute * 60 + second)
}

/// What may follow a time of day: a fraction of a second and an offset.
///
/// - Returns: microseconds since 1970.
func parseEnd(_ cursor: inout DigitCursor, _ bytes: Span<UInt8>, _ seconds: Int64) -> Int64? {
  var fraction: Int64 = 0
  if cursor.skip(".", bytes) {
    guard let value = parseFraction(bytes, cursor.digits(bytes)) else { return nil }
    fraction = value
  }
  guard let offset = parseOffset(&cursor, bytes), cursor.isAtEnd else { return nil }
  return (seconds - offset) * 1_000_000 + fraction
}

/// Seconds east of UTC; 0 for `Z`, `UTC`, `GMT` and nothing, each after an optional space.
private func parseOffset(_ cursor: inout DigitCursor, _ bytes: Span<UInt8>) -> Int64? {
  if cursor.isAtEnd { return 0 }
  let hasSpace = cursor.skip(" ", bytes)
  if cursor.skip("Z", bytes) { return 0 }
  for name: [Unicode.Scalar] in [["U", "T", "C"], ["G", "M", "T"]]
  where cursor.isAt(name[0], bytes) {
    return name.allSatisfy { cursor.skip($0, bytes) } ? 0 : nil
  }
  if hasSpace, cursor.isAtEnd { return nil }
  let isWest = cursor.skip("-", bytes)
  guard isWest || cursor.skip("+", bytes), let hours = cursor.number(2, bytes) else { return nil }
  _ = cursor.skip(":", bytes)
  let minutes = cursor.isAtEnd ? 0 : cursor.number(2, bytes)
  guard let minutes, hours < 24, minutes < 60 else { return nil }
  return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
}

/// A position in a run of digits and separators.
struct DigitCursor {
  var position: Int
  let end: Int

  var isAtEnd: Bool { position == end }

  mutating func number(_ digitCount: Int, _ bytes: Span<UInt8>) -> Int64? {
    guard position + digitCount <= end else { return nil }
    var value: Int64 = 0
    for _ in 0..<digitCount {
      let digit = bytes[position] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      value = value * 10 + Int64(digit)
      position += 1
    }
    return value
  }

  /// A number of one digit or more.
  mutating func number(upTo digitCount: Int, _ bytes: Span<UInt8>) -> Int64? {
    var count = 0
    while count < digitCount, position + count < end,
      bytes[position + count] &- UInt8(ascii: "0") <= 9
    {
      count += 1
    }
    return count == 0 ? nil : number(count, bytes)
  }

  func isAt(_ character: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
    position < end && bytes[position] == UInt8(ascii: character)
  }

  mutating func skip(_ character: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
    guard isAt(character, bytes) else { return false }
    position += 1
    return true
  }

  /// The digits from here on.
  mutating func digits(_ bytes: Span<UInt8>) -> Range<Int> {
    let start = position
    while position < end, bytes[position] &- UInt8(ascii: "0") <= 9 { position += 1 }
    return start..<position
  }
}

private func daysInMonth(_ year: Int64, _ month: Int64) -> Int64 {
  if month == 2 {
    return year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
      ? 29 : 28
  }
  return [4, 6, 9, 11].contains(month) ? 30 : 31
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that leap days are last.
private func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
  let shifted = month <= 2 ? year - 1 : year
  let era = floorDivide(shifted, 400)
  let yearOfEra = shifted - era * 400
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/// A time as ISO 8601 in UTC, in whole seconds.
///
/// - Parameter microseconds: since 1970.
/// - Returns: for example `2018-10-02T07:30:00Z`.
public func isoText(_ microseconds: Int64) -> String {
  let seconds = floorDivide(microseconds, 1_000_000)
  let days = floorDivide(seconds, 86_400)
  let second = seconds - days * 86_400
  // The inverse of the count of days, by years that begin in March.
  let shifted = days + 719_468
  let era = floorDivide(shifted, 146_097)
  let dayOfEra = shifted - era * 146_097
  let yearOfEra =
    (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let part = (5 * dayOfYear + 2) / 153
  let month = part < 10 ? part + 3 : part - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  func padded(_ number: Int64, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
  let date = "\(padded(year, 4))-\(padded(month))-\(padded(dayOfYear - (153 * part + 2) / 5 + 1))"
  return
    "\(date)T\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))Z"
}
