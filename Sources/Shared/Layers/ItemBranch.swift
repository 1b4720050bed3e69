internal import CKernels
public import Numerics
public import Tape

/// The item vectors that one branch of a model scores with, and their gradient.
///
/// A score is the sum over the branches of `⟨state columns of the branch, item vector of the branch⟩`.
@safe public final class ItemBranch: Sendable {
  /// Where the vectors come from.
  public enum Source: Sendable {
    /// An item's own row of a table.
    case rows(EmbeddingTable)
    /// The mean of an item's M code rows: `rows[item · M + m]` of the table.
    case codes(EmbeddingTable, rows: [UInt32], levelCount: Int)
  }

  /// Where the vectors come from.
  public let source: Source
  /// The number of items, I.
  public let itemCount: Int
  /// The number of floats in a vector, d.
  public let width: Int
  private let means: AlignedBuffer?
  private let meanGradients: AlignedBuffer?

  /// Creates a branch; the vectors of codes are computed by ``refresh(threads:)``.
  public init(_ source: Source) {
    self.source = source
    switch source {
    case .rows(let table):
      itemCount = table.count
      width = table.width
      means = nil
      meanGradients = nil
    case .codes(let table, let rows, let levelCount):
      itemCount = rows.count / levelCount
      width = table.width
      means = AlignedBuffer(count: itemCount * width)
      meanGradients = AlignedBuffer(count: itemCount * width)
    }
  }

  /// The vectors of all items, `[I, d]`; those of codes as of the last ``refresh(threads:)``.
  public var vectors: AlignedBuffer {
    switch source {
    case .rows(let table): table.values
    case .codes: means ?? AlignedBuffer(count: 0)
    }
  }

  /// The gradient of the vectors, `[I, d]`; for codes it reaches the table by ``scatterGradient()``.
  package var gradient: AlignedBuffer {
    switch source {
    case .rows(let table): table.gradient
    case .codes: meanGradients ?? AlignedBuffer(count: 0)
    }
  }

  /// Computes the vectors of all items from the current table.
  public func refresh(threads: Int) {
    guard case .codes(let table, let rows, let levelCount) = source, let means else { return }
    let width = width
    let blocks = ranges(itemCount, of: 1024)
    parallelFor(blocks.count, threads: threads) { block in
      let range = blocks[block]
      let indices = Array(rows[range.lowerBound * levelCount..<range.upperBound * levelCount])
      unsafe h2rec_embed_mean(
        means.base + range.lowerBound * width, table.values.base, indices, levelCount, nil, nil, 1,
        range.count, width, h2rec_dropout(key: 0, rate: 0))
    }
  }

  /// Passes the gradient of all vectors on to the table, and clears it.
  package func scatterGradient() {
    switch source {
    case .rows(let table): table.touchAll()
    case .codes(let table, let rows, let levelCount):
      guard let meanGradients else { return }
      let factor = 1 / Float(levelCount)
      for item in 0..<itemCount {
        for row in rows[item * levelCount..<(item + 1) * levelCount] {
          unsafe table.add(meanGradients.base + item * width, factor: factor, toRow: row)
        }
      }
      meanGradients.fill(0)
    }
  }

  /// Writes the vector of one item, from the current table, to `vector`, `[d]`.
  package func copyVector(_ item: UInt32, to vector: UnsafeMutablePointer<Float>) {
    switch source {
    case .rows(let table):
      unsafe vector.update(from: table.values.base + Int(item) * width, count: width)
    case .codes(let table, let rows, let levelCount):
      let first = Int(item) * levelCount
      unsafe vector.update(repeating: 0, count: width)
      for row in rows[first..<first + levelCount] {
        unsafe h2rec_add_scaled(
          vector, table.values.base + Int(row) * width, 1 / Float(levelCount), width)
      }
    }
  }

  /// Writes the vectors of some items, from the current table, to rows that are `stride` floats apart.
  package func copyVectors(
    _ items: ArraySlice<UInt32>, to rows: UnsafeMutablePointer<Float>, stride: Int
  ) {
    unsafe items.withUnsafeBufferPointer { items in
      switch source {
      case .rows(let table):
        unsafe h2rec_gather_items(
          rows, stride, table.values.base, width, nil, 1, items.baseAddress, items.count)
      case .codes(let table, let codes, let levelCount):
        unsafe h2rec_gather_items(
          rows, stride, table.values.base, width, codes, levelCount, items.baseAddress, items.count)
      }
    }
  }

  /// Adds `factor · direction` to the gradient of one item's vector.
  package func addGradient(
    _ direction: UnsafePointer<Float>, factor: Float, toItem item: UInt32
  ) {
    switch source {
    case .rows(let table): unsafe table.add(direction, factor: factor, toRow: item)
    case .codes(let table, let rows, let levelCount):
      let first = Int(item) * levelCount
      for row in rows[first..<first + levelCount] {
        unsafe table.add(direction, factor: factor / Float(levelCount), toRow: row)
      }
    }
  }
}

/// What the vectors of some items receive through one branch.
@safe package struct ItemGradients: @unchecked Sendable {
  /// The branch.
  let branch: ItemBranch
  /// Rows of as many floats as the branch is wide.
  let rows: UnsafePointer<Float>
  /// Floats from one row to the next.
  let stride: Int

  /// Names the rows of a branch.
  package init(branch: ItemBranch, rows: UnsafePointer<Float>, stride: Int) {
    self.branch = branch
    unsafe self.rows = rows
    self.stride = stride
  }

  /// Adds some columns; the first ones list the rows of the table.
  fileprivate func add(
    _ columns: Range<Int>, to items: [UInt32], itemsPerRow: Int, factors: [Float]?
  ) {
    let (table, codes, levelCount) =
      switch branch.source {
      case .rows(let table): (table, [UInt32]?.none, 1)
      case .codes(let table, let rows, let levelCount): (table, rows, levelCount)
      }
    if columns.lowerBound == 0 { table.touch(items, codes: codes, levelCount: levelCount) }
    unsafe h2rec_scatter_items(
      table.gradient.base, table.width, codes, levelCount, items, items.count, rows, stride,
      itemsPerRow, factors, 1 / Float(levelCount), columns.lowerBound, columns.count)
  }
}

/// Adds to the gradients of items' vectors, in the order of the items.
///
/// - Parameters:
///   - gradients: for each branch what it passes on, row `t / itemsPerRow` to item number t.
///   - items: the items.
///   - itemsPerRow: how many items in a row receive the same row.
///   - factors: a factor for each item; nil for 1.
///   - threads: the largest number of threads; does not change the result.
package func addItemGradients(
  _ gradients: [ItemGradients], to items: [UInt32], itemsPerRow: Int = 1, factors: [Float]? = nil,
  threads: Int
) {
  let pieces = gradients.flatMap { part in columnPieces(part.branch.width).map { (part, $0) } }
  parallelFor(pieces.count, threads: threads) { number in
    let (part, columns) = pieces[number]
    part.add(columns, to: items, itemsPerRow: itemsPerRow, factors: factors)
  }
}
