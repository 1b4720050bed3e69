internal import ShardIO
internal import TextInput

/// The columns of a delimited item file.
struct DelimitedItemFields {
  /// The number of columns.
  let count: Int
  /// The column of the item id.
  let id: Int?
  /// The column of the title.
  let title: Int?
  /// The column of the categories.
  let categories: Int?
  /// The column of each field of the text template that is there.
  let texts: [String: Int]
  private let exact: [String: Int]
  private let plain: [String: Int]
  private let isSequence: [Bool]

  init(_ header: [String], _ settings: ItemSettings) {
    count = header.count
    let names = header.map(UsualNames.withoutType)
    let indices = header.indices.map { $0 }
    exact = Dictionary(zip(names + header, indices + indices)) { first, _ in first }
    plain = Dictionary(zip(names.map(UsualNames.plain), indices)) { first, _ in first }
    isSequence = header.map { $0.hasSuffix(":token_seq") }
    // Looked up once, not for each item.
    let (exact, plain) = (exact, plain)
    func find(_ names: [String]) -> Int? { Self.find(names, exact, plain) }
    id = find(settings.idField.map { [$0] } ?? UsualNames.item)
    title = find(settings.names(of: .title))
    categories = find(settings.names(of: .categories))
    texts = Dictionary(
      settings.template.fields.compactMap { name in
        find(settings.namesInText(name)).map { (name, $0) }
      }
    ) { first, _ in first }
  }

  /// The column of the first of some names that is there.
  func find(_ names: [String]) -> Int? { Self.find(names, exact, plain) }

  private static func find(
    _ names: [String], _ exact: [String: Int], _ plain: [String: Int]
  ) -> Int? {
    names.lazy.compactMap { exact[$0] }.first
      ?? names.lazy.compactMap { plain[UsualNames.plain($0)] }.first
  }

  /// The parts of a field that holds several: parted by `|`, or by spaces in RecBole's sequences that have none.
  func list(_ field: String, at column: Int) -> [String] {
    let hasSpaces = isSequence[column] && !field.contains("|")
    return field.split(separator: hasSpaces ? " " : "|").map(String.init)
  }
}

/// The plain forms of names that come again with every item.
final class PlainNames {
  private static let limit = 4096
  private var forms: [String: String] = [:]

  /// ``UsualNames/plain(_:)``, remembered.
  func plain(_ name: String) -> String {
    if let form = forms[name] { return form }
    let form = UsualNames.plain(name)
    if forms.count < Self.limit { forms[name] = form }
    return form
  }
}

/// The members of a JSON object that describes an item.
struct JSONItemFields {
  private let members: [(name: String, value: JSONValue)]
  private let plainNames: PlainNames

  init(_ node: JSONValue, _ plainNames: PlainNames) {
    self.plainNames = plainNames
    if case .object(let members) = node {
      // In a fixed order: two names may be plain spellings of one.
      self.members = members.filter { $0.value != .null }.sorted { $0.key < $1.key }
        .map { ($0.key, $0.value) }
    } else {
      members = []
    }
  }

  /// The names of the members.
  var names: [String] { members.map(\.name) }

  /// The first of some names that is there.
  func find(_ names: [String]) -> (name: String, value: JSONValue)? {
    for name in names {
      if let member = members.last(where: { $0.name == name }) { return member }
    }
    let plain = Set(names.map(plainNames.plain))
    return members.first { plain.contains(plainNames.plain($0.name)) }
  }
}
