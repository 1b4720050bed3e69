internal import CKernels
package import Numerics

/// The 1-based mid-rank of one target a user over the whole catalogue minus the user's excluded items.
///
/// The rank is 1 + (number of greater scores) + (number of equal scores of other items) / 2. A target whose score is
/// not a number is ranked last, at `items.rows`.
///
/// - Parameters:
///   - users: `[U, w]`.
///   - items: `[I, w]`; the score is the inner product.
///   - targets: `[U]`; a target is ranked even when it is among the excluded items.
///   - offsets: `[U + 1]`, where the excluded items of each user begin and end.
///   - excluded: the excluded items, in any order, repeats allowed.
///   - precision: of the products that screen the items, nil for the faster one; the result does not depend on it.
///   - threads: threads to use; the result does not depend on it.
/// - Returns: ranks, `[U]`.
/// - Precondition: all shapes agree and every item is below `I`.
package func catalogueMidRanks(
  users: Matrix, items: Matrix, targets: [UInt32], offsets: [Int], excluded: [UInt32],
  precision: ProductPrecision? = nil, threads: Int
) -> [Double] {
  precondition(users.columns == items.columns, "users and items live in one space")
  precondition(targets.count == users.rows && offsets.count == users.rows + 1, "one target a user")
  precondition(targets.allSatisfy { $0 < items.rows } && excluded.allSatisfy { $0 < items.rows })
  var ranks = [Double](repeating: 0, count: users.rows)
  unsafe users.values.withUnsafeBufferPointer { userValues in
    unsafe items.values.withUnsafeBufferPointer { itemValues in
      unsafe ranks.withUnsafeMutableBufferPointer { output in
        guard let first = userValues.baseAddress, let vectors = itemValues.baseAddress,
          let output = output.baseAddress
        else { return }
        let tiles = unsafe CatalogueTiles(
          users: first, userCount: users.rows, items: vectors, itemCount: items.rows,
          width: items.columns, precision: precision, threads: threads)
        nonisolated(unsafe) let target = unsafe output
        let blocks = tiles.blocks(threads: threads)
        parallelFor(blocks.count, threads: threads) { index in
          let walk = ExclusionWalk(of: blocks[index], offsets: offsets, items: excluded)
          unsafe midRanks(of: blocks[index], in: tiles, targets: targets, walk, into: target)
        }
      }
    }
  }
  return ranks
}

/// The mid-ranks of one block of users.
private func midRanks(
  of range: Range<Int>, in tiles: CatalogueTiles, targets: [UInt32], _ exclusions: ExclusionWalk,
  into ranks: UnsafeMutablePointer<Double>
) {
  var exclusions = exclusions
  let block = tiles.block(range)
  let catalogue = unsafe tiles.catalogue
  var found = unsafe block.members.indices.map { row in
    let vector = unsafe catalogue.vectors + Int(targets[range.lowerBound + row]) * tiles.width
    let score = unsafe h2rec_dot(block.members[row].vector, vector, tiles.width)
    return h2rec_rank(target: score, above: 0, equal: 0, checked: 1)
  }
  unsafe tiles.forEachTile(of: block) { tile, scores in
    unsafe exclusions.mark(tile, in: scores)
    for row in found.indices {
      let line = unsafe scores + row * CatalogueTiles.tileItems
      let target = Int(targets[range.lowerBound + row])
      if tile.contains(target) { unsafe line[target - tile.lowerBound] = .nan }
      unsafe h2rec_rank_tile(
        catalogue, tile.lowerBound, tile.count, line, block.members[row], &found[row])
    }
  }
  for (row, found) in found.enumerated() {
    let rank = 1 + Double(found.above) + Double(found.equal) / 2
    unsafe ranks[range.lowerBound + row] = found.target.isNaN ? Double(tiles.itemCount) : rank
  }
  ArithmeticCounter.add(2 * tiles.width * found.reduce(0) { $0 + $1.checked })
}

/// The best items of each user over the whole catalogue minus the user's excluded items.
///
/// Best first; equal scores by smaller item. Scores that are not numbers are never among them.
///
/// - Parameters:
///   - users: `[U, w]`.
///   - items: `[I, w]`; the score is the inner product.
///   - count: the number of items wanted for each user.
///   - offsets: `[U + 1]`, where the excluded items of each user begin and end.
///   - excluded: the excluded items, in any order, repeats allowed.
///   - precision: of the products that screen the items, nil for the faster one; the result does not depend on it.
///   - threads: threads to use; the result does not depend on it.
/// - Returns: items and scores `[U, count]`, and how many places of each row are filled.
/// - Precondition: all shapes agree and every item is below `I`.
package func catalogueTop(
  users: Matrix, items: Matrix, count: Int, offsets: [Int], excluded: [UInt32],
  precision: ProductPrecision? = nil, threads: Int
) -> (items: [UInt32], scores: [Float], filled: [Int]) {
  precondition(users.columns == items.columns, "users and items live in one space")
  precondition(offsets.count == users.rows + 1 && excluded.allSatisfy { $0 < items.rows })
  guard count > 0 else { return ([], [], [Int](repeating: 0, count: users.rows)) }
  var bestItems = [UInt32](repeating: .max, count: users.rows * count)
  var bestScores = [Float](repeating: -.infinity, count: users.rows * count)
  var filled = [Int](repeating: 0, count: users.rows)
  unsafe users.values.withUnsafeBufferPointer { userValues in
    unsafe items.values.withUnsafeBufferPointer { itemValues in
      unsafe bestItems.withUnsafeMutableBufferPointer { itemOutput in
        unsafe bestScores.withUnsafeMutableBufferPointer { scoreOutput in
          unsafe filled.withUnsafeMutableBufferPointer { filledOutput in
            guard let first = userValues.baseAddress,
              let vectors = itemValues.baseAddress,
              let items = itemOutput.baseAddress,
              let scores = scoreOutput.baseAddress,
              let filled = filledOutput.baseAddress
            else { return }
            let tiles = unsafe CatalogueTiles(
              users: first, userCount: users.rows, items: vectors,
              itemCount: itemValues.count / max(1, users.columns), width: users.columns,
              precision: precision, threads: threads)
            let list = unsafe TopLists(
              capacity: count, items: items, scores: scores, filled: filled)
            let blocks = tiles.blocks(threads: threads)
            parallelFor(blocks.count, threads: threads) { index in
              let walk = ExclusionWalk(of: blocks[index], offsets: offsets, items: excluded)
              list.collect(blocks[index], of: tiles, walk)
            }
          }
        }
      }
    }
  }
  return (bestItems, bestScores, filled)
}

/// Where the lists of the best are written.
@safe private struct TopLists: @unchecked Sendable {
  let capacity: Int
  let items: UnsafeMutablePointer<UInt32>
  let scores: UnsafeMutablePointer<Float>
  let filled: UnsafeMutablePointer<Int>

  /// Fills the lists of one block of users.
  func collect(_ range: Range<Int>, of tiles: CatalogueTiles, _ exclusions: ExclusionWalk) {
    var exclusions = exclusions
    let block = tiles.block(range)
    let catalogue = unsafe tiles.catalogue
    let memory = CandidateMemory(
      lists: range.count, wanted: min(capacity, tiles.itemCount))
    defer { memory.deallocate() }
    var candidates = unsafe memory.lists()
    unsafe tiles.forEachTile(of: block) { tile, scores in
      unsafe exclusions.mark(tile, in: scores)
      for row in unsafe candidates.indices {
        let line = unsafe scores + row * CatalogueTiles.tileItems
        unsafe h2rec_candidates_tile(
          catalogue, tile.lowerBound, tile.count, line, block.members[row], &candidates[row])
      }
    }
    for (row, user) in range.enumerated() {
      unsafe filled[user] = h2rec_candidates_finish(
        catalogue, block.members[row], &candidates[row], scores + user * capacity,
        items + user * capacity)
    }
    let checked = unsafe candidates.reduce(0) { unsafe $0 + $1.checked }
    ArithmeticCounter.add(2 * tiles.width * checked)
  }
}

/// The memory of the candidates of a block of users.
@safe private struct CandidateMemory {
  private let count: Int
  private let wanted: Int
  private let capacity: Int
  private let bounds: UnsafeMutablePointer<Float>
  private let items: UnsafeMutablePointer<UInt32>

  /// Allocates room for so many lists of the `wanted` best.
  init(lists: Int, wanted: Int) {
    count = lists
    self.wanted = wanted
    capacity = (2 * wanted + 128) / 16 * 16
    unsafe bounds = .allocate(capacity: 2 * count * capacity)
    unsafe items = .allocate(capacity: count * capacity)
  }

  func deallocate() {
    unsafe bounds.deallocate()
    unsafe items.deallocate()
  }

  /// The empty lists.
  func lists() -> [h2rec_candidates] {
    unsafe (0..<count).map { list in
      let lower = unsafe bounds + 2 * list * capacity
      return unsafe h2rec_candidates(
        lower: lower, upper: lower + capacity, items: items + list * capacity, wanted: wanted,
        capacity: capacity, filled: 0, least: -.infinity, checked: 0)
    }
  }
}
