internal import ShardIO
internal import TextInput

/// Turns JSON lines into events.
struct JSONRowParser: Sendable {
  private let settings: InteractionSettings

  init(_ settings: InteractionSettings) { self.settings = settings }

  /// Parses a chunk.
  func parse(_ bytes: Span<UInt8>, from start: Int, into ids: inout WorkerIDs) -> ParsedChunk {
    var result = ParsedChunk()
    var position = start
    while position < bytes.count {
      var end = position
      while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
      if (position..<end).contains(where: { bytes[$0] > 0x20 }) {
        result.counters.rowCount += 1
        let site = RecordSite(begin: position, line: result.lineCount + 1)
        do throws(RowRefusal) {
          try parseLine(bytes, position..<end, site, &ids, &result)
        } catch {
          result.faults.record(error.fault)
        }
      }
      position = min(end + 1, bytes.count)
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
    guard let user = text(node, settings.userColumn, UsualNames.user) else {
      throw refuse(
        .missingField,
        "the object has no user id, looked for \(names(settings.userColumn, UsualNames.user))")
    }
    guard let item = text(node, settings.itemColumn, UsualNames.item) else {
      throw refuse(
        .missingField,
        "the object has no item id, looked for \(names(settings.itemColumn, UsualNames.item))")
    }
    if user.isEmpty { throw refuse(.emptyUser, "the user id is empty") }
    if item.isEmpty { throw refuse(.emptyItem, "the item id is empty") }
    var time: Int64 = 0
    if settings.timestampFormat != .none {
      guard let value = text(node, settings.timeColumn, UsualNames.time) else {
        throw refuse(
          .missingField,
          "the object has no time, looked for \(names(settings.timeColumn, UsualNames.time))")
      }
      let characters = Array(value.utf8)
      guard
        let parsed = parseTimestamp(characters.span, 0..<characters.count, settings.timestampFormat)
      else {
        throw refuse(
          .timestamp, "timestamp \(quoted(value)) is not \(settings.timestampFormat.expectation)")
      }
      time = parsed
      if time < settings.earliest || time >= settings.latest {
        result.counters.outsideWindow += 1
        return
      }
    }
    if let minimum = settings.minimumRating,
      let value = text(node, settings.ratingColumn, UsualNames.rating)
    {
      guard let rating = Double(value), rating.isFinite else {
        throw refuse(.rating, "rating \(quoted(value)) is not a number")
      }
      if rating < minimum {
        result.counters.belowRating += 1
        return
      }
    }
    result.events.append(
      user: ids.users.insert(user.utf8), item: ids.items.insert(item.utf8), time: time)
  }

  private func parseObject(
    _ bytes: Span<UInt8>, _ line: Range<Int>, _ site: RecordSite
  ) throws(RowRefusal) -> JSONNode {
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

  private func names(_ wanted: String?, _ usual: [String]) -> String {
    (wanted.map { [$0] } ?? usual).map { quoted($0) }.joined(separator: ", ")
  }

  /// The text of a member; `a.b` is the member b of the member a.
  private func text(_ node: JSONNode, _ wanted: String?, _ usual: [String]) -> String? {
    for path in wanted.map({ [$0] }) ?? usual {
      switch member(node, path) {
      case .string(let value), .number(let value): return value
      default: continue
      }
    }
    return nil
  }

  private func member(_ node: JSONNode, _ path: String) -> JSONNode? {
    if let value = node[path] { return value }
    return path.split(separator: ".").reduce(node as JSONNode?) { $0?[String($1)] }
  }
}
