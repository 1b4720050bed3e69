internal import Page
public import ShardIO

/// Text in the formats that other programs read.
public enum TextField {
  /// A field of CSV (RFC 4180), in quotes where it needs them.
  ///
  /// - Parameters:
  ///   - text: the text; other programs read it back as it is, unless it is guarded.
  ///   - isGuarded: whether an apostrophe is put before text that a spreadsheet would take for a formula.
  /// - Returns: the bytes of the field.
  public static func csv(_ text: String, isGuarded: Bool = false) -> [UInt8] {
    let text = isGuarded && isFormula(text) ? "'\(text)" : text
    let special = Array(",\"\r\n".utf8)
    guard text.utf8.contains(where: { special.contains($0) }) else { return Array(text.utf8) }
    let quote = UInt8(ascii: "\"")
    return [quote] + text.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
  }

  /// Whether a spreadsheet computes a cell with this text: it begins as a formula does, and is no number.
  private static func isFormula(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, "=+-@\t\r\n＝＋－＠".unicodeScalars.contains(first)
    else { return false }
    return text.wholeMatch(of: #/[+-]([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?/#) == nil
  }

  /// Text on one line of Markdown, without markup of its own and with every character visible.
  ///
  /// - Parameters:
  ///   - text: plain text; a line end becomes a space.
  ///   - startsLine: whether nothing stands before it on its line or in its list item, where dashes and numbers make lists.
  /// - Returns: the text with its signs of markup escaped.
  public static func markdown(_ text: some StringProtocol, startsLine: Bool = false) -> String {
    let scalars = Array(visible(text).unicodeScalars)
    var result = ""
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      case "\n", "\t", "\u{2028}", "\u{2029}": result += " "
      case "\\", "`", "*", "[", "]", "<", ">", "|", "&", "~", "$": result += "\\\(scalar)"
      // Within a word it is an ordinary character.
      case "_" where !isWord(scalars, index - 1) || !isWord(scalars, index + 1): result += "\\_"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return startsLine ? withoutBlockMark(result) : result
  }

  private static func isWord(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
    scalars.indices.contains(index)
      && (scalars[index].properties.isAlphabetic || scalars[index].properties.numericType != nil)
  }

  /// A line that begins no list, heading or block of code.
  private static func withoutBlockMark(_ line: String) -> String {
    let text = line.drop { $0 == " " }
    if let mark = text.unicodeScalars.first, "-+#=".unicodeScalars.contains(mark) {
      return "\\\(text)"
    }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let rest = text.dropFirst(digits.count)
    guard !digits.isEmpty, let mark = rest.unicodeScalars.first, mark == "." || mark == ")" else {
      return String(text)
    }
    return "\(digits)\\\(rest)"
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
