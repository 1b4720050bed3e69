public import ShardIO

/// A fault in a JSON text and the byte where it was noticed.
public struct JSONFault: Error, Sendable, Equatable {
  /// The offset of the byte, from the start of the buffer.
  public var offset: Int
  /// What was expected there.
  public var expected: String
}

/// Reads JSON values (RFC 8259) from bytes that are valid UTF-8; numbers stay as they are written.
public struct JSONCursor {
  /// The next byte.
  public private(set) var position: Int
  /// A name that occurs twice in an object; of such members the last counts.
  public private(set) var repeatedName: String?
  private let end: Int

  /// The deepest nesting accepted.
  public static let maximumDepth = 64

  /// Creates a cursor at the start of a range.
  public init(_ range: Range<Int>) {
    position = range.lowerBound
    end = range.upperBound
  }

  /// Reads one value and requires that only white space follows it.
  public mutating func readWhole(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONValue {
    let node = try readValue(bytes, depth: 0)
    skipSpace(bytes)
    guard position == end else { throw fault("the end of the line") }
    return node
  }

  private func fault(_ expected: String) -> JSONFault {
    JSONFault(offset: min(position, end), expected: expected)
  }

  private mutating func skipSpace(_ bytes: Span<UInt8>) {
    while position < end {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private mutating func take(_ character: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
    skipSpace(bytes)
    guard position < end, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func readValue(
    _ bytes: Span<UInt8>, depth: Int
  ) throws(JSONFault) -> JSONValue {
    skipSpace(bytes)
    guard depth < Self.maximumDepth else { throw fault("at most \(Self.maximumDepth) levels") }
    guard position < end else { throw fault("a value") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try readObject(bytes, depth: depth)
    case UInt8(ascii: "["): return try readArray(bytes, depth: depth)
    case UInt8(ascii: "\""): return .string(try readString(bytes))
    case UInt8(ascii: "t"): return try readWord("true", .bool(true), bytes)
    case UInt8(ascii: "f"): return try readWord("false", .bool(false), bytes)
    case UInt8(ascii: "n"): return try readWord("null", .null, bytes)
    default: return try readNumber(bytes)
    }
  }

  private mutating func readObject(
    _ bytes: Span<UInt8>, depth: Int
  ) throws(JSONFault) -> JSONValue {
    position += 1
    var members: [String: JSONValue] = [:]
    if take("}", bytes) { return .object(members) }
    repeat {
      skipSpace(bytes)
      guard position < end, bytes[position] == UInt8(ascii: "\"") else { throw fault("a name") }
      let name = try readString(bytes)
      guard take(":", bytes) else { throw fault("':'") }
      if members.updateValue(try readValue(bytes, depth: depth + 1), forKey: name) != nil {
        repeatedName = name
      }
    } while take(",", bytes)
    guard take("}", bytes) else { throw fault("',' or '}'") }
    return .object(members)
  }

  private mutating func readArray(
    _ bytes: Span<UInt8>, depth: Int
  ) throws(JSONFault) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    if take("]", bytes) { return .array(elements) }
    repeat {
      elements.append(try readValue(bytes, depth: depth + 1))
    } while take(",", bytes)
    guard take("]", bytes) else { throw fault("',' or ']'") }
    return .array(elements)
  }

  private mutating func readWord(
    _ word: StaticString, _ node: JSONValue, _ bytes: Span<UInt8>
  ) throws(JSONFault) -> JSONValue {
    for byte in "\(word)".utf8 {
      guard position < end, bytes[position] == byte else { throw fault("a value") }
      position += 1
    }
    return node
  }

  private mutating func readNumber(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONValue {
    let start = position
    if position < end, bytes[position] == UInt8(ascii: "-") { position += 1 }
    let firstDigit = position
    guard skipDigits(bytes) else {
      position = start
      throw fault("a value")
    }
    guard bytes[firstDigit] != UInt8(ascii: "0") || position == firstDigit + 1 else {
      throw fault("no leading zero")
    }
    if position < end, bytes[position] == UInt8(ascii: ".") {
      position += 1
      guard skipDigits(bytes) else { throw fault("a digit") }
    }
    if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      if position < end, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[position]) {
        position += 1
      }
      guard skipDigits(bytes) else { throw fault("a digit") }
    }
    return .literal(text(bytes, start..<position))
  }

  private mutating func skipDigits(_ bytes: Span<UInt8>) -> Bool {
    let start = position
    while position < end, bytes[position] &- UInt8(ascii: "0") <= 9 { position += 1 }
    return position > start
  }

  private func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    var copy: [UInt8] = []
    copy.reserveCapacity(range.count)
    for index in range { copy.append(bytes[index]) }
    return String(decoding: copy, as: UTF8.self)
  }

  private mutating func readString(_ bytes: Span<UInt8>) throws(JSONFault) -> String {
    position += 1
    var content: [UInt8] = []
    while position < end {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"):
        try readEscape(bytes, into: &content)
      case ..<0x20:
        throw fault("no control character in a string")
      default:
        content.append(byte)
        position += 1
      }
    }
    throw fault("a closing quote")
  }

  private mutating func readEscape(
    _ bytes: Span<UInt8>, into content: inout [UInt8]
  ) throws(JSONFault) {
    position += 1
    guard position < end else { throw fault("an escape") }
    let byte = bytes[position]
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      try readUnicodeEscape(bytes, into: &content)
      return
    default: throw fault("an escape")
    }
    position += 1
  }

  /// `uXXXX`, or a surrogate pair of two such escapes; a lone surrogate becomes U+FFFD.
  private mutating func readUnicodeEscape(
    _ bytes: Span<UInt8>, into content: inout [UInt8]
  ) throws(JSONFault) {
    var unit = try readHexUnit(bytes)
    if (0xD800..<0xDC00).contains(unit), position + 1 < end,
      bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
    {
      let mark = position
      position += 1
      let low = try readHexUnit(bytes)
      if (0xDC00..<0xE000).contains(low) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
      } else {
        position = mark
      }
    }
    let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
    content.append(contentsOf: String(Character(scalar)).utf8)
  }

  private mutating func readHexUnit(_ bytes: Span<UInt8>) throws(JSONFault) -> UInt32 {
    position += 1
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < end, let digit = hexValue(bytes[position]) else {
        throw fault("four hexadecimal digits")
      }
      value = value << 4 | digit
      position += 1
    }
    return value
  }

  private func hexValue(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}
