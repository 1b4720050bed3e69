internal import Quantizers

extension AutoencoderTags {
  /// The most tags of a level; deeper categories with more are left out.
  static let largestCount = 4096

  /// Categories as tags: level by level the path from the broadest category on.
  ///
  /// Levels at which all items that have one share it say nothing and are left out, so that the first tag is the first
  /// difference. A tag is the whole path down to it. Nil where the categories tell nothing apart.
  ///
  /// - Parameters:
  ///   - categories: the path of each item, broadest first; may be empty.
  ///   - levelCount: the largest number of levels.
  init?(categories: [[String]], levelCount: Int) {
    var counts: [Int] = []
    var classes: [[Int32]] = []
    for depth in 1...max(1, categories.map(\.count).max() ?? 1) where counts.count < levelCount {
      var names: [[String]: Int32] = [:]
      let level = categories.map { path -> Int32 in
        guard path.count >= depth else { return -1 }
        let name = Array(path.prefix(depth))
        let number = names[name] ?? Int32(names.count)
        names[name] = number
        return number
      }
      guard (2...Self.largestCount).contains(names.count) else { continue }
      counts.append(names.count)
      classes.append(level)
    }
    guard !counts.isEmpty else { return nil }
    self.init(counts: counts, classes: classes)
  }
}
