internal import CKernels
internal import Numerics

/// A whole catalogue and many users, scored tile by tile, first roughly and then exactly where that matters.
///
/// The score of a user and an item is `h2rec_dot` of their vectors: a function of the two alone, so equal vectors have equal
/// scores wherever they stand. Ranks and lists depend on it alone, but it is computed for few pairs. All pairs get an approximate score by
/// a matrix product of the vectors, rounded to bfloat16 or not, and ``ScoreMargin`` says how far the score may be from it. So neither the
/// precision nor the sizes of blocks and tiles change a result.
@safe final class CatalogueTiles: @unchecked Sendable {
  /// The most users of a block, the unit of parallel work.
  static let blockUsers = 384
  /// Items of a tile, a multiple of 16: a tile of scores stays in the second-level cache.
  static let tileItems = 480
  /// With fewer users rounding the catalogue costs more than the faster product saves.
  private static let fewestRoundedUsers = 192

  let users: UnsafePointer<Float>
  let width: Int
  let userCount: Int
  let itemCount: Int
  /// The items and their part in the margins.
  let catalogue: h2rec_catalogue
  private let bounds: UnsafeMutablePointer<Float>
  private let margin: ScoreMargin
  private let multiply: BFloat16Multiply?
  /// The items of each tile, packed, where products are rounded.
  private let panels: UnsafeMutablePointer<UInt32>?
  /// Items whose approximate scores say nothing, in their order.
  private let unbounded: [Int]

  /// Prepares the scoring of `userCount` rows at `users` against `itemCount` rows at `items`, which stay where they are.
  ///
  /// - Parameters:
  ///   - users: `[userCount, width]`.
  ///   - userCount: the number of users.
  ///   - items: `[itemCount, width]`.
  ///   - itemCount: the number of items.
  ///   - width: the length of a vector.
  ///   - precision: of the approximate scores, nil for the faster one; bfloat16 only where the processor has it.
  ///   - threads: threads to use.
  init(
    users: UnsafePointer<Float>, userCount: Int, items: UnsafePointer<Float>, itemCount: Int,
    width: Int, precision: ProductPrecision?, threads: Int
  ) {
    unsafe self.users = users
    self.width = width
    self.userCount = userCount
    self.itemCount = itemCount
    let rounds = precision.map { $0 == .bfloat16 } ?? (userCount >= Self.fewestRoundedUsers)
    multiply = rounds ? BFloat16Multiply.shared : nil
    unsafe bounds = .allocate(capacity: itemCount + 16)
    unsafe bounds.initialize(repeating: .nan, count: itemCount + 16)
    unsafe panels =
      multiply == nil
      ? nil : .allocate(capacity: 1 + BFloat16Multiply.panelCount(width, itemCount))
    unsafe catalogue = h2rec_catalogue(vectors: items, bounds: bounds, width: width)
    (margin, unbounded) = unsafe Self.measure(
      items, count: itemCount, width: width, panels: panels, bounds: bounds, threads: threads)
  }

  deinit {
    unsafe bounds.deallocate()
    unsafe panels?.deallocate()
  }

  /// Rounds and packs the items where they are rounded and writes a bound for each; the margin and the items without bound.
  private static func measure(
    _ items: UnsafePointer<Float>, count: Int, width: Int, panels: UnsafeMutablePointer<UInt32>?,
    bounds: UnsafeMutablePointer<Float>, threads: Int
  ) -> (ScoreMargin, [Int]) {
    nonisolated(unsafe) let (items, panels, bounds) = unsafe (items, panels, bounds)
    let parts = ranges(count, of: tileItems)
    let errors = parallelMap(parts.count, threads: threads) { part in
      let tile = parts[part]
      let vectors = unsafe items + tile.lowerBound * width
      let rounded = unsafe panels == nil ? [] : rounded(vectors, rows: tile.count, width: width)
      var largest = 0.0
      unsafe rounded.withUnsafeBufferPointer { rounded in
        for row in 0..<tile.count {
          let measured = unsafe RoundedLength(
            vectors + row * width,
            rounded.isEmpty ? nil : rounded.baseAddress.map { unsafe $0 + row * width },
            width: width)
          unsafe bounds[tile.lowerBound + row] = ScoreMargin.bound(measured)
          largest = max(largest, ScoreMargin.relativeError(measured))
        }
        if let panels = unsafe panels, let halves = rounded.baseAddress {
          unsafe BFloat16Multiply.shared?.pack(
            width, tile.count, halves, width, transposeB: true,
            into: panels + BFloat16Multiply.panelCount(width, tile.lowerBound))
        }
      }
      return largest
    }
    let unbounded = (0..<count).filter { unsafe bounds[$0] == .infinity }
    return (ScoreMargin(width: width, itemError: errors.max() ?? 0), unbounded)
  }

  /// Some vectors in bfloat16, `[rows, width]`.
  private static func rounded(
    _ vectors: UnsafePointer<Float>, rows: Int, width: Int
  ) -> [UInt16] {
    unsafe [UInt16](unsafeUninitializedCapacity: rows * width) { buffer, initialized in
      if let base = buffer.baseAddress {
        unsafe h2rec_round_bf16(base, width, vectors, width, rows, width)
      }
      initialized = rows * width
    }
  }

  /// Blocks of users of about the same size, as many for each thread.
  func blocks(threads: Int) -> [Range<Int>] {
    let fewest = (userCount + Self.blockUsers - 1) / Self.blockUsers
    let count = min(userCount, (fewest + threads - 1) / threads * threads)
    return (0..<count).map { userCount * $0 / count..<userCount * ($0 + 1) / count }
  }

  /// Scores a block of users against every tile of the catalogue.
  ///
  /// - Parameters:
  ///   - block: the users.
  ///   - body: called tile by tile with the items of the tile and their approximate scores `[block, tileItems]`, of which
  ///     only the first `items.count` columns mean something; it may overwrite them.
  func forEachTile(
    of block: UserBlock, _ body: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) {
    let size = block.range.count * Self.tileItems
    let scores = UnsafeMutablePointer<Float>.allocate(capacity: size)
    defer { unsafe scores.deallocate() }
    unsafe scores.initialize(repeating: 0, count: size)
    var unbounded = unbounded[...]
    for first in stride(from: 0, to: itemCount, by: Self.tileItems) {
      let tile = first..<min(itemCount, first + Self.tileItems)
      unsafe score(block, tile, into: scores)
      while let item = unbounded.first, item < tile.upperBound {
        for row in 0..<block.range.count {
          unsafe scores[row * Self.tileItems + item - first] = 0
        }
        unbounded.removeFirst()
      }
      unsafe body(tile, scores)
    }
  }

  private func score(
    _ block: UserBlock, _ tile: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    if let multiply, let panels = unsafe panels {
      unsafe multiply.multiply(
        block.range.count, tile.count, width, block.rounded, width,
        panels: panels + BFloat16Multiply.panelCount(width, tile.lowerBound), scores,
        Self.tileItems)
    } else {
      let offset = tile.lowerBound * width
      unsafe matrixMultiply(
        block.range.count, tile.count, width, users + block.range.lowerBound * width, width,
        catalogue.vectors + offset, width, transposeB: true, scores, Self.tileItems)
    }
    for row in unsafe block.members.indices where unsafe block.members[row].factor == .infinity {
      unsafe (scores + row * Self.tileItems).update(repeating: 0, count: Self.tileItems)
    }
  }

  /// Prepares the scoring of some users.
  func block(_ range: Range<Int>) -> UserBlock {
    let vectors = unsafe users + range.lowerBound * width
    let rounded =
      unsafe multiply == nil ? [] : Self.rounded(vectors, rows: range.count, width: width)
    let members = unsafe rounded.withUnsafeBufferPointer { halves in
      unsafe (0..<range.count).map { row in
        let vector = unsafe vectors + row * width
        let measured = unsafe RoundedLength(
          vector, rounded.isEmpty ? nil : halves.baseAddress.map { unsafe $0 + row * width },
          width: width)
        return unsafe h2rec_user(vector: vector, factor: margin.factor(measured))
      }
    }
    return unsafe UserBlock(range: range, rounded: rounded, members: members)
  }
}

/// Some users, ready to be scored.
@safe struct UserBlock {
  let range: Range<Int>
  /// `[range, width]`, or nothing where products are not rounded.
  let rounded: [UInt16]
  /// The vectors and their parts in the margins, one a user.
  let members: [h2rec_user]
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
