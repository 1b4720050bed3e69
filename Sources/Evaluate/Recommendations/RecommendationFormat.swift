import ArgumentParser

/// How recommendations are written.
enum RecommendationFormat: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// A header and one line a recommendation: user_id, rank, item_id, score (RFC 4180).
  case csv
  /// One JSON object a user.
  case jsonl

  /// Text as one field: a CSV field in quotes where it needs them, or a JSON string.
  func field(_ text: String) -> [UInt8] {
    switch self {
    case .csv: Self.csvField(text)
    case .jsonl: Self.jsonString(text)
    }
  }

  private static func csvField(_ text: String) -> [UInt8] {
    let special = Array(",\"\r\n".utf8)
    guard text.utf8.contains(where: { special.contains($0) }) else { return Array(text.utf8) }
    return Array("\"\(text.replacing("\"", with: "\"\""))\"".utf8)
  }

  private static func jsonString(_ text: String) -> [UInt8] {
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
}
