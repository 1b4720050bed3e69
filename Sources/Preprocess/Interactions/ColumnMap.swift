internal import ShardIO
internal import TextInput

/// Where the fields of an event are in the records of a delimited log.
struct ColumnMap: Sendable, Equatable {
  var user: Int
  var item: Int
  var time: Int?
  var rating: Int?
  var event: Int?
  /// What each column is, for people.
  var roles: [LogSource.Role] = []
  /// The number of fields of every record.
  var fieldCount: Int

  /// Finds the columns in a header.
  ///
  /// - Parameters:
  ///   - header: the names; a type after a colon, as RecBole writes it, is ignored.
  ///   - settings: the names that the user gave, and whether there are times.
  ///   - file: the file, for messages.
  /// - Throws: ``PipelineError`` `.dataFormat` if a column is missing.
  init(
    header: [String], _ settings: InteractionSettings, file: String
  ) throws(PipelineError) {
    let names = header.map { name in
      name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        .first.map(String.init) ?? name
    }
    fieldCount = names.count
    let finder = ColumnFinder(names: names, full: header, file: file)
    user = try finder.required(settings.userColumn, usual: UsualNames.user, option: "--user-column")
    item = try finder.required(settings.itemColumn, usual: UsualNames.item, option: "--item-column")
    time = nil
    if settings.timestampFormat != .none {
      time = try finder.required(
        settings.timeColumn, usual: UsualNames.time, option: "--time-column")
    }
    rating = nil
    if settings.minimumRating != nil {
      rating = try finder.required(
        settings.ratingColumn, usual: UsualNames.rating, option: "--rating-column")
    }
    event = nil
    if !settings.eventWeights.isEmpty {
      event = try finder.required(
        settings.eventColumn, usual: UsualNames.event, option: "--event-column")
    }
    roles = [("user", user), ("item", item), ("time", time), ("rating", rating), ("event", event)]
      .compactMap { (role: String, column: Int?) in
        column.map { LogSource.Role(role: role, column: header[$0]) }
      }
  }

  /// The columns of a log without a header: numbers from the options, or user, item, time (or user, item, rating, time).
  init(
    fieldCount: Int, _ settings: InteractionSettings, file: String
  ) throws(PipelineError) {
    let header = (1...max(fieldCount, 1)).map(String.init)
    var filled = settings
    filled.userColumn = settings.userColumn ?? "1"
    filled.itemColumn = settings.itemColumn ?? "2"
    filled.timeColumn = settings.timeColumn ?? (fieldCount == 3 ? "3" : "4")
    filled.ratingColumn = settings.ratingColumn ?? "3"
    try self.init(header: header, filled, file: file)
  }
}

/// Looks up columns by name or number.
private struct ColumnFinder {
  let names: [String]
  let full: [String]
  let file: String

  func required(
    _ wanted: String?, usual: [String], option: String
  ) throws(PipelineError) -> Int {
    if let wanted {
      if let index = names.firstIndex(of: wanted) ?? full.firstIndex(of: wanted) { return index }
      if let number = Int(wanted), (1...names.count).contains(number) { return number - 1 }
      throw missing("column \(quoted(wanted))", option)
    }
    for name in usual {
      if let index = names.firstIndex(of: name) { return index }
    }
    throw missing("column \(quoted(usual[0]))", option)
  }

  private func missing(_ what: String, _ option: String) -> PipelineError {
    let shown = full.prefix(20).map { quoted($0) }.joined(separator: ", ")
    return PipelineError(
      .dataFormat, "the header has no \(what), found \(shown)",
      at: .init(path: file, line: 1),
      note: "name the column with \(option)"
        + (option == "--time-column"
          ? ", or read a log without times as such (--timestamp-format none)" : ""))
  }
}
