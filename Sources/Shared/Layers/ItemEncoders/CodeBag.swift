internal import CKernels
public import Numerics
public import Tape

/// An item's vector is the mean of the rows of its codes: its Semantic ID.
@safe public final class CodeBag: ItemEncoder {
  /// The rows of all levels, level by level, `[Σ K, d]`.
  public let table: EmbeddingTable
  /// The rows of each item, `[I · M]`.
  public let rows: [UInt32]
  /// The number of codes of an item, M.
  public let levelCount: Int
  /// The means of all items, `[I, d]`, as of the last ``refresh(threads:)``.
  public let vectors: AlignedBuffer
  /// The gradient of the means.
  public let gradient: AlignedBuffer

  /// Creates the means of code rows; ``refresh(threads:)`` computes them.
  ///
  /// - Parameters:
  ///   - table: the rows of all levels.
  ///   - rows: the rows of each item, `[I · M]`.
  ///   - levelCount: M.
  public init(_ table: EmbeddingTable, rows: [UInt32], levelCount: Int) {
    self.table = table
    self.rows = rows
    self.levelCount = levelCount
    let count = rows.count / levelCount * table.width
    vectors = AlignedBuffer(count: count)
    gradient = AlignedBuffer(count: count)
  }

  /// The number of items, I.
  public var itemCount: Int { rows.count / levelCount }
  /// The number of floats in a vector, d.
  public var width: Int { table.width }

  /// The rows of the codes of some items, M for each.
  public func rows(of items: [UInt32]) -> [UInt32] {
    items.flatMap { rows[Int($0) * levelCount..<(Int($0) + 1) * levelCount] }
  }

  /// The row of one level's code for each of some items.
  public func rows(of items: [UInt32], level: Int) -> [UInt32] {
    items.map { rows[Int($0) * levelCount + level] }
  }

  /// Computes the means of all items.
  public func refresh(threads: Int) {
    let blocks = ranges(itemCount, of: 1024)
    parallelFor(blocks.count, threads: threads) { block in
      let range = blocks[block]
      let indices = Array(rows[range.lowerBound * levelCount..<range.upperBound * levelCount])
      unsafe h2rec_embed_mean(
        vectors.base + range.lowerBound * width, table.values.base, indices, levelCount, nil, nil,
        1, range.count, width, h2rec_dropout(key: 0, rate: 0))
    }
  }

  /// Passes the gradient of the means on to the code rows, and clears it.
  public func scatterGradient() {
    let factor = 1 / Float(levelCount)
    for item in 0..<itemCount {
      for row in rows[item * levelCount..<(item + 1) * levelCount] {
        unsafe table.add(gradient.base + item * width, factor: factor, toRow: row)
      }
    }
    gradient.fill(0)
  }

  /// Writes the vectors of some items to rows that are `stride` floats apart.
  public func copyVectors(
    _ items: ArraySlice<UInt32>, to target: UnsafeMutablePointer<Float>, stride: Int
  ) {
    unsafe items.withUnsafeBufferPointer { items in
      unsafe h2rec_gather_items(
        target, stride, table.values.base, width, rows, levelCount, items.baseAddress, items.count)
    }
  }

  /// Adds some columns of rows to the gradients of items' vectors.
  public func addGradients(
    _ source: UnsafePointer<Float>, stride: Int, columns: Range<Int>, to items: [UInt32],
    itemsPerRow: Int, factors: [Float]?
  ) {
    if columns.lowerBound == 0 { table.touch(items, codes: rows, levelCount: levelCount) }
    unsafe h2rec_scatter_items(
      table.gradient.base, width, rows, levelCount, items, items.count, source, stride,
      itemsPerRow, factors, 1 / Float(levelCount), columns.lowerBound, columns.count)
  }

  /// Puts items of a history on a tape.
  public func embed(
    _ items: [UInt32], scale: Float, positions: PositionIDs?, dropout: Float, into y: Tensor?,
    on tape: Tape
  ) -> Tensor {
    tape.embed(
      table, rows(of: items), indicesPerRow: levelCount, scale: scale, positions: positions,
      rate: dropout, into: y)
  }
}
