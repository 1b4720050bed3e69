internal import ShardIO
internal import TextInput

extension PreprocessRun {
  /// Looks for events of the train part that are later than what they are used to predict.
  ///
  /// - Returns: for a split by position, how many held-out events are earlier than the last train event of some user;
  ///   such a split is not a fault, but a model has seen the future of other users.
  /// - Throws: `PipelineError` `.internalError` if a split by time has let an event across its cut.
  func leaks(
    _ histories: Histories, _ split: Split, _ trainEnds: [UInt32], _ validEnds: [UInt32]
  ) throws(PipelineError) -> [String: JSONValue] {
    guard input.timestampFormat != .none else { return [:] }
    let latest = try histories.map { firstRow, part in
      (0..<part.userCount).reduce((train: Int64.min, valid: Int64.min)) { latest, user in
        let times = part.times[part.range(of: user)]
        let train = times.prefix(Int(trainEnds[firstRow + user])).last ?? .min
        let valid = times.prefix(Int(validEnds[firstRow + user])).last ?? .min
        return (max(latest.train, train), max(latest.valid, valid))
      }
    }
    let latestTrain = latest.map(\.train).max() ?? .min
    let latestValid = latest.map(\.valid).max() ?? .min
    if case .time(let validCut, let testCut) = split {
      guard latestTrain < validCut, latestValid < testCut else {
        throw PipelineError(.internalError, "an event later than a cut of the split is in train")
      }
      return [
        "validCutMicroseconds": JSONValue(validCut), "testCutMicroseconds": JSONValue(testCut),
      ]
    }
    let earlier = try histories.map { firstRow, part in
      (0..<part.userCount).reduce(0) { count, user in
        let times = part.times[part.range(of: user)]
        return count + times.dropFirst(Int(validEnds[firstRow + user])).count { $0 < latestTrain }
      }
    }
    return ["testEventsBeforeLastTrainEvent": JSONValue(earlier.reduce(0, +))]
  }
}
