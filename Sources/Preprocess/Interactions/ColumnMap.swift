internal import Foundation
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
  ///   - line: the line of the header.
  ///   - settings: the names that the user gave, and whether there are times.
  ///   - file: the file, for messages.
  /// - Throws: ``PipelineError`` `.dataFormat` if a column is missing.
  init(
    header: [String], line: Int = 1, _ settings: InteractionSettings, file: String
  ) throws(PipelineError) {
    fieldCount = header.count
    let finder = ColumnFinder(header: header, file: file, line: line)
    try finder.requireNames(settings)
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

  /// Whether a header names a user and an item.
  static func hasIDs(header: [String], _ settings: InteractionSettings) -> Bool {
    let finder = ColumnFinder(header: header, file: "", line: 1)
    return finder.find(settings.userColumn, usual: UsualNames.user) != nil
      && finder.find(settings.itemColumn, usual: UsualNames.item) != nil
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
  /// The names without what does not tell them apart.
  let plain: [String]
  let file: String
  let line: Int

  init(header: [String], file: String, line: Int) {
    names = header.map(UsualNames.withoutType)
    full = header
    plain = names.map(UsualNames.plain)
    self.file = file
    self.line = line
  }

  /// The place of a column: by its exact name, by its number, or by a name that differs in case, spaces and signs alone.
  func find(_ wanted: String?, usual: [String]) -> Int? {
    guard let wanted else {
      return usual.lazy.compactMap { names.firstIndex(of: $0) }.first
        ?? usual.lazy.compactMap { plain.firstIndex(of: UsualNames.plain($0)) }.first
    }
    if let index = names.firstIndex(of: wanted) ?? full.firstIndex(of: wanted) { return index }
    if let number = Int(wanted), (1...names.count).contains(number) { return number - 1 }
    return plain.firstIndex(of: UsualNames.plain(wanted))
  }

  func required(
    _ wanted: String?, usual: [String], option: String
  ) throws(PipelineError) -> Int {
    if let index = find(wanted, usual: usual) { return index }
    throw missing("column \(quoted(wanted ?? usual[0]))", option)
  }

  /// Refuses a first line that is a row: nothing in it is a name, and something is a number.
  func requireNames(_ settings: InteractionSettings) throws(PipelineError) {
    let usual = UsualNames.user + UsualNames.item + UsualNames.time + UsualNames.rating
    let known = Set(usual.map(UsualNames.plain))
    let given = [
      settings.userColumn, settings.itemColumn, settings.timeColumn, settings.ratingColumn,
      settings.eventColumn,
    ]
    guard given.allSatisfy({ $0 == nil }), !plain.contains(where: known.contains),
      names.contains(where: { Double($0.trimmingCharacters(in: .whitespaces)) != nil })
    else { return }
    throw PipelineError(
      .dataFormat, "the first line is no header, found \(shown)",
      at: .init(path: file, line: line),
      note: """
        a log without a header is read with --no-header; its columns go by number, from 1, for example --user-column 1
        """)
  }

  private var shown: String { full.prefix(20).map { quoted($0) }.joined(separator: ", ") }

  private func missing(_ what: String, _ option: String) -> PipelineError {
    PipelineError(
      .dataFormat, "the header has no \(what), found \(shown)",
      at: .init(path: file, line: line),
      note: "name the column with \(option)"
        + (option == "--time-column"
          ? ", or read a log without times as such (--timestamp-format none)" : ""))
  }
}
