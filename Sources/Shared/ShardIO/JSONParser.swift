/// Reads a JSON document (RFC 8259) in one pass over its bytes.
///
/// Time and memory grow with the size of the document alone: no value is read twice, and nesting is limited.
struct JSONParser {
  /// Why a document is none.
  struct Fault: Error {
    /// Where, from the first byte on.
    let offset: Int
  }

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  /// The deepest nesting of arrays and objects that is read.
  private static let maximumDepth = 256

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The one value of the document.
  mutating func document() throws(Fault) -> JSONValue {
    skipSpace()
    let result = try value()
    skipSpace()
    guard position == bytes.count else { throw fault }
    return result
  }

  private var fault: Fault { Fault(offset: position) }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws(Fault) -> JSONValue {
    for byte in "\(text)".utf8 {
      guard take(byte) else { throw fault }
    }
    return value
  }

  private mutating func value() throws(Fault) -> JSONValue {
    switch next {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func enter() throws(Fault) {
    depth += 1
    guard depth <= Self.maximumDepth else { throw fault }
    position += 1
    skipSpace()
  }

  private mutating func array() throws(Fault) -> JSONValue {
    try enter()
    defer { depth -= 1 }
    var elements: [JSONValue] = []
    if take(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try value())
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw fault }
      skipSpace()
    }
  }

  private mutating func object() throws(Fault) -> JSONValue {
    try enter()
    defer { depth -= 1 }
    var members: [String: JSONValue] = [:]
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      let place = fault
      let name = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw fault }
      skipSpace()
      // Of two members with one name, readers would see one or the other.
      guard members.updateValue(try value(), forKey: name) == nil else { throw place }
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw fault }
      skipSpace()
    }
  }

  // MARK: - Strings

  private mutating func string() throws(Fault) -> String {
    guard take(UInt8(ascii: "\"")) else { throw fault }
    let start = position
    while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
      position += 1
    }
    if next == UInt8(ascii: "\"") {
      defer { position += 1 }
      return try text(bytes[start..<position], at: start)
    }
    var characters = Array(bytes[start..<position])
    while let byte = next, byte >= 0x20 {
      position += 1
      if byte == UInt8(ascii: "\"") { return try text(characters[...], at: start) }
      if byte == UInt8(ascii: "\\") { try escape(&characters) } else { characters.append(byte) }
    }
    throw fault
  }

  private func text(_ bytes: ArraySlice<UInt8>, at start: Int) throws(Fault) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Fault(offset: start) }
    return text
  }

  private mutating func escape(_ characters: inout [UInt8]) throws(Fault) {
    guard let byte = next else { throw fault }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): characters.append(byte)
    case UInt8(ascii: "b"): characters.append(0x08)
    case UInt8(ascii: "f"): characters.append(0x0C)
    case UInt8(ascii: "n"): characters.append(0x0A)
    case UInt8(ascii: "r"): characters.append(0x0D)
    case UInt8(ascii: "t"): characters.append(0x09)
    case UInt8(ascii: "u"): characters.append(contentsOf: Array(String(try scalar()).utf8))
    default: throw fault
    }
  }

  /// The scalar of one `\u` escape, or of two that are a surrogate pair.
  private mutating func scalar() throws(Fault) -> Character {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return Character(scalar) }
    guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw fault }
    let second = try codeUnit()
    guard (0xDC00..<0xE000).contains(second) else { throw fault }
    guard let scalar = Unicode.Scalar(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else { throw fault }
    return Character(scalar)
  }

  private mutating func codeUnit() throws(Fault) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw fault
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  // MARK: - Numbers

  private mutating func number() throws(Fault) -> JSONValue {
    let start = position
    _ = take(UInt8(ascii: "-"))
    let first = position
    let digits = skipDigits()
    guard digits > 0, digits == 1 || bytes[first] != UInt8(ascii: "0") else { throw fault }
    var isWhole = true
    if take(UInt8(ascii: ".")) {
      isWhole = false
      guard skipDigits() > 0 else { throw fault }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard skipDigits() > 0 else { throw fault }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let value = Int64(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw Fault(offset: start) }
    return Int64(exactly: value).map { .integer($0) } ?? .number(value)
  }

  private mutating func skipDigits() -> Int {
    let start = position
    while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
    return position - start
  }
}
