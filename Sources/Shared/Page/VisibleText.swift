/// Text in which nothing is hidden and nothing turns the text around it.
///
/// Control characters but tabs and line ends become their pictures (U+2400 and after) or their number, as do the
/// characters that set the direction of text: marks (U+061C, U+200E, U+200F), embeddings and overrides (U+202A to U+202E)
/// and isolates (U+2066 to U+2069). A carriage return is a line end.
public func visible(_ text: some StringProtocol) -> String {
  guard text.unicodeScalars.contains(where: isHidden) else { return String(text) }
  var result = ""
  for scalar in text.unicodeScalars {
    guard isHidden(scalar) else {
      result.unicodeScalars.append(scalar)
      continue
    }
    switch scalar.value {
    case 0x0D: result += "\n"
    case 0x7F: result += "\u{2421}"
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value).map { result.unicodeScalars.append($0) }
    default:
      let digits = String(scalar.value, radix: 16, uppercase: true)
      result += "⟨U+\(String(repeating: "0", count: 4 - digits.count))\(digits)⟩"
    }
  }
  return result
}

/// Whether a character cannot be seen, or changes how others are seen.
private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x09, 0x0A: false
  case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
  default: false
  }
}
