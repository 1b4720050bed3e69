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
    var latestTrain = Int64.min
    var latestValid = Int64.min
    for user in 0..<histories.userCount {
      let times = histories.times[histories.range(of: user)]
      latestTrain = max(latestTrain, times.prefix(Int(trainEnds[user])).last ?? .min)
      latestValid = max(latestValid, times.prefix(Int(validEnds[user])).last ?? .min)
    }
    if case .time(let validCut, let testCut) = split {
      guard latestTrain < validCut, latestValid < testCut else {
        throw PipelineError(.internalError, "an event later than a cut of the split is in train")
      }
      return [
        "valid_cut_microseconds": JSONValue(validCut), "test_cut_microseconds": JSONValue(testCut),
      ]
    }
    var earlier = 0
    for user in 0..<histories.userCount {
      let times = histories.times[histories.range(of: user)]
      earlier += times.dropFirst(Int(validEnds[user])).count { $0 < latestTrain }
    }
    return ["test_events_before_last_train_event": JSONValue(earlier)]
  }
}
