internal import Foundation

/// Text made safe for HTML and SVG, in elements and in quoted attributes, with every character visible.
///
/// - Parameters:
///   - text: plain text.
///   - limit: characters after which it is cut.
/// - Returns: markup.
public func escaped(_ text: some StringProtocol, limit: Int = .max) -> String {
  var result = ""
  // By scalars: a sign of markup stays one with an accent behind it, though they are one character.
  for scalar in visible(text.prefix(limit)).unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return limit < .max && text.count > limit ? result + "…" : result
}

/// A number with a fixed count of decimals, with a point in every locale.
public func decimal(_ value: Double, _ places: Int) -> String {
  String(format: "%.\(places)f", value)
}

/// A number with at most so many digits that count, without zeros at its end.
public func significant(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)g", value)
}

/// A difference with four decimals and its sign.
public func signed(_ value: Double) -> String { (value < 0 ? "−" : "+") + decimal(abs(value), 4) }

/// A whole number in groups of three digits.
public func grouped(_ value: Int64) -> String {
  let digits = String(value.magnitude)
  var parts: [Substring] = []
  var end = digits.endIndex
  while end > digits.startIndex {
    let start = digits.index(end, offsetBy: -3, limitedBy: digits.startIndex) ?? digits.startIndex
    parts.insert(digits[start..<end], at: 0)
    end = start
  }
  return (value < 0 ? "-" : "") + parts.joined(separator: ",")
}

/// A coordinate with at most one decimal.
func coordinate(_ value: Double) -> String {
  let text = decimal(value, 1)
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// An HTML table in a box that scrolls sideways on a narrow screen.
///
/// - Parameters:
///   - header: plain text; the first column is left-aligned, the others are numbers unless `isText`.
///   - rows: cells as markup.
///   - isText: whether all columns are text.
/// - Returns: the markup.
public func htmlTable(header: [String], rows: [[String]], isText: Bool = false) -> String {
  let head = header.map { "<th>\(escaped($0))</th>" }.joined()
  let body = rows.map { row in
    let cells = row.enumerated().map { index, cell in
      index == 0 ? "<th scope=\"row\">\(cell)</th>" : "<td>\(cell)</td>"
    }
    return "<tr>\(cells.joined())</tr>"
  }
  let style = isText ? " class=\"text\"" : ""
  return """
    <div class="scroll"><table\(style)><thead><tr>\(head)</tr></thead>
    <tbody>
    \(body.joined(separator: "\n"))
    </tbody></table></div>
    """
}

/// Markup behind a line that opens it, without a script.
///
/// - Parameters:
///   - summary: the line, plain text.
///   - isOpen: whether it is open at first.
///   - content: markup.
/// - Returns: the markup.
public func folded(_ summary: String, isOpen: Bool = false, _ content: String) -> String {
  """
  <details\(isOpen ? " open" : "")><summary>\(escaped(summary))</summary>
  \(content)
  </details>
  """
}
