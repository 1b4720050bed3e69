internal import ShardIO
internal import TextInput

extension InteractionLog {
  /// What the times of the log look like, as counters.
  var timeCounters: [String: JSONValue] {
    let times = counters.times
    guard let range = times.range else { return [:] }
    var found: [String: JSONValue] = [
      "times": JSONValue(times.count),
      "firstTime": .string(isoText(range.lowerBound)),
      "lastTime": .string(isoText(range.upperBound)),
      "lastTimeMicroseconds": JSONValue(range.upperBound),
      "timesBefore1971": JSONValue(times.earlyCount),
    ]
    guard times.numberCount > 0 else { return found }
    let unit = timeUnit ?? .seconds
    found["timeUnit"] = .string(unit.rawValue)
    found["timesOfOtherUnits"] = JSONValue(
      times.unitCounts.reduce(0, +) - times.count(of: unit))
    found["timesLikeDates"] = JSONValue(times.dateCount)
    found["timesUpTo10"] = JSONValue(times.smallCount)
    return found
  }
}
