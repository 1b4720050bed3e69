/// The names under which columns and fields are found where the options name none; one list for all files.
///
/// Exact names come first; then names count as equal that differ in case, spaces and signs alone.
enum UsualNames {
  static let user = [
    "user_id", "user", "userid", "userId", "uid", "reviewerID", "visitorid", "customer_id",
  ]
  static let item = [
    "item_id", "item", "itemid", "itemId", "iid", "parent_asin", "asin", "movieId", "business_id",
    "product_id",
  ]
  static let time = [
    "timestamp", "time", "unixReviewTime", "sort_timestamp", "event_time", "ts", "date",
  ]
  static let rating = ["rating", "overall", "stars", "score"]
  static let event = ["event_type", "event", "action", "behavior", "type"]
  static let title = [
    "title", "name", "item_name", "product_name", "movie_title", "product_title", "item_title",
    "book_title",
  ]
  static let categories = [
    "categories", "category", "genres", "genre", "class", "main_category", "category_name",
    "categoryName", "tags",
  ]
  static let description = [
    "description", "text", "desc", "item_description", "product_description", "details", "summary",
    "overview", "plot", "features", "abstract", "content",
  ]

  /// A name without the type after its colon, as RecBole writes it.
  static func withoutType(_ name: String) -> String {
    name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      .first.map(String.init) ?? name
  }

  /// A name in lower case without spaces and signs.
  static func plain(_ name: String) -> String {
    String(name.lowercased().filter { $0.isLetter || $0.isNumber })
  }
}
