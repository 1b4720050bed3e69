internal import FoundationEssentials

/// A JSON value; objects are written with sorted keys, so that equal values are equal bytes.
public enum JSONValue: Encodable, Sendable, Equatable {
  /// Text.
  case string(String)
  /// A whole number.
  case integer(Int64)
  /// A finite number; one without a fraction is read back as an integer.
  case number(Double)
  /// A number as a text of others has it, digit by digit: an id of 20 digits, `1.50`.
  case literal(String)
  /// `true` or `false`.
  case bool(Bool)
  /// Values in order.
  case array([JSONValue])
  /// Values by name.
  case object([String: JSONValue])
  /// `null`.
  case null

  /// Writes a value.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .string(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .literal(let text):
      if let value = Int64(text) {
        try container.encode(value)
      } else {
        try container.encode(Double(text) ?? .nan)
      }
    case .bool(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    case .null: try container.encodeNil()
    }
  }

  /// Reads a JSON document.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if it is none.
  public init(parsing bytes: [UInt8], path: String) throws(PipelineError) {
    var parser = JSONParser(bytes)
    do throws(JSONParser.Fault) {
      self = try parser.document()
    } catch {
      throw PipelineError(.dataFormat, "this is not JSON", at: .init(path: path))
    }
  }

  /// The value as JSON with sorted keys.
  ///
  /// - Parameter isPretty: whether to indent, with a line end after the last line; else everything is one line
  ///   without a line end.
  /// - Returns: UTF-8.
  /// - Throws: ``PipelineError`` `.internalError` if a number is not finite.
  public func json(isPretty: Bool = true) throws(PipelineError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    do {
      return Array(try encoder.encode(self)) + (isPretty ? [0x0A] : [])
    } catch {
      throw PipelineError(.internalError, "a number in a JSON output is not finite")
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// Text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A whole number.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// Values in order.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// Values by name; of equal names the last counts.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements) { $1 })
  }
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
  /// A whole number from any integer that fits 64 bits.
  public init(_ value: some BinaryInteger) { self = .integer(Int64(value)) }
  /// A number.
  public init(_ value: Double) { self = .number(value) }
  /// Text.
  public init(_ value: String) { self = .string(value) }
  /// A truth value.
  public init(_ value: Bool) { self = .bool(value) }

  /// The value under `key`, if this is an object that has one.
  public subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  /// The text, if this is a string.
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  /// The text of a string, or a number as it was written; nil for everything else.
  public var plainText: String? {
    switch self {
    case .string(let text), .literal(let text): text
    default: nil
    }
  }
  /// The number, if this is a whole number.
  public var integerValue: Int64? {
    switch self {
    case .integer(let value): value
    case .literal(let text): Int64(text)
    default: nil
    }
  }
  /// The number, if this is one.
  public var numberValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .literal(let text): Double(text)
    default: nil
    }
  }
  /// The truth value, if this is one.
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements, if this is an array.
  public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The members, if this is an object.
  public var objectValue: [String: JSONValue]? {
    if case .object(let value) = self { value } else { nil }
  }
}
