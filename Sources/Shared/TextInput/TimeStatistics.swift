/// What the times of a log look like: what their unit is decided by, and what makes them doubtful.
public struct TimeStatistics: Sendable, Equatable {
  /// How many numbers are of a size that fits one unit alone, by unit in the order of `TimeUnit`.
  public private(set) var unitCounts = [0, 0, 0, 0]
  /// The times that are numbers.
  public private(set) var numberCount = 0
  /// Those of them that are dates written as `YYYYMMDD`.
  public private(set) var dateCount = 0
  /// Those of them from 0 to 10.
  public private(set) var smallCount = 0
  /// All times.
  public private(set) var count = 0
  /// Times before 1971.
  public private(set) var earlyCount = 0
  /// The first and the last time, microseconds since 1970.
  public private(set) var range: ClosedRange<Int64>?

  /// Creates statistics of no times.
  public init() {}

  /// The unit of most numbers whose size tells one; nil where none does.
  public var unit: TimeUnit? {
    guard let most = unitCounts.max(), most > 0 else { return nil }
    return zip(TimeUnit.allCases, unitCounts).first { $1 == most }?.0
  }

  /// How many numbers have a size that fits this unit alone.
  public func count(of unit: TimeUnit) -> Int {
    zip(TimeUnit.allCases, unitCounts).first { $0.0 == unit }?.1 ?? 0
  }

  /// The microseconds of 1970.
  private static let firstYear: Int64 = 365 * 86_400 * 1_000_000

  /// Notes a time.
  ///
  /// - Parameters:
  ///   - time: microseconds since 1970.
  ///   - number: the whole number that it was written as, if it was one.
  public mutating func add(_ time: Int64, number: Int64?) {
    count += 1
    if time < Self.firstYear { earlyCount += 1 }
    if let known = range {
      if time < known.lowerBound {
        range = time...known.upperBound
      } else if time > known.upperBound {
        range = known.lowerBound...time
      }
    } else {
      range = time...time
    }
    if let number { addNumber(number) }
  }

  /// Notes a number that is no time.
  mutating func addNumber(_ number: Int64) {
    numberCount += 1
    // Smaller ones are times of any unit.
    guard number >= 100_000_000 else {
      if (0...10).contains(number) { smallCount += 1 }
      let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100)
      if (1900...2100).contains(year), secondsOfDay(year, month, day) != nil { dateCount += 1 }
      return
    }
    switch TimeUnit(of: number.magnitude) {
    case .seconds: unitCounts[0] += 1
    case .milliseconds: unitCounts[1] += 1
    case .microseconds: unitCounts[2] += 1
    case .nanoseconds: unitCounts[3] += 1
    }
  }

  /// Adds the times of another piece of the log.
  public static func += (left: inout TimeStatistics, right: TimeStatistics) {
    for index in left.unitCounts.indices { left.unitCounts[index] += right.unitCounts[index] }
    left.numberCount += right.numberCount
    left.dateCount += right.dateCount
    left.smallCount += right.smallCount
    left.count += right.count
    left.earlyCount += right.earlyCount
    guard let other = right.range else { return }
    left.range =
      left.range.map {
        min($0.lowerBound, other.lowerBound)...max($0.upperBound, other.upperBound)
      } ?? other
  }
}

/// Reads a time as `parseTimestamp` does, and notes it.
///
/// - Parameters:
///   - bytes: holds the text.
///   - range: where it lies.
///   - format: how it is written.
///   - unit: with ``TimestampFormat/automatic`` the unit of numbers; nil tells it from the size of each.
///   - statistics: gets the time; of a number also what its size says about the unit.
/// - Returns: microseconds since 1970, or nil.
public func parseTimestamp(
  _ bytes: Span<UInt8>, _ range: Range<Int>, _ format: TimestampFormat, unit: TimeUnit?,
  noting statistics: inout TimeStatistics
) -> Int64? {
  guard case .automatic = format else {
    let time = parseTimestamp(bytes, range, format)
    if let time { statistics.add(time, number: nil) }
    return time
  }
  let number = parseInteger(bytes, range) ?? wholePart(bytes, range)
  guard let time = parseTimestamp(bytes, range, format, unit: unit) else {
    if let number { statistics.addNumber(number) }
    return nil
  }
  statistics.add(time, number: number)
  return time
}

/// The digits before the point of a decimal number.
private func wholePart(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
  guard let point = range.first(where: { bytes[$0] == UInt8(ascii: ".") }),
    (point + 1..<range.upperBound).allSatisfy({ bytes[$0] &- UInt8(ascii: "0") <= 9 })
  else { return nil }
  return parseInteger(bytes, range.lowerBound..<point)
}
