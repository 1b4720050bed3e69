internal import ShardIO

/// Makes the text of an item from its fields, for example `{title}. {categories}. {description}`.
///
/// Where a field is empty, the literal text after it is left out too.
struct TextTemplate: Sendable, Equatable {
  /// The template used when the user gives none.
  static let usual = "{title}. {categories}. {description}"

  private var opening = ""
  private var parts: [Part] = []

  private struct Part: Sendable, Equatable {
    var field: String
    var literal: String
  }

  /// The names of the fields, in order.
  var fields: [String] { parts.map(\.field) }

  /// Parses a template.
  ///
  /// - Throws: ``PipelineError`` `.usage` if a brace is not closed or encloses nothing.
  init(_ text: String) throws(PipelineError) {
    var rest = text[...]
    opening = String(rest.prefix { $0 != "{" })
    rest = rest.dropFirst(opening.count)
    while !rest.isEmpty {
      let name = rest.dropFirst().prefix { $0 != "}" }
      guard rest.count > name.count + 1, !name.isEmpty, !name.contains("{") else {
        throw PipelineError(
          .usage, "the text template \(quoted(text)) has a brace that encloses no field",
          note: "write fields as {title}")
      }
      rest = rest.dropFirst(name.count + 2)
      let literal = rest.prefix { $0 != "{" }
      parts.append(Part(field: String(name), literal: String(literal)))
      rest = rest.dropFirst(literal.count)
    }
  }

  /// The text of an item; `value` gives the text of a field, empty if the item has none.
  func text(_ value: (String) -> String) -> String {
    var result = opening
    var pending = ""
    for part in parts {
      let content = value(part.field)
      if content.isEmpty { continue }
      result += pending + content
      pending = part.literal
    }
    // The literal after the last field that is there ends the text, if it is more than a separator.
    return result + (pending.hasSuffix(" ") ? "" : pending)
  }
}
