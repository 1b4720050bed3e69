import Dataset

/// The first code of an item in words: the most frequent category among the items that have it.
struct CodeWords {
  private let codes: ItemCodes
  private let words: [String]

  /// Finds the words of all first-level codes; of equally frequent categories the first in the alphabet.
  init(_ codes: ItemCodes, _ catalogue: Catalogue) {
    self.codes = codes
    var counts = [[String: Int]](repeating: [:], count: codes.levelSizes[0])
    for item in 0..<codes.count {
      guard let category = catalogue.categories[item].last else { continue }
      counts[Int(codes.codes[item * codes.levelCount])][category, default: 0] += 1
    }
    words = counts.map { found in
      found.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
    }
  }

  /// The words of an item's first code; empty where the items have no categories.
  func text(of item: Int) -> String { words[Int(codes.codes[item * codes.levelCount])] }
}
