/// How times are written in a log.
public enum TimestampFormat: String, Sendable, CaseIterable {
  /// Told from each value: ISO 8601, or a unit by its size (below 10^11 seconds, 10^14 milliseconds, 10^17 microseconds).
  case automatic = "auto"
  /// Seconds since 1970, with an optional fraction.
  case seconds
  /// Milliseconds since 1970.
  case milliseconds
  /// Microseconds since 1970.
  case microseconds
  /// Nanoseconds since 1970.
  case nanoseconds
  /// A date, or a date and a time of day, with an optional offset; UTC where there is none.
  case iso8601
  /// No times: the order of the file is the order of events.
  case none

  /// What a value must look like, for messages.
  public var expectation: String {
    switch self {
    case .automatic: "a number of seconds since 1970 or an ISO 8601 time"
    case .seconds: "a number of seconds"
    case .milliseconds: "a whole number of milliseconds"
    case .microseconds: "a whole number of microseconds"
    case .nanoseconds: "a whole number of nanoseconds"
    case .iso8601: "an ISO 8601 time, for example 2018-10-02T07:30:00Z"
    case .none: "absent"
    }
  }
}

/// Reads a time.
///
/// - Returns: microseconds since 1970, rounded down; nil if the text is no time of this format or out of range.
public func parseTimestamp(
  _ bytes: Span<UInt8>, _ range: Range<Int>, _ format: TimestampFormat
) -> Int64? {
  switch format {
  case .none: return 0
  case .iso8601: return parseISO8601(bytes, range)
  case .seconds: return parseSeconds(bytes, range)
  case .milliseconds: return scaled(parseInteger(bytes, range), by: 1000)
  case .microseconds: return parseInteger(bytes, range)
  case .nanoseconds: return parseInteger(bytes, range).map { floorDivide($0, 1000) }
  case .automatic:
    guard let value = parseInteger(bytes, range) else {
      return parseSeconds(bytes, range) ?? parseISO8601(bytes, range)
    }
    switch value.magnitude {
    case ..<100_000_000_000: return value * 1_000_000
    case ..<100_000_000_000_000: return scaled(value, by: 1000)
    case ..<100_000_000_000_000_000: return value
    default: return floorDivide(value, 1000)
    }
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

/// Whole seconds, or seconds with a fraction of any length.
private func parseSeconds(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
  guard let point = range.first(where: { bytes[$0] == UInt8(ascii: ".") }) else {
    return scaled(parseInteger(bytes, range), by: 1_000_000)
  }
  guard let whole = scaled(parseInteger(bytes, range.lowerBound..<point), by: 1_000_000),
    let fraction = parseFraction(bytes, point + 1..<range.upperBound)
  else { return nil }
  let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
  let (sum, overflow) = whole.addingReportingOverflow(isNegative ? -fraction : fraction)
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

/// `YYYY-MM-DD`, optionally followed by `T` or a space, `HH:MM[:SS[.fraction]]` and `Z` or `±HH[:]MM`.
private func parseISO8601(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
  var cursor = DigitCursor(position: range.lowerBound, end: range.upperBound)
  guard let year = cursor.number(4, bytes), cursor.skip("-", bytes),
    let month = cursor.number(2, bytes), cursor.skip("-", bytes),
    let day = cursor.number(2, bytes), (1...12).contains(month),
    (1...daysInMonth(year, month)).contains(day)
  else { return nil }
  let midnight = daysSince1970(year, month, day) * 86_400
  if cursor.isAtEnd { return midnight * 1_000_000 }
  guard cursor.skip("T", bytes) || cursor.skip(" ", bytes), let hour = cursor.number(2, bytes),
    cursor.skip(":", bytes), let minute = cursor.number(2, bytes), hour < 24, minute < 60
  else { return nil }
  var second: Int64 = 0
  var fraction: Int64 = 0
  if cursor.skip(":", bytes) {
    guard let value = cursor.number(2, bytes), value <= 60 else { return nil }
    second = value
    if cursor.skip(".", bytes) {
      guard let value = parseFraction(bytes, cursor.digits(bytes)) else { return nil }
      fraction = value
    }
  }
  guard let offset = parseOffset(&cursor, bytes), cursor.isAtEnd else { return nil }
  return (midnight + hour * 3600 + minute * 60 + second - offset) * 1_000_000 + fraction
}

/// Seconds east of UTC; 0 for `Z` and for nothing.
private func parseOffset(_ cursor: inout DigitCursor, _ bytes: Span<UInt8>) -> Int64? {
  if cursor.skip("Z", bytes) || cursor.isAtEnd { return 0 }
  let isWest = cursor.skip("-", bytes)
  guard isWest || cursor.skip("+", bytes), let hours = cursor.number(2, bytes) else { return nil }
  _ = cursor.skip(":", bytes)
  let minutes = cursor.isAtEnd ? 0 : cursor.number(2, bytes)
  guard let minutes, hours < 24, minutes < 60 else { return nil }
  return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
}

/// A position in a run of digits and separators.
private struct DigitCursor {
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

  mutating func skip(_ character: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
    guard position < end, bytes[position] == UInt8(ascii: character) else { return false }
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
