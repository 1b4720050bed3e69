internal import ShardIO
internal import TextInput

/// Turns JSON lines into events.
struct JSONRowParser: Sendable {
  private let settings: InteractionSettings
  private let hasWeights: Bool

  init(_ settings: InteractionSettings) {
    self.settings = settings
    hasWeights = settings.hasWeights
  }

  /// Where each role is looked for.
  static func roles(_ settings: InteractionSettings) -> [LogSource.Role] {
    var roles = [
      ("user", names(settings.userColumn, UsualNames.user)),
      ("item", names(settings.itemColumn, UsualNames.item)),
    ]
    if settings.timestampFormat != .none {
      roles.append(("time", names(settings.timeColumn, UsualNames.time)))
    }
    return roles.map { LogSource.Role(role: $0, column: $1) }
  }

  /// Parses a chunk.
  func parse(_ bytes: Span<UInt8>, from start: Int, into ids: inout WorkerIDs) -> ParsedChunk {
    var result = ParsedChunk()
    var position = start
    while position < bytes.count {
      var end = position
      while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
      let next = min(end + 1, bytes.count)
      if (position..<end).contains(where: { bytes[$0] > 0x20 }) {
        result.counters.rowCount += 1
        let site = RecordSite(begin: position, line: result.lineCount + 1)
        do throws(RowRefusal) {
          try parseLine(bytes, position..<end, site, &ids, &result)
        } catch {
          result.faults.record(error.fault)
          if settings.keepsBadRows {
            result.badRows.append(contentsOf: (position..<next).map { bytes[$0] })
          }
        }
      }
      position = next
      result.lineCount += 1
    }
    return result
  }

  private struct RowRefusal: Error {
    var fault: RowFault
  }

  private func parseLine(
    _ bytes: Span<UInt8>, _ line: Range<Int>, _ site: RecordSite, _ ids: inout WorkerIDs,
    _ result: inout ParsedChunk
  ) throws(RowRefusal) {
    func refuse(_ reason: FaultReason, _ message: String) -> RowRefusal {
      RowRefusal(fault: site.fault(reason, at: line.lowerBound, bytes, message))
    }
    let node = try parseObject(bytes, line, site)
    func required(_ what: String, _ wanted: String?, _ usual: [String]) throws(RowRefusal) -> String
    {
      if let value = text(node, wanted, usual) { return value }
      throw refuse(
        .missingField, "the object has no \(what), looked for \(Self.names(wanted, usual))")
    }
    let user = try required("user id", settings.userColumn, UsualNames.user)
    let item = try required("item id", settings.itemColumn, UsualNames.item)
    if user.isEmpty { throw refuse(.emptyUser, "the user id is empty") }
    if item.isEmpty { throw refuse(.emptyItem, "the item id is empty") }
    var time: Int64 = 0
    if settings.timestampFormat != .none {
      let value = try required("time", settings.timeColumn, UsualNames.time)
      let characters = Array(value.utf8)
      let range = 0..<characters.count
      guard
        let parsed = parseTimestamp(
          characters.span, range, settings.timestampFormat, unit: settings.timeUnit,
          noting: &result.counters.times)
      else {
        let expectation = settings.timestampFormat.expectation
        throw refuse(.timestamp, "timestamp \(quoted(value)) is not \(expectation)")
      }
      time = parsed
    }
    switch keeps(node, time) {
    case .bad(let rating): throw refuse(.rating, "rating \(quoted(rating)) is not a number")
    case .outsideWindow: result.counters.outsideWindow += 1
    case .otherEventType: result.counters.otherEventType += 1
    case .belowRating: result.counters.belowRating += 1
    case .kept(let weight):
      result.events.append(
        user: ids.users.insert(user.utf8), item: ids.items.insert(item.utf8), time: time,
        weight: hasWeights ? weight : nil)
    }
  }

  /// What the filters say of an event.
  private enum Verdict {
    case kept(weight: UInt16)
    case outsideWindow
    case otherEventType
    case belowRating
    case bad(rating: String)
  }

  private func keeps(_ node: JSONValue, _ time: Int64) -> Verdict {
    if settings.timestampFormat != .none, time < settings.earliest || time >= settings.latest {
      return .outsideWindow
    }
    var weight: UInt16 = 1
    if !settings.eventWeights.isEmpty {
      let kind = text(node, settings.eventColumn, UsualNames.event)
      guard let kind, let found = settings.eventWeights[kind] else { return .otherEventType }
      weight = found
    }
    guard let minimum = settings.minimumRating,
      let value = text(node, settings.ratingColumn, UsualNames.rating)
    else { return .kept(weight: weight) }
    guard let rating = Double(value), rating.isFinite else { return .bad(rating: value) }
    return rating < minimum ? .belowRating : .kept(weight: weight)
  }

  private func parseObject(
    _ bytes: Span<UInt8>, _ line: Range<Int>, _ site: RecordSite
  ) throws(RowRefusal) -> JSONValue {
    if let bad = firstInvalidUTF8(bytes, line) {
      throw RowRefusal(fault: site.fault(.notUTF8(offset: bad), bytes))
    }
    var cursor = JSONCursor(line)
    do throws(JSONFault) {
      return try cursor.readWhole(bytes)
    } catch {
      throw RowRefusal(
        fault: site.fault(
          .json, at: error.offset, bytes, "this is not JSON, expected \(error.expected) here"))
    }
  }

  private static func names(_ wanted: String?, _ usual: [String]) -> String {
    (wanted.map { [$0] } ?? usual).map { quoted($0) }.joined(separator: ", ")
  }

  /// The text of a member; `a.b` is the member b of the member a.
  private func text(_ node: JSONValue, _ wanted: String?, _ usual: [String]) -> String? {
    for path in wanted.map({ [$0] }) ?? usual {
      if let value = member(node, path)?.plainText { return value }
    }
    return nil
  }

  private func member(_ node: JSONValue, _ path: String) -> JSONValue? {
    if let value = node[path] { return value }
    return path.split(separator: ".").reduce(node as JSONValue?) { $0?[String($1)] }
  }
}
