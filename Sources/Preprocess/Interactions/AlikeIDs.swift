internal import Foundation
internal import ShardIO
internal import TextInput

/// Ids that differ from others in case, spaces or Unicode form alone.
struct AlikeIDs {
  /// The groups of such ids.
  private(set) var groupCount = 0
  /// Two ids of each of the first groups.
  private(set) var examples: [(String, String)] = []

  private static let exampleCount = 3

  /// Compares ids.
  init(_ ids: SortedIdentifiers) {
    // Most ids are plain, so only the others are looked at.
    var others: [(hash: UInt64, number: UInt32)] = []
    for number in 0..<UInt32(ids.count) where !Self.isPlain(ids[number]) {
      let form = Self.plainForm(ids[number])
      others.append((shortHash(form.span), number))
    }
    others.sort { ($0.hash, $0.number) < ($1.hash, $1.number) }
    var start = 0
    while start < others.count {
      var end = start + 1
      while end < others.count, others[end].hash == others[start].hash { end += 1 }
      let first = others[start].number
      let form = Self.plainForm(ids[first])
      let plain = form.elementsEqual(ids[first]) ? nil : ids.find(form)
      if let other = plain ?? (end - start > 1 ? others[start + 1].number : nil) {
        groupCount += 1
        if examples.count < Self.exampleCount {
          examples.append((ids.text(first), ids.text(other)))
        }
      }
      start = end
    }
  }

  /// What to tell the user about ids of a kind, `user` or `item`; nil if there are no such ids.
  func warning(_ what: String) -> String? {
    guard groupCount > 0 else { return nil }
    let shown = examples.map { "\(quoted($0.0)) and \(quoted($0.1))" }.joined(separator: ", ")
    return """
      \(what) ids that differ in case, spaces or Unicode form alone, taken as different ones: \(groupCount), for example \
      \(shown).
      """
  }

  /// Whether an id is ASCII without capitals and spaces, and so its own plain form.
  private static func isPlain(_ id: ArraySlice<UInt8>) -> Bool {
    id.allSatisfy { $0 > 0x20 && $0 < 0x7F && !(0x41...0x5A).contains($0) }
  }

  /// An id in lower case and composed form, without spaces at its ends and with single ones within.
  private static func plainForm(_ id: ArraySlice<UInt8>) -> [UInt8] {
    if id.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
      return id.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }
    let text = String(decoding: id, as: UTF8.self).precomposedStringWithCanonicalMapping
    let words = text.lowercased().split { character in
      character.isWhitespace || character == "\u{200B}" || character == "\u{FEFF}"
    }
    return Array(words.joined(separator: " ").utf8)
  }
}
