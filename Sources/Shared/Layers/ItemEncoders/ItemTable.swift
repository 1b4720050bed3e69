internal import CKernels
public import Numerics
public import Tape

/// Every item has a row of its own in a table: its Hash ID.
@safe public final class ItemTable: ItemEncoder {
  /// The rows, `[I, d]`.
  public let table: EmbeddingTable

  /// Takes the rows of a table as the vectors of the items.
  public init(_ table: EmbeddingTable) { self.table = table }

  /// The number of items, I.
  public var itemCount: Int { table.count }
  /// The number of floats in a vector, d.
  public var width: Int { table.width }
  /// The rows.
  public var vectors: AlignedBuffer { table.values }
  /// The gradient of the rows.
  public var gradient: AlignedBuffer { table.gradient }

  /// Does nothing: the vectors are the rows.
  public func refresh(threads: Int) {}

  /// Lists every row as part of the gradient.
  public func scatterGradient() { table.touchAll() }

  /// Writes the vectors of some items to rows that are `stride` floats apart.
  public func copyVectors(
    _ items: ArraySlice<UInt32>, to rows: UnsafeMutablePointer<Float>, stride: Int
  ) {
    unsafe items.withUnsafeBufferPointer { items in
      unsafe h2rec_gather_items(
        rows, stride, table.values.base, width, nil, 1, items.baseAddress, items.count)
    }
  }

  /// Adds some columns of rows to the gradients of items' vectors.
  public func addGradients(
    _ rows: UnsafePointer<Float>, stride: Int, columns: Range<Int>, to items: [UInt32],
    itemsPerRow: Int, factors: [Float]?
  ) {
    if columns.lowerBound == 0 { table.touch(items, codes: nil, levelCount: 1) }
    unsafe h2rec_scatter_items(
      table.gradient.base, width, nil, 1, items, items.count, rows, stride, itemsPerRow, factors,
      1, columns.lowerBound, columns.count)
  }

  /// Puts items of a history on a tape.
  public func embed(
    _ items: [UInt32], scale: Float, positions: PositionIDs?, dropout: Float, into y: Tensor?,
    on tape: Tape
  ) -> Tensor {
    tape.embed(table, items, scale: scale, positions: positions, rate: dropout, into: y)
  }
}
