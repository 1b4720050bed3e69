internal import TextInput

/// What an item file says about its items.
struct ItemTable: Sendable {
  var ids = IdentifierTable()
  var titles: [String] = []
  var categories: [[String]] = []
  var texts: [String] = []
  /// Rows whose id had been seen before; the first row of an id counts.
  var repeatedCount = 0
  /// The fields of the file that were found for each role.
  var fields: [ItemRole: Set<String>] = [:]
  /// The fields of the file that are in no text.
  var unusedNames: Set<String> = []
  /// What is left of what the items might take.
  var budget = MemoryBudget()

  var count: Int { ids.count }
}

/// What a field says about an item.
enum ItemRole: String, Sendable, CaseIterable {
  case title, categories, description
}

/// How an item file is to be read.
struct ItemSettings: Sendable {
  var idField: String?
  var titleField: String?
  var categoriesField: String?
  var template: TextTemplate
  var skipsBadRows = false
  /// Fields that the user named; some item must have each.
  var namedFields: [String] = []
  /// What the items may take.
  var budget = MemoryBudget()

  /// The names that a role is looked for under.
  func names(of role: ItemRole) -> [String] {
    switch role {
    case .title: titleField.map { [$0] } ?? UsualNames.title
    case .categories: categoriesField.map { [$0] } ?? UsualNames.categories
    case .description: UsualNames.description
    }
  }

  /// The roles with their names.
  var roles: [(role: ItemRole, names: [String])] {
    ItemRole.allCases.map { ($0, names(of: $0)) }
  }

  /// The names of a field of the text: the role of that name, or the field alone.
  func namesInText(_ field: String) -> [String] {
    guard let role = ItemRole(rawValue: field) else { return [field] }
    let names = names(of: role)
    // A field that the user named stands for its role.
    return names.count == 1 ? names : [field] + names
  }
}
