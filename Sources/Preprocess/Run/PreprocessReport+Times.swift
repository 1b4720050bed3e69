internal import ShardIO

extension PreprocessReport {
  /// The first and the last time and how they were read.
  var timeLine: String? {
    guard let first = counters["firstTime"]?.stringValue,
      let last = counters["lastTime"]?.stringValue
    else { return nil }
    let unit = counters["timeUnit"]?.stringValue.map { "numbers of \($0)" }
    let format = configuration["timestampFormat"]?.stringValue ?? ""
    return
      "Times from \(first) to \(last), read as \(unit ?? (format == "auto" ? "dates" : format))."
  }

  /// Microseconds at the beginning of 2100.
  private static let farFuture: Int64 = 4_102_444_800_000_000

  /// What makes the times doubtful, whenever they are looked at.
  var timeWarnings: [String] {
    func count(_ key: String) -> Int64 { counters[key]?.integerValue ?? 0 }
    let total = count("times")
    guard total > 0, let first = counters["firstTime"]?.stringValue,
      let last = counters["lastTime"]?.stringValue
    else { return [] }
    var warnings: [String] = []
    if count("timesLikeDates") * 20 > total * 19 {
      return [
        """
        the times look like dates written as YYYYMMDD and were read as numbers (\(first) to \(last)); \
        --timestamp-format Ymd reads them as dates.
        """
      ]
    }
    if count("timesUpTo10") == total {
      return [
        """
        all times are from 0 to 10: is the column one of ratings? Name that of the times with --time-column, or read the \
        rows in their order with --timestamp-format none.
        """
      ]
    }
    if count("timesOfOtherUnits") > 0 {
      warnings.append(
        """
        \(count("timesOfOtherUnits")) of \(total) times are numbers of a size that does not fit \
        \(counters["timeUnit"]?.stringValue ?? "their unit"), the unit of most.
        """)
    }
    if count("timesBefore1971") > 0 {
      warnings.append(
        """
        \(count("timesBefore1971")) of \(total) times are before 1971, the first at \(first); --timestamp-format names \
        another unit or form.
        """)
    }
    if count("lastTimeMicroseconds") > Self.farFuture {
      warnings.append(
        "there are times after 2100, the last at \(last); --timestamp-format names another unit or form."
      )
    }
    return warnings
  }

  /// What makes the times doubtful at a time, microseconds since 1970.
  func futureWarning(now: Int64) -> String? {
    guard let last = counters["lastTimeMicroseconds"]?.integerValue, last > now,
      last <= Self.farFuture
    else { return nil }
    return "the last time, \(counters["lastTime"]?.stringValue ?? ""), is in the future."
  }
}
