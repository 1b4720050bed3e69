internal import CKernels

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
///   - threads: threads to use; the result does not depend on it.
/// - Returns: ranks, `[U]`.
/// - Precondition: all shapes agree and every item is below `I`.
package func catalogueMidRanks(
  users: Matrix, items: Matrix, targets: [UInt32], offsets: [Int], excluded: [UInt32], threads: Int
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
        nonisolated(unsafe) let tiles = unsafe CatalogueTiles(
          users: first, userCount: users.rows, items: vectors, itemCount: items.rows,
          width: items.columns, threads: threads)
        nonisolated(unsafe) let target = unsafe output
        defer { unsafe tiles.deallocate() }
        unsafe parallelFor(tiles.blockCount, threads: threads) { index in
          let block = unsafe tiles.block(index)
          let walk = ExclusionWalk(of: block, offsets: offsets, items: excluded)
          unsafe midRanks(of: block, in: tiles, targets: targets, walk, into: target)
        }
      }
    }
  }
  return ranks
}

/// The mid-ranks of one block of users.
private func midRanks(
  of block: Range<Int>, in tiles: CatalogueTiles, targets: [UInt32], _ exclusions: ExclusionWalk,
  into ranks: UnsafeMutablePointer<Double>
) {
  var exclusions = exclusions
  let targetScores = tiles.scoreTargets(targets, of: block)
  var above = [UInt32](repeating: 0, count: block.count)
  var equal = above
  unsafe tiles.forEachTile(of: block) { tile, scores in
    unsafe exclusions.mark(tile, in: scores)
    for row in 0..<block.count {
      let line = unsafe scores + row * CatalogueTiles.tileItems
      let target = Int(targets[block.lowerBound + row])
      if tile.contains(target) { unsafe line[target - tile.lowerBound] = .nan }
      unsafe h2rec_count_above(line, tile.count, targetScores[row], &above[row], &equal[row])
    }
  }
  for row in 0..<block.count {
    let rank = 1 + Double(above[row]) + Double(equal[row]) / 2
    unsafe ranks[block.lowerBound + row] = targetScores[row].isNaN ? Double(tiles.itemCount) : rank
  }
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
///   - threads: threads to use; the result does not depend on it.
/// - Returns: items and scores `[U, count]`, and how many places of each row are filled.
/// - Precondition: all shapes agree and every item is below `I`.
package func catalogueTop(
  users: Matrix, items: Matrix, count: Int, offsets: [Int], excluded: [UInt32], threads: Int
) -> (items: [UInt32], scores: [Float], filled: [Int]) {
  precondition(users.columns == items.columns, "users and items live in one space")
  precondition(offsets.count == users.rows + 1 && excluded.allSatisfy { $0 < items.rows })
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
            nonisolated(unsafe) let tiles = unsafe CatalogueTiles(
              users: first, userCount: users.rows, items: vectors,
              itemCount: itemValues.count / max(1, users.columns), width: users.columns,
              threads: threads)
            nonisolated(unsafe) let list = unsafe TopLists(
              capacity: count, items: items, scores: scores, filled: filled)
            defer { unsafe tiles.deallocate() }
            unsafe parallelFor(tiles.blockCount, threads: threads) { index in
              let block = unsafe tiles.block(index)
              let walk = ExclusionWalk(of: block, offsets: offsets, items: excluded)
              unsafe list.collect(block, of: tiles, walk)
            }
          }
        }
      }
    }
  }
  return (bestItems, bestScores, filled)
}

/// Where the lists of the best are written.
@safe private struct TopLists {
  let capacity: Int
  let items: UnsafeMutablePointer<UInt32>
  let scores: UnsafeMutablePointer<Float>
  let filled: UnsafeMutablePointer<Int>

  /// Fills the lists of one block of users.
  func collect(_ block: Range<Int>, of tiles: CatalogueTiles, _ exclusions: ExclusionWalk) {
    var exclusions = exclusions
    unsafe tiles.forEachTile(of: block) { tile, line in
      unsafe exclusions.mark(tile, in: line)
      for user in block {
        let row = unsafe line + (user - block.lowerBound) * CatalogueTiles.tileItems
        unsafe filled[user] = h2rec_top_push(
          row, tile.count, UInt32(tile.lowerBound), capacity, scores + user * capacity,
          items + user * capacity, filled[user])
      }
    }
    for user in block {
      unsafe h2rec_top_sort(scores + user * capacity, items + user * capacity, filled[user])
    }
  }
}
