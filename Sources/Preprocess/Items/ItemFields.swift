internal import ShardIO
internal import TextInput

/// The columns of a delimited item file.
struct DelimitedItemFields {
  /// The number of columns.
  let count: Int
  /// The column of the item id.
  let id: Int?
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
    id = Self.find(settings.idField.map { [$0] } ?? UsualNames.item, exact, plain)
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

/// The members of a JSON object that describes an item.
struct JSONItemFields {
  private let members: [(name: String, value: JSONValue)]

  init(_ node: JSONValue) {
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
    let plain = Set(names.map(UsualNames.plain))
    return members.first { plain.contains(UsualNames.plain($0.name)) }
  }
}
