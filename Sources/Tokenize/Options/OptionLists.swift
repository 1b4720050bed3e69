internal import ArgumentParser
internal import CommandSupport
internal import ShardIO

/// The value of an option that is a list: with commas on the command line, an array in a manifest.
protocol OptionList: CustomStringConvertible {
  associatedtype Member: LosslessStringConvertible

  var values: [Member] { get }

  /// Reads what the user wrote.
  ///
  /// - Throws: `ValidationError` that names the part that is wrong.
  init(parsing text: String) throws
}

extension OptionList {
  var description: String { values.map(\.description).joined(separator: ",") }
}

extension OptionField {
  /// A list; what a manifest has is read as the command line is.
  static func list<List: OptionList>(
    _ key: String, _ path: WritableKeyPath<Options, List>
  ) -> OptionField {
    OptionField(
      key,
      read: { options in
        .array(
          options[keyPath: path].values.map { member in
            Int64(member.description).map { .integer($0) } ?? .string(member.description)
          })
      },
      write: { options, value in
        let members = (value.arrayValue ?? []).map { member in
          member.stringValue ?? member.integerValue.map(String.init) ?? ""
        }
        guard let list = try? List(parsing: members.joined(separator: ",")) else { return false }
        options[keyPath: path] = list
        return true
      })
  }
}

/// The number of codes of each level, from a list such as `256,256,256,256`.
struct LevelSizes: OptionList, Sendable, Equatable {
  /// Levels are numbered by one byte in the codebook shards; more than 64 has no use.
  static let largestCount = 64
  /// Codes are 16-bit numbers.
  static let largestSize = 65_536

  var values: [Int]

  init(_ values: [Int]) {
    self.values = values
  }

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

  /// The sizes with those above the number of items brought down to four items a code, which leaves codes to share.
  func shortened(itemCount: Int) -> LevelSizes {
    LevelSizes(
      values.map { $0 > itemCount ? max(min(4, itemCount), itemCount / 4) : $0 })
  }
}

/// The distance of each level, from a list such as `cosine,cosine,l2`.
struct LevelDistances: OptionList, Sendable, Equatable {
  var values: [CodeDistance]

  init(_ values: [CodeDistance]) {
    self.values = values
  }

  init(parsing text: String) throws {
    values = try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let distance = CodeDistance(rawValue: String(part)) else {
        throw ValidationError("'--distance' lists l2 or cosine, not '\(part.prefix(40))'.")
      }
      return distance
    }
  }
}

extension CodeDistance: LosslessStringConvertible {
  init?(_ description: String) { self.init(rawValue: description) }
  var description: String { rawValue }
}

/// The widths of layers, from a list such as `512,256`.
struct LayerWidths: OptionList, Sendable, Equatable {
  var values: [Int]

  init(_ values: [Int]) {
    self.values = values
  }

  init(parsing text: String) throws {
    values = try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let width = Int(part), (1...65_536).contains(width) else {
        throw ValidationError("'--hidden' lists widths from 1 to 65536, not '\(part.prefix(40))'.")
      }
      return width
    }
  }
}
