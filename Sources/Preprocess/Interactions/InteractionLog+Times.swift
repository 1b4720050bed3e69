internal import ShardIO
internal import TextInput

extension InteractionLog {
  /// What the times of the log look like, as counters.
  var timeCounters: [String: JSONValue] {
    let times = counters.times
    guard let range = times.range else { return [:] }
    var found: [String: JSONValue] = [
      "times": JSONValue(times.count),
      "first_time": .string(isoText(range.lowerBound)),
      "last_time": .string(isoText(range.upperBound)),
      "last_time_microseconds": JSONValue(range.upperBound),
      "times_before_1971": JSONValue(times.earlyCount),
    ]
    guard times.numberCount > 0 else { return found }
    let unit = timeUnit ?? .seconds
    found["time_unit"] = .string(unit.rawValue)
    found["times_of_other_units"] = JSONValue(
      times.unitCounts.reduce(0, +) - times.count(of: unit))
    found["times_like_dates"] = JSONValue(times.dateCount)
    found["times_up_to_10"] = JSONValue(times.smallCount)
    return found
  }
}
