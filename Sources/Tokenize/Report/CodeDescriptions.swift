internal import Dataset
internal import Foundation

/// What a code means, said with the words and categories of its items.
struct CodeDescription: Sendable, Equatable {
  var code: Int
  var usage: Int
  /// The words that tell the code's items from the others, best first.
  var words: [String]
  /// The most frequent most specific category, and its share of the code's items with categories; empty for none.
  var category: String
  var categoryShare: Double
}

/// The words of a sample of the items, for descriptions of codes.
struct CodeDescriptions {
  /// The items whose words are counted, ascending.
  private let items: [Int]
  /// The different words of each of them, by number.
  private let words: [[Int]]
  private let names: [String]
  /// The number of sampled items with each word.
  private let counts: [Int]
  private let catalogue: Catalogue

  /// More items than this say nothing new.
  private static let sampleLimit = 50_000
  /// Words of an item that are looked at.
  private static let wordLimit = 48

  /// Counts the words of titles, and of texts where an item has no title.
  init(_ catalogue: Catalogue) {
    self.catalogue = catalogue
    let count = min(catalogue.count, Self.sampleLimit)
    items = (0..<count).map { $0 * catalogue.count / max(1, count) }
    var numbers: [String: Int] = [:]
    var names: [String] = []
    var counts: [Int] = []
    words = items.map { item in
      let title = catalogue.titles[item]
      var seen: Set<Int> = []
      let found = splitWords(title.isEmpty ? catalogue.texts[item] : title).prefix(Self.wordLimit)
        .map { word -> Int in
          let number = numbers[word] ?? names.count
          if number == names.count {
            numbers[word] = number
            names.append(word)
            counts.append(0)
          }
          return number
        }.filter { seen.insert($0).inserted }
      for word in found { counts[word] += 1 }
      return found
    }
    self.names = names
    self.counts = counts
  }

  /// Describes the codes of a level that some item has, most used first.
  ///
  /// - Parameters:
  ///   - items: the codes of all items.
  ///   - level: the level.
  ///   - limit: the largest number of descriptions.
  /// - Returns: codes by falling use, then by number.
  func describe(_ items: TokenizedItems, level: Int, limit: Int) -> [CodeDescription] {
    let levelCount = items.levelSizes.count
    var members = [[Int]](repeating: [], count: items.levelSizes[level])
    for (place, item) in self.items.enumerated() {
      members[Int(items.codes[item * levelCount + level])].append(place)
    }
    var usage = [Int](repeating: 0, count: items.levelSizes[level])
    for index in stride(from: level, to: items.codes.count, by: levelCount) {
      usage[Int(items.codes[index])] += 1
    }
    let order = usage.indices.filter { usage[$0] > 0 }
      .sorted { (-usage[$0], $0) < (-usage[$1], $1) }.prefix(limit)
    return order.map { code in
      let (category, share) = mainCategory(members[code])
      return CodeDescription(
        code: code, usage: usage[code], words: typicalWords(members[code]), category: category,
        categoryShare: share)
    }
  }

  /// Five words by share · ln(share / share of all items), a word's part of the divergence of the code from the catalogue.
  private func typicalWords(_ places: [Int]) -> [String] {
    var own: [Int: Int] = [:]
    for place in places { for word in words[place] { own[word, default: 0] += 1 } }
    let least = places.count > 3 ? 2 : 1
    let scored = own.compactMap { word, count -> (score: Double, name: String)? in
      guard count >= least else { return nil }
      let share = Double(count) / Double(places.count)
      let everywhere = Double(counts[word]) / Double(items.count)
      return (share * log(share / everywhere), names[word])
    }
    return scored.sorted { (-$0.score, $0.name) < (-$1.score, $1.name) }.prefix(5).map(\.name)
  }

  private func mainCategory(_ places: [Int]) -> (String, Double) {
    let found = places.compactMap { catalogue.categories[items[$0]].last }
    let frequencies = Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +)
    let best = frequencies.min { (-$0.value, $0.key) < (-$1.value, $1.key) }
    return (best?.key ?? "", Double(best?.value ?? 0) / Double(max(1, found.count)))
  }
}

/// Words in lower case: runs of at least three letters and digits with at least one letter.
func splitWords(_ text: String) -> [String] {
  var words: [String] = []
  var word = ""
  for character in text.lowercased() + " " {
    if character.isLetter || character.isNumber {
      word.append(character)
      continue
    }
    if word.count >= 3, word.contains(where: \.isLetter) { words.append(word) }
    word = ""
  }
  return words
}
