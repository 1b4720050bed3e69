internal import TextInput

/// What an item file says about its items.
struct ItemTable: Sendable {
  var ids = IdentifierTable()
  var titles: [String] = []
  var categories: [[String]] = []
  var texts: [String] = []
  /// Rows whose id had been seen before; the first row of an id counts.
  var repeatedCount = 0

  var count: Int { ids.count }
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

  /// The usual names of the fields.
  static let titleNames = ["title", "name", "item_name", "movie_title"]
  static let categoryNames = ["categories", "category", "genres", "class", "main_category"]
}
