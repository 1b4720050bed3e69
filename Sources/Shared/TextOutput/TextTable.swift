internal import Page

/// A small table for people: the first column is text, the others are numbers.
public struct TextTable {
  /// The names of the columns.
  public let header: [String]
  /// As many cells a row as there are columns.
  public var rows: [[String]]

  /// Creates a table.
  public init(header: [String], rows: [[String]] = []) {
    self.header = header
    self.rows = rows
  }

  /// Aligned columns, one line a row.
  public var plain: String {
    let lines = ([header] + rows).map { row in
      row.map { visible($0).replacing("\n", with: " ").replacing("\t", with: " ") }
    }
    let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { row in
      row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 ? row[column] + padding : padding + row[column]
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// The table in Markdown; cells are plain text and are escaped.
  public var markdown: String {
    let rule = ["---"] + header.dropFirst().map { _ in "---:" }
    let lines = ([header] + rows).map { row in row.map { TextField.markdown($0) } }
    return ([lines[0], rule] + lines.dropFirst()).map { row in
      "| \(row.joined(separator: " | ")) |"
    }.joined(separator: "\n")
  }
}
