internal import ArgumentParser

/// The number of codes of each level, from a list such as `256,256,256,256`.
struct LevelSizes: Sendable, Equatable {
  /// Levels are numbered by one byte in the codebook shards; more than 64 has no use.
  static let largestCount = 64
  /// Codes are 16-bit numbers.
  static let largestSize = 65_536

  var values: [Int]

  init(_ values: [Int]) {
    self.values = values
  }

  /// Reads what the user wrote.
  ///
  /// - Throws: `ValidationError` that names the part that is wrong.
  init(parsing text: String) throws {
    values = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let size = Int(part), (1...Self.largestSize).contains(size) else {
        throw ValidationError(
          "'--codebooks' lists one size a level from 1 to \(Self.largestSize), not '\(part.prefix(40))'."
        )
      }
      values.append(size)
    }
    guard values.count <= Self.largestCount else {
      throw ValidationError(
        "'--codebooks' lists at most \(Self.largestCount) levels, not \(values.count).")
    }
  }
}

extension LevelSizes {
  /// The sizes with those above the number of items brought down to four items a code, which leaves codes to share.
  func shortened(itemCount: Int) -> LevelSizes {
    LevelSizes(
      values.map { $0 > itemCount ? max(min(4, itemCount), itemCount / 4) : $0 })
  }
}

extension LevelSizes: CustomStringConvertible {
  var description: String { values.map(String.init).joined(separator: ",") }
}
