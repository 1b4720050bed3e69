internal import ShardIO

extension PreprocessRun {
  /// How many events and targets share their time with others of the same user.
  ///
  /// - Returns: counters; none for a log without times.
  /// - Throws: `PipelineError` `.inputOutput` if the temporary file fails.
  func ties(
    _ histories: Histories, _ trainEnds: [UInt32], _ validEnds: [UInt32]
  ) throws(PipelineError) -> [String: JSONValue] {
    guard input.hasTimes else { return [:] }
    let parts = try histories.map { firstRow, part in
      var counts = (tied: 0, valid: 0, test: 0)
      for user in 0..<part.userCount {
        let times = part.times[part.range(of: user)]
        counts.tied += times.indices.count { place in
          place > times.startIndex && times[place - 1] == times[place]
            || place + 1 < times.endIndex && times[place + 1] == times[place]
        }
        func sharesTime(_ end: UInt32) -> Bool {
          let place = times.startIndex + Int(end)
          return end > 0 && place < times.endIndex && times[place - 1] == times[place]
        }
        let (train, valid) = (trainEnds[firstRow + user], validEnds[firstRow + user])
        if valid > train, sharesTime(train) { counts.valid += 1 }
        if sharesTime(valid) { counts.test += 1 }
      }
      return counts
    }
    let tied = parts.reduce(0) { $0 + $1.tied }
    return [
      "eventsTied": JSONValue(tied),
      "eventsTiedShare": JSONValue(Double(tied) / Double(max(histories.eventCount, 1))),
      "validTargetsTied": JSONValue(parts.reduce(0) { $0 + $1.valid }),
      "testTargetsTied": JSONValue(parts.reduce(0) { $0 + $1.test }),
    ]
  }
}
