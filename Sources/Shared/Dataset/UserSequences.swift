public import ShardIO

/// The histories of all users in time order, and where train, valid and test parts end.
///
/// Of a user's events, train is `[0, trainEnd)`, valid targets are `[trainEnd, validEnd)`, test targets are the rest.
public struct UserSequences: Sendable, Equatable {
  /// The ids of the user's own data.
  public var userIDs: [String]
  /// The dense item ids of each user, in time order.
  public var items: RaggedArray<UInt32>
  /// The time of each event, seconds since 1970 unless the log had no times; same shape as ``items``.
  public var times: RaggedArray<Int64>
  /// The end of each user's train part.
  public var trainEnds: [UInt32]
  /// The end of each user's valid part.
  public var validEnds: [UInt32]
  /// For each valid and test target of a user, 1 if it has the time of the event before it; nil where that is not known.
  public var heldOutTies: RaggedArray<UInt8>?
  /// Whether the log was filtered so that a user may have an item several times; such an item may be a target again.
  public var keepsRepeats = false

  /// Creates sequences from their columns.
  ///
  /// - Precondition: one row a user in every column; times have the shape of items, ties that of the held-out events.
  public init(
    userIDs: [String], items: RaggedArray<UInt32>, times: RaggedArray<Int64>, trainEnds: [UInt32],
    validEnds: [UInt32], heldOutTies: RaggedArray<UInt8>? = nil
  ) {
    precondition(items.count == userIDs.count && items.offsets == times.offsets, "shape mismatch")
    precondition(trainEnds.count == items.count && validEnds.count == items.count, "shape mismatch")
    self.userIDs = userIDs
    self.items = items
    self.times = times
    self.trainEnds = trainEnds
    self.validEnds = validEnds
    self.heldOutTies = heldOutTies
  }

  /// The number of users.
  public var count: Int { userIDs.count }

  /// The train part of a user's history.
  public func train(of user: Int) -> ArraySlice<UInt32> {
    items[user].prefix(Int(trainEnds[user]))
  }

  /// The valid targets of a user, often one or none.
  public func validTargets(of user: Int) -> ArraySlice<UInt32> {
    items[user].prefix(Int(validEnds[user])).dropFirst(Int(trainEnds[user]))
  }

  /// The test targets of a user, often one or none.
  public func testTargets(of user: Int) -> ArraySlice<UInt32> {
    items[user].dropFirst(Int(validEnds[user]))
  }

  /// Whether a held-out event has the time of the event before it, so that data do not say which came first.
  ///
  /// - Parameters:
  ///   - user: the row.
  ///   - event: the number of a valid or test target among all events of the user.
  /// - Returns: nil where it is not known.
  public func sharesTime(of user: Int, event: Int) -> Bool? {
    heldOutTies.map { $0[user].dropFirst(event - Int(trainEnds[user])).first == 1 }
  }
}

extension UserSequences {
  /// The kind of the shards that hold sequences.
  public static let tableKind = "sequences"

  /// Reads the sequences of a preprocess output.
  ///
  /// - Parameters:
  ///   - input: the output of the preprocess stage.
  ///   - itemCount: the number of items of its catalogue.
  /// - Throws: `PipelineError`: `.dataFormat` if shapes disagree or a value is out of range.
  public init(_ input: StageInput, itemCount: Int) throws(PipelineError) {
    let table = try input.table(Self.tableKind)
    let items = try table.ragged("items", as: UInt32.self)
    let times = try table.ragged("times", as: Int64.self)
    let trainEnds = try table.fixed("train_end", as: UInt32.self)
    let validEnds = try table.fixed("valid_end", as: UInt32.self)
    let rules = TableRules(input, Self.tableKind)
    let userIDs = try table.strings("user_id")
    try rules.requireUnique(userIDs, "user_id")
    for column in ["train_end", "valid_end"] { try rules.requireWidth(table, column) }
    try rules.requireSameShape(("items", items.offsets), ("times", times.offsets))
    try rules.requireIndices(items, "items", below: itemCount, "items")
    for user in 0..<items.count {
      let length = items.offsets[user + 1] - items.offsets[user]
      guard trainEnds[user] <= validEnds[user], Int(validEnds[user]) <= length else {
        throw rules.broken(
          "'train_end' \(trainEnds[user]) and 'valid_end' \(validEnds[user])", row: user,
          expected: "two that ascend, of \(length) events")
      }
      var last = -TableRules.latestTime
      for time in times[user] {
        guard time >= last, time <= TableRules.latestTime else {
          throw rules.broken(
            "\(time) in 'times'", row: user,
            expected: "times that do not decrease, within 2⁵³ seconds of 1970")
        }
        last = time
      }
    }
    self.init(
      userIDs: userIDs, items: items, times: times, trainEnds: trainEnds,
      validEnds: validEnds, heldOutTies: try Self.ties(table, input, items, trainEnds))
    keepsRepeats = ["none", "consecutive"].contains(
      input.manifest.configuration["dedup"]?.stringValue)
  }

  /// The optional column of ties, one number a held-out event.
  private static func ties(
    _ table: Table, _ input: StageInput, _ items: RaggedArray<UInt32>, _ trainEnds: [UInt32]
  ) throws(PipelineError) -> RaggedArray<UInt8>? {
    guard table.hasColumn(tieColumn) else { return nil }
    let ties = try table.ragged(tieColumn, as: UInt8.self)
    for user in 0..<items.count {
      let heldOut = items.offsets[user + 1] - items.offsets[user] - Int(trainEnds[user])
      guard ties.offsets[user + 1] - ties.offsets[user] == heldOut else {
        throw PipelineError(
          .dataFormat,
          "the table 'sequences' has ties of user \(user) that are not one a held-out event",
          at: .init(path: "\(input.directory)"))
      }
    }
    return ties
  }

  private static let tieColumn = "held_out_tie"

  /// The bytes that a row takes in memory, offsets included; what shards are cut by.
  ///
  /// - Parameters:
  ///   - userIDByteCount: the length of the user's id.
  ///   - eventCount: the user's events.
  ///   - heldOutCount: the user's held-out events, where their ties are known.
  /// - Returns: the size.
  public static func rowByteCount(
    userIDByteCount: Int, eventCount: Int, heldOutCount: Int? = nil
  ) -> Int {
    // Three columns with offsets of 8 bytes, two of 4 bytes; items of 4 and times of 8 bytes; offsets of ties and a byte each.
    3 * 8 + 2 * 4 + userIDByteCount + 12 * eventCount + (heldOutCount.map { 8 + $0 } ?? 0)
  }

  /// The sequences as a table, row = user.
  public var table: Table {
    Table(
      kind: Self.tableKind, rowCount: count,
      columns: [
        .strings("user_id", userIDs), .ragged("items", items), .ragged("times", times),
        .fixed("train_end", trainEnds), .fixed("valid_end", validEnds),
      ] + (heldOutTies.map { [.ragged(Self.tieColumn, $0)] } ?? []))
  }
}
