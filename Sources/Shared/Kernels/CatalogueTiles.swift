internal import CKernels

/// A block of users against a whole catalogue, scored tile by tile.
///
/// A tile is `userCount` x ``tileItems`` scores and stays in the second-level cache. Every product has the same number
/// of columns (the last tile is filled up with zero rows), so equal item vectors get bit-equal scores wherever
/// they stand, and the score of a target computed by ``scoreTargets(_:into:)`` is the one its tile would give.
@safe struct CatalogueTiles {
  /// Users of a block, the unit of parallel work.
  static let blockUsers = 192
  /// Items of a tile; a multiple of every register block of the matrix product.
  static let tileItems = 480

  let users: UnsafePointer<Float>
  let items: UnsafePointer<Float>
  let width: Int
  let userCount: Int
  let itemCount: Int
  /// The items after the last whole tile, then zero rows; `[tileItems, width]`.
  private let lastTile: UnsafeMutablePointer<Float>

  /// Prepares the scoring of `userCount` rows at `users` against `itemCount` rows at `items`.
  init(
    users: UnsafePointer<Float>, userCount: Int, items: UnsafePointer<Float>, itemCount: Int,
    width: Int
  ) {
    unsafe self.users = users
    unsafe self.items = items
    self.width = width
    self.userCount = userCount
    self.itemCount = itemCount
    let whole = itemCount / Self.tileItems * Self.tileItems
    unsafe lastTile = .allocate(capacity: Self.tileItems * width)
    unsafe lastTile.initialize(repeating: 0, count: Self.tileItems * width)
    unsafe lastTile.update(from: items + whole * width, count: (itemCount - whole) * width)
  }

  /// Frees the copy of the last items.
  func deallocate() { unsafe lastTile.deallocate() }

  /// The number of blocks of users.
  var blockCount: Int { (userCount + Self.blockUsers - 1) / Self.blockUsers }

  /// The users of a block.
  func block(_ index: Int) -> Range<Int> {
    index * Self.blockUsers..<min(userCount, (index + 1) * Self.blockUsers)
  }

  /// Scores a block of users against every tile of the catalogue.
  ///
  /// - Parameters:
  ///   - block: the users.
  ///   - body: called tile by tile with the items of the tile and their scores `[block, tileItems]`, of which
  ///     only the first `items.count` columns mean something; it may overwrite them.
  func forEachTile(
    of block: Range<Int>, _ body: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) {
    let scores = UnsafeMutablePointer<Float>.allocate(capacity: block.count * Self.tileItems)
    defer { unsafe scores.deallocate() }
    for first in stride(from: 0, to: itemCount, by: Self.tileItems) {
      let end = min(itemCount, first + Self.tileItems)
      let tile =
        unsafe end - first == Self.tileItems ? items + first * width : UnsafePointer(lastTile)
      unsafe score(block, against: tile, into: scores)
      unsafe body(first..<end, scores)
    }
  }

  /// The scores of one target a user of a block, by the same product as the tiles.
  func scoreTargets(_ targets: [UInt32], of block: Range<Int>) -> [Float] {
    let gathered = UnsafeMutablePointer<Float>.allocate(capacity: Self.tileItems * width)
    let scores = UnsafeMutablePointer<Float>.allocate(capacity: block.count * Self.tileItems)
    defer {
      unsafe gathered.deallocate()
      unsafe scores.deallocate()
    }
    unsafe gathered.initialize(repeating: 0, count: Self.tileItems * width)
    for (row, user) in block.enumerated() {
      unsafe (gathered + row * width).update(
        from: items + Int(targets[user]) * width, count: width)
    }
    unsafe score(block, against: gathered, into: scores)
    return block.indices.map { user in
      let row = user - block.lowerBound
      return unsafe scores[row * Self.tileItems + row]
    }
  }

  private func score(
    _ block: Range<Int>, against tile: UnsafePointer<Float>,
    into scores: UnsafeMutablePointer<Float>
  ) {
    unsafe matrixMultiply(
      block.count, Self.tileItems, width, users + block.lowerBound * width, width, tile, width,
      transposeB: true, scores, Self.tileItems)
  }
}

/// The items that a block of users must not be given, walked once in catalogue order.
struct ExclusionWalk {
  private let sorted: [[UInt32]]
  private var next: [Int]

  /// Prepares the walk; the lists may be in any order and repeat themselves.
  init(of block: Range<Int>, offsets: [Int], items: [UInt32]) {
    sorted = block.map { items[offsets[$0]..<offsets[$0 + 1]].sorted() }
    next = [Int](repeating: 0, count: block.count)
  }

  /// Overwrites the scores of the excluded items of a tile with NaN.
  mutating func mark(_ tile: Range<Int>, in scores: UnsafeMutablePointer<Float>) {
    for row in sorted.indices {
      while next[row] < sorted[row].count, Int(sorted[row][next[row]]) < tile.upperBound {
        let column = Int(sorted[row][next[row]]) - tile.lowerBound
        unsafe scores[row * CatalogueTiles.tileItems + column] = .nan
        next[row] += 1
      }
    }
  }
}
