/// How a date is written, for example `m/d/Y`, `%d.%m.%Y %H:%M` or `Ymd`.
///
/// The letters are those of strftime, with or without `%`: `Y` and `y` the year in four and two digits (69 to 99 are of the
/// last century), `m` and `d` month and day, `b` the month by the first three letters of its English name, `H` and `I` the hour of 24 and of
/// 12, `M` the minute, `S` the second, `p` AM or PM. Numbers may be one digit long where no letter follows. A fraction of a
/// second and an offset may follow a time of day; where the pattern has none, a time of day may follow the date.
public struct TimePattern: Sendable, Hashable {
  /// The pattern as it was given.
  public let text: String
  private let parts: [Part]

  private enum Part: Sendable, Hashable {
    case field(UInt8)
    case literal(UInt8)

    var field: UInt8? { if case .field(let letter) = self { letter } else { nil } }
  }

  private static let letters = Set("YymdbHIMSp".utf8)
  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]

  /// Reads a pattern; nil if it has no year, month and day, a field twice, or another letter.
  public init?(_ text: String) {
    let hasPercents = text.utf8.contains(UInt8(ascii: "%"))
    var parts: [Part] = []
    var isField = !hasPercents
    for byte in text.utf8 {
      let isLetter = (0x41...0x5A).contains(byte & 0xDF)
      if hasPercents, byte == UInt8(ascii: "%") {
        isField = true
      } else if isLetter, isField, Self.letters.contains(byte) {
        parts.append(.field(byte))
        isField = !hasPercents
      } else if !isLetter || byte == UInt8(ascii: "T") || byte == UInt8(ascii: "Z") {
        parts.append(.literal(byte))
      } else {
        return nil
      }
    }
    let fields = parts.compactMap(\.field)
    func has(_ letters: String) -> Bool { letters.utf8.contains(where: fields.contains) }
    guard has("Yy"), has("mb"), has("d"), Set(fields).count == fields.count else { return nil }
    guard has("I") == has("p"), !has("M") || has("HI"), !has("S") || has("M") else { return nil }
    self.text = text
    self.parts = parts
  }

  /// Reads a time.
  ///
  /// - Returns: microseconds since 1970; nil if the text does not fit.
  func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
    var cursor = DigitCursor(position: range.lowerBound, end: range.upperBound)
    var values: [UInt8: Int64] = [:]
    for (place, part) in parts.enumerated() {
      switch part {
      case .literal(let byte):
        guard cursor.skip(Unicode.Scalar(byte), bytes) else { return nil }
      case .field(let letter):
        let isTight = place + 1 < parts.count && parts[place + 1].field != nil
        guard let value = read(letter, isTight, &cursor, bytes) else { return nil }
        values[letter] = value
      }
    }
    return time(values, &cursor, bytes)
  }

  private func read(
    _ letter: UInt8, _ isTight: Bool, _ cursor: inout DigitCursor, _ bytes: Span<UInt8>
  ) -> Int64? {
    switch letter {
    case UInt8(ascii: "Y"): return cursor.number(4, bytes)
    case UInt8(ascii: "y"): return cursor.number(2, bytes).map { $0 + ($0 < 69 ? 2000 : 1900) }
    case UInt8(ascii: "b"):
      return word(3, &cursor, bytes).flatMap { Self.months.firstIndex(of: $0) }
        .map { Int64($0) + 1 }
    case UInt8(ascii: "p"):
      return word(2, &cursor, bytes).flatMap { ["am", "pm"].firstIndex(of: $0) }.map { Int64($0) }
    default: return isTight ? cursor.number(2, bytes) : cursor.number(upTo: 2, bytes)
    }
  }

  /// Letters in lower case.
  private func word(_ count: Int, _ cursor: inout DigitCursor, _ bytes: Span<UInt8>) -> String? {
    guard cursor.position + count <= cursor.end else { return nil }
    let letters = (cursor.position..<cursor.position + count).map { bytes[$0] | 0x20 }
    cursor.position += count
    return String(decoding: letters, as: UTF8.self)
  }

  private func time(
    _ values: [UInt8: Int64], _ cursor: inout DigitCursor, _ bytes: Span<UInt8>
  ) -> Int64? {
    func value(_ letters: String) -> Int64? { letters.utf8.lazy.compactMap { values[$0] }.first }
    guard let year = value("Yy"), let month = value("mb"), let day = value("d"),
      let midnight = secondsOfDay(year, month, day)
    else { return nil }
    guard var hour = value("HI") else { return parseRest(&cursor, bytes, midnight) }
    if let isAfternoon = value("p") {
      guard (1...12).contains(hour) else { return nil }
      hour = hour % 12 + isAfternoon * 12
    }
    let (minute, second) = (value("M") ?? 0, value("S") ?? 0)
    guard hour < 24, minute < 60, second <= 60 else { return nil }
    return parseEnd(&cursor, bytes, midnight + hour * 3600 + minute * 60 + second)
  }
}
