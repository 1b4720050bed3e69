internal import Numerics

// N items, M levels, K codes of a level.

extension TokenizedItems {
  /// Renames the codes of each level so that as many items as possible keep the code they had.
  ///
  /// Level by level a permutation is chosen by maximum matching. An item counts first of all where its codes at the
  /// levels before already agree, so that whole prefixes stay; other items only break ties. Levels that the earlier
  /// run did not have keep their names.
  ///
  /// - Parameters:
  ///   - previous: the codes of the earlier run, `levelCount` an item.
  ///   - levelCount: the number of levels of the earlier run.
  ///   - rows: the row of each item in the earlier run; nil for new items.
  mutating func align(to previous: [UInt16], levelCount: Int, rows: [Int?]) {
    let ownLevelCount = levelSizes.count
    var agrees = rows.map { $0 != nil }
    let sharedCount = agrees.count { $0 }
    for level in 0..<min(ownLevelCount, levelCount) {
      var weights: [Assignment.Pair: Int] = [:]
      for (item, row) in rows.enumerated() {
        guard let row else { continue }
        let old = Int(previous[row * levelCount + level])
        guard old < levelSizes[level] else { continue }
        let pair = Assignment.Pair(row: Int(codes[item * ownLevelCount + level]), column: old)
        weights[pair, default: 0] += agrees[item] ? sharedCount + 1 : 1
      }
      rename(level, Assignment(count: levelSizes[level], weights: weights).columns)
      for (item, row) in rows.enumerated() where agrees[item] {
        guard let row else { continue }
        agrees[item] =
          codes[item * ownLevelCount + level] == previous[row * levelCount + level]
      }
    }
  }

  /// Gives the codes of a level new names, a permutation.
  private mutating func rename(_ level: Int, _ names: [Int]) {
    for item in stride(from: level, to: codes.count, by: levelSizes.count) {
      codes[item] = UInt16(names[Int(codes[item])])
    }
    codebooks[level] = codebooks[level].renamed(names)
    if let network, let codebook = network.codebook(level: level) {
      self.network?.codebooks[level - network.firstLevel] = codebook.renamed(names)
    }
  }
}

extension Matrix {
  /// Row `i` becomes row `names[i]`, a permutation.
  fileprivate func renamed(_ names: [Int]) -> Matrix {
    var renamed = self
    for (row, name) in names.enumerated() {
      renamed.values.replaceSubrange(name * columns..<(name + 1) * columns, with: self[row: row])
    }
    return renamed
  }
}
