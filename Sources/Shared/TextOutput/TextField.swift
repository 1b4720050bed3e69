public import ShardIO

/// Text in the formats that other programs read.
public enum TextField {
  /// A field of CSV (RFC 4180), in quotes where it needs them.
  public static func csv(_ text: String) -> [UInt8] {
    let special = Array(",\"\r\n".utf8)
    guard text.utf8.contains(where: { special.contains($0) }) else { return Array(text.utf8) }
    let quote = UInt8(ascii: "\"")
    return [quote] + text.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
  }

  /// A string of JSON (RFC 8259), with its quotes.
  public static func json(_ text: String) -> [UInt8] {
    var result = Array("\"".utf8)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        result += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
      default: result.append(byte)
      }
    }
    return result + Array("\"".utf8)
  }

  /// A value as one line of JSON lines, its line end included.
  ///
  /// - Throws: `PipelineError` `.internalError` if a number is not finite.
  public static func jsonLine(_ value: JSONValue) throws(PipelineError) -> [UInt8] {
    try value.json(isPretty: false) + [0x0A]
  }
}
