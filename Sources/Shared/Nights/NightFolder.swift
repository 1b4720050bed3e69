internal import Foundation
public import ShardIO
public import SystemPackage

/// The nights of a RUN: a dated folder each, the one that is published, and the record of all.
///
/// ```
/// RUN/runs/2026-11-30T03-00-00Z/   1-preprocess … 4-evaluate, published/, night.json when it has ended
/// RUN/current                      a symbolic link to the published night
/// RUN/history.jsonl                a line for each night that ended
/// ```
///
/// Every change of what is published is one rename; whatever the program is killed at, the next start finds the old or
/// the new state and finishes what was decided.
public struct NightFolder: Sendable {
  /// The RUN.
  public let run: FilePath

  /// A RUN, whether it exists or not.
  public init(_ run: FilePath) { self.run = run }

  /// The folder of all nights.
  public var nights: FilePath { run.appending("runs") }
  /// The link to the published night.
  public var link: FilePath { run.appending("current") }
  /// The file with a line for each night.
  public var historyFile: FilePath { run.appending("history.jsonl") }
  /// The name of the file that says how a night ended.
  static let recordName = "night.json"
  private static let removalPrefix = ".removed-"

  /// The folder of a night.
  public func folder(_ night: String) -> FilePath { nights.appending(night) }

  /// The published night; nil if there is none.
  public var published: String? {
    guard let target = FileSystem.linkTarget(link) else { return nil }
    let path = FilePath(target)
    guard path.removingLastComponent() == "runs", let name = path.lastComponent?.string,
      Self.isNight(name)
    else { return nil }
    return name
  }

  /// The names of all nights, the oldest first.
  ///
  /// - Throws: `PipelineError` `.inputOutput` if the folder cannot be read.
  public func all() throws(PipelineError) -> [String] {
    guard FileSystem.isDirectory(nights) else { return [] }
    return try FileSystem.names(in: nights).filter(Self.isNight)
  }

  /// The record of a night that has ended; nil for one that has not.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if it is damaged.
  public func record(_ night: String) throws(PipelineError) -> NightRecord? {
    let path = folder(night).appending(Self.recordName)
    guard FileSystem.exists(path) else { return nil }
    return try NightRecord(try JSONValue(parsing: try readWholeFile(path), path: path.string), path)
  }

  /// Reads a night that has ended, every byte of its stages.
  ///
  /// - Throws: `PipelineError`, with the way out, if a file is damaged or missing.
  public func requireIntact(_ night: String) throws(PipelineError) {
    do throws(PipelineError) {
      guard let record = try record(night) else {
        throw PipelineError(
          .dataFormat, "the night has no record", at: .init(path: folder(night).string))
      }
      for (number, stage) in ["preprocess", "tokenize", "train", "evaluate"].enumerated()
      where NightPlan.words(stage, in: record.template) != nil {
        let output = folder(night).appending("\(number + 1)-\(stage)")
        try StageInput(directory: output, expecting: stage).requireIntact()
      }
    } catch {
      throw PipelineError(
        error.kind, error.message, at: error.location,
        note: "this night is damaged: publish another one with 'make rollback', or train from "
          + "nothing and without a comparison by NIGHT_OPTIONS='--damaged cold'")
    }
  }

  /// The night that has begun and not ended, or a new name.
  ///
  /// A clock that went back gives a name after the newest one all the same.
  ///
  /// - Parameter now: seconds since 1970.
  /// - Returns: the name.
  /// - Throws: as ``all()`` and ``record(_:)``.
  public func begin(now: Int64) throws(PipelineError) -> String {
    let names = try all()
    guard let newest = names.last else { return Self.name(now) }
    if try record(newest) == nil { return newest }
    return Self.name(max(now, (Self.seconds(newest) ?? 0) + 1))
  }

  /// Ends a night: its record first, which decides, then what is published, then its line of the history.
  ///
  /// - Throws: `PipelineError` `.cannotCreate`, `.inputOutput`.
  public func end(_ night: String, _ record: NightRecord) throws(PipelineError) {
    try write(record.json, to: folder(night).appending(Self.recordName))
    try finish(night, record)
  }

  /// Finishes what the records of all nights and the history have decided, after a crash in between.
  ///
  /// - Returns: whether that was a rollback.
  /// - Throws: as ``end(_:_:)``.
  @discardableResult
  public func recover() throws(PipelineError) -> Bool {
    guard FileSystem.isDirectory(nights) else { return false }
    for name in try FileSystem.names(in: nights) where name.hasPrefix(Self.removalPrefix) {
      try removeTree(nights.appending(name))
    }
    let lines = try history()
    if let last = lines.last, last["event"] == "rollback", let published,
      last["from"]?.stringValue == published, let earlier = last["to"]?.stringValue
    {
      try publish(earlier)
      return true
    }
    let known = Set(lines.compactMap { $0["night"]?.stringValue })
    for night in try all() where !known.contains(night) {
      if let record = try record(night) { try finish(night, record) }
    }
    return false
  }

  private func finish(_ night: String, _ record: NightRecord) throws(PipelineError) {
    if record.isPublished { try publish(night) }
    var lines = try history()
    var line = record.json.objectValue ?? [:]
    line["night"] = .string(night)
    lines.append(.object(line))
    try writeHistory(lines)
  }

  /// Makes a night the published one.
  private func publish(_ night: String) throws(PipelineError) {
    try FileSystem.replaceLink(link, target: "runs/\(night)")
    try FileSystem.flushDirectory(run)
  }

  /// Publishes the published night's predecessor again.
  ///
  /// - Returns: the night that is published now.
  /// - Throws: `PipelineError`: `.configuration` if there is none before it; as ``requireIntact(_:)``.
  public func rollBack(now: Int64) throws(PipelineError) -> String {
    guard let current = published, let earlier = try predecessor(of: current) else {
      throw PipelineError(
        .configuration, "there is no earlier published night to go back to",
        at: .init(path: run.string), note: "'make history' lists all nights")
    }
    try requireIntact(earlier)
    var lines = try history()
    lines.append([
      "event": "rollback", "from": .string(current), "to": .string(earlier),
      "time": .string(Self.name(now)),
    ])
    // The line first, which decides: ``recover()`` finishes it.
    try writeHistory(lines)
    try publish(earlier)
    return earlier
  }

  /// The night that was published before a night, was not taken back, and is still there.
  public func predecessor(of night: String) throws(PipelineError) -> String? {
    let takenBack = Set(
      try history().filter { $0["event"] == "rollback" }.compactMap { $0["from"]?.stringValue })
    var found: String?
    for name in try all() where name < night && !takenBack.contains(name) {
      if try record(name)?.isPublished == true { found = name }
    }
    return found
  }

  /// The lines of the history, the oldest first.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if one is damaged.
  public func history() throws(PipelineError) -> [JSONValue] {
    guard FileSystem.exists(historyFile) else { return [] }
    let bytes = try readWholeFile(historyFile)
    var lines: [JSONValue] = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      lines.append(try JSONValue(parsing: Array(line), path: historyFile.string))
    }
    return lines
  }

  private func writeHistory(_ lines: [JSONValue]) throws(PipelineError) {
    var bytes: [UInt8] = []
    for line in lines { bytes += try line.json(isPretty: false) + [UInt8(ascii: "\n")] }
    var file = try AtomicFile(replacing: historyFile)
    try file.append(bytes)
    try file.commit()
  }

  private func write(_ json: JSONValue, to path: FilePath) throws(PipelineError) {
    var file = try AtomicFile(replacing: path)
    try file.append(try json.json())
    try file.commit()
  }
}

extension NightFolder {
  /// Removes old nights: those that are neither among the last ones, nor the newest of one of the last weeks, nor
  /// published, nor its predecessor.
  ///
  /// - Parameters:
  ///   - count: the last nights that stay.
  ///   - weeks: the last weeks of which the newest night stays.
  /// - Returns: what was removed.
  /// - Throws: `PipelineError` `.inputOutput`.
  public func retain(last count: Int, weeks: Int) throws(PipelineError) -> [String] {
    let names = try all()
    var kept = Set(names.suffix(max(1, count)))
    var newestOfWeek: [Int64: String] = [:]
    for name in names { newestOfWeek[(Self.seconds(name) ?? 0) / (7 * 86_400)] = name }
    for (_, name) in newestOfWeek.sorted(by: { $0.key > $1.key }).prefix(weeks) {
      kept.insert(name)
    }
    if let current = published {
      kept.insert(current)
      if let earlier = try predecessor(of: current) { kept.insert(earlier) }
    }
    let removed = names.filter { !kept.contains($0) }
    for name in removed {
      // Under this name it is no night any more; a crash leaves a rest that the next start removes.
      let rest = nights.appending(Self.removalPrefix + name)
      try FileSystem.rename(folder(name), to: rest)
      try removeTree(rest)
    }
    return removed
  }

  private func removeTree(_ path: FilePath) throws(PipelineError) {
    do {
      try FileManager.default.removeItem(atPath: path.string)
    } catch {
      throw PipelineError(
        .inputOutput, "cannot remove the folder: \(error.localizedDescription)",
        at: .init(path: path.string))
    }
  }

  /// The bytes of all files of a night.
  public func byteCount(_ night: String) -> Int64 {
    let folder = folder(night).string
    let names = FileManager.default.enumerator(atPath: folder)
    var total: Int64 = 0
    while let name = names?.nextObject() as? String {
      total += Int64(FileSystem.byteCount(FilePath("\(folder)/\(name)")) ?? 0)
    }
    return total
  }

  /// The name of a night that begins at a time: UTC, as in `2026-11-30T03-00-00Z`.
  static func name(_ seconds: Int64) -> String {
    let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let (year, month, date) = civil(day)
    let rest = Int(seconds - day * 86_400)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let time = [rest / 3600, rest / 60 % 60, rest % 60].map(two).joined(separator: "-")
    return "\(year)-\(two(month))-\(two(date))T\(time)Z"
  }

  /// The time of a name; nil for what is none.
  static func seconds(_ name: String) -> Int64? {
    guard let match = name.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d)T(\d\d)-(\d\d)-(\d\d)Z/),
      let year = Int(match.1), let month = Int(match.2), let date = Int(match.3),
      let hour = Int64(match.4), let minute = Int64(match.5), let second = Int64(match.6),
      (1...12).contains(month), (1...31).contains(date)
    else { return nil }
    return days(year, month, date) * 86_400 + hour * 3600 + minute * 60 + second
  }

  private static func isNight(_ name: String) -> Bool { seconds(name) != nil }

  /// Days since 1970 of a Gregorian date (Hinnant, "chrono-compatible low-level date algorithms").
  private static func days(_ year: Int, _ month: Int, _ date: Int) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + date - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era * 146_097 + dayOfEra - 719_468)
  }

  private static func civil(_ days: Int64) -> (year: Int, month: Int, date: Int) {
    let z = Int(days) + 719_468
    let era = z / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let m = (5 * dayOfYear + 2) / 153
    let month = m + (m < 10 ? 3 : -9)
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * m + 2) / 5 + 1)
  }
}
