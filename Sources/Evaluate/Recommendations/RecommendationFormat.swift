import ArgumentParser
import TextOutput

/// How recommendations are written.
enum RecommendationFormat: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// A header and one line a recommendation: user_id, rank, item_id, score (RFC 4180).
  case csv
  /// One JSON object a user.
  case jsonl
  /// The rows of ``csv`` as a Parquet file, which the program duckdb writes.
  case parquet

  /// Text as one field: a CSV field in quotes where it needs them, or a JSON string.
  ///
  /// - Parameters:
  ///   - text: the text.
  ///   - isGuarded: whether a CSV field must not be a formula.
  /// - Returns: the bytes of the field.
  func field(_ text: String, isGuarded: Bool = false) -> [UInt8] {
    switch self {
    case .csv, .parquet: TextField.csv(text, isGuarded: isGuarded)
    case .jsonl: TextField.json(text)
    }
  }
}
