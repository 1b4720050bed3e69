import Dataset
import TextInput
import TextOutput

/// The bytes of recommendations.
struct RecommendationEncoding: Sendable {
  let format: RecommendationFormat
  let compression: OutputCompression
  /// Whether no CSV field may be a formula.
  private let isGuarded: Bool
  /// The name of what a list is for, and of what is in it.
  private let subject: String
  private let object: String
  private let itemFields: [[UInt8]]
  private let titleFields: [[UInt8]]
  /// The items that are marked as new, and the others as not; nil for no marks.
  private let newItems: Range<Int>?

  /// Prepares the fields of all items.
  init(
    format: RecommendationFormat, compression: OutputCompression, isGuarded: Bool = false,
    catalogue: Catalogue, hasTitles: Bool, newItems: Range<Int>? = nil, subject: String = "user_id",
    object: String = "item_id"
  ) {
    self.newItems = newItems
    self.format = format
    self.compression = compression
    self.isGuarded = isGuarded
    self.subject = subject
    self.object = object
    itemFields = catalogue.itemIDs.map { format.field($0, isGuarded: isGuarded) }
    titleFields = hasTitles ? catalogue.titles.map { format.field($0, isGuarded: isGuarded) } : []
  }

  /// What follows the dot in the name of the output file.
  var fileExtension: String { format.rawValue + compression.fileExtension }

  /// What stands before the first user.
  var header: [UInt8] {
    guard format != .jsonl else { return [] }
    return Array((columns.map(\.name).joined(separator: ",") + "\n").utf8)
  }

  /// The columns of a row, with their types in SQL.
  private var columns: [(name: String, type: String)] {
    [(subject, "varchar"), ("rank", "integer"), (object, "varchar"), ("score", "float")]
      + (titleFields.isEmpty ? [] : [("title", "varchar")])
      + (newItems == nil ? [] : [("is_new", "boolean")])
  }

  /// What makes duckdb write the rows of a CSV file as a Parquet file.
  var parquetStatement: String {
    let types = columns.map { "\(DuckDB.literal($0.name)): '\($0.type)'" }.joined(separator: ", ")
    return """
      set enable_progress_bar = false;
      copy (select * from read_csv('/dev/stdin', header = true, auto_detect = false, delim = ',', quote = '"', \
      escape = '"', columns = {\(types)})) to '/dev/stdout' (format parquet, compression zstd)
      """
  }

  /// Appends the list of one user.
  ///
  /// - Parameters:
  ///   - user: the id.
  ///   - items: the list, best first.
  ///   - scores: its scores; empty for a list that no model made.
  ///   - bytes: what is appended to.
  func append(user: String, items: [UInt32], scores: [Float], to bytes: inout [UInt8]) {
    let user = format.field(user, isGuarded: isGuarded)
    if format == .jsonl {
      bytes += "{\"\(subject)\":".utf8
      bytes += user
      bytes += ",\"items\":[".utf8
    }
    for (place, item) in items.enumerated() {
      let score = scores.isEmpty ? nil : scores[place]
      switch format {
      case .csv, .parquet: appendRow(user, place, Int(item), score, to: &bytes)
      case .jsonl: appendObject(place, Int(item), score, to: &bytes)
      }
    }
    if format == .jsonl { bytes += "]}\n".utf8 }
  }

  private func appendRow(
    _ user: [UInt8], _ place: Int, _ item: Int, _ score: Float?, to bytes: inout [UInt8]
  ) {
    bytes += user
    bytes += ",\(place + 1),".utf8
    bytes += itemFields[item]
    bytes += ",".utf8
    if let score { bytes += "\(score)".utf8 }
    if !titleFields.isEmpty {
      bytes += ",".utf8
      bytes += titleFields[item]
    }
    if let newItems { bytes += ",\(newItems.contains(item))".utf8 }
    bytes += "\n".utf8
  }

  private func appendObject(
    _ place: Int, _ item: Int, _ score: Float?, to bytes: inout [UInt8]
  ) {
    bytes += "\(place == 0 ? "" : ","){\"\(object)\":".utf8
    bytes += itemFields[item]
    bytes += ",\"score\":\(score.map { "\($0)" } ?? "null")".utf8
    if !titleFields.isEmpty {
      bytes += ",\"title\":".utf8
      bytes += titleFields[item]
    }
    if let newItems { bytes += ",\"is_new\":\(newItems.contains(item))".utf8 }
    bytes += "}".utf8
  }
}
