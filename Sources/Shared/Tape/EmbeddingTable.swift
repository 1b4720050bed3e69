internal import CKernels
public import Numerics

/// An embedding table whose gradient and optimiser state are touched row by row.
///
/// The gradient is dense memory, but only the rows that a step used are non-zero, listed once each, and visited by
/// the optimiser; a step's cost does not grow with the number of rows.
///
/// `@unchecked Sendable`: written only between the parallel regions of a step (see `AlignedBuffer`).
@safe public final class EmbeddingTable: @unchecked Sendable {
  /// The number of rows.
  public let count: Int
  /// The number of floats in a row.
  public let width: Int
  /// The rows, `[count, width]`.
  public let values: AlignedBuffer
  /// The gradient, `[count, width]`; zero outside ``touchedRows``.
  public let gradient: AlignedBuffer
  /// The rows that this step's gradient reaches, each once, in the order of the first touch.
  public private(set) var touchedRows: [UInt32] = []
  private var isTouched: [Bool]

  /// A table of zeros.
  public init(count: Int, width: Int) {
    self.count = count
    self.width = width
    values = AlignedBuffer(count: count * width)
    gradient = AlignedBuffer(count: count * width)
    isTouched = Array(repeating: false, count: count)
  }

  /// Whether every row is in the gradient.
  public var isWhollyTouched: Bool { touchedRows.count == count }

  /// Lists a row as part of the gradient.
  public func touch(_ row: UInt32) {
    guard !isTouched[Int(row)] else { return }
    isTouched[Int(row)] = true
    touchedRows.append(row)
  }

  /// Lists the rows of some items, in their order.
  ///
  /// - Parameters:
  ///   - items: the items.
  ///   - codes: `[items of the catalogue, M]` rows of the table; nil where an item's row has its number.
  ///   - levelCount: M.
  package func touch(_ items: [UInt32], codes: [UInt32]?, levelCount: Int) {
    // Copies that the loop may keep in registers.
    var touched: [UInt32] = []
    swap(&touched, &touchedRows)
    unsafe isTouched.withUnsafeMutableBufferPointer { isTouched in
      func list(_ row: UInt32) {
        guard unsafe !isTouched[Int(row)] else { return }
        unsafe isTouched[Int(row)] = true
        touched.append(row)
      }
      guard let codes else { return items.forEach(list) }
      for item in items {
        for row in codes[Int(item) * levelCount..<(Int(item) + 1) * levelCount] { list(row) }
      }
    }
    swap(&touched, &touchedRows)
  }

  /// Lists every row.
  public func touchAll() {
    guard !isWhollyTouched else { return }
    for row in 0..<UInt32(count) { touch(row) }
  }

  /// Adds some columns of the gradient that a micro-batch left for this table; the first ones list the rows.
  fileprivate func add(_ gather: Gather, columns: Range<Int>) {
    if columns.lowerBound == 0 { touch(gather.indices, codes: nil, levelCount: 1) }
    unsafe h2rec_scatter_items(
      gradient.base, width, nil, 1, gather.indices, gather.indices.count, gather.rows, width,
      gather.indicesPerRow, nil, gather.factor, columns.lowerBound, columns.count)
  }

  /// Adds `factor · vector` to the gradient of a row.
  package func add(_ vector: UnsafePointer<Float>, factor: Float, toRow row: UInt32) {
    touch(row)
    unsafe h2rec_add_scaled(gradient.base + Int(row) * width, vector, factor, width)
  }

  /// Forgets the touched rows; their gradient must already be zero (the optimiser leaves it so).
  public func endStep() {
    for row in touchedRows { isTouched[Int(row)] = false }
    touchedRows.removeAll(keepingCapacity: true)
  }
}

/// Adds the gradients that micro-batches left for embedding tables, to each table in the order of the list.
///
/// - Parameters:
///   - gathers: what the micro-batches left.
///   - threads: the largest number of threads; does not change the result.
public func addGradients(of gathers: [Gather], threads: Int) {
  var tables: [EmbeddingTable] = []
  for gather in gathers where !tables.contains(where: { $0 === gather.table }) {
    tables.append(gather.table)
  }
  let pieces = tables.flatMap { table in columnPieces(table.width).map { (table, $0) } }
  // Pieces write disjoint columns and only read what the tapes hold.
  nonisolated(unsafe) let shared = gathers
  parallelFor(pieces.count, threads: threads) { number in
    let (table, columns) = pieces[number]
    unsafe shared.forEach { if $0.table === table { table.add($0, columns: columns) } }
  }
}

/// The columns of a table in pieces of at most 32 that different threads may add to: each element of a gradient then receives
/// its terms in their order, on any thread.
package func columnPieces(_ width: Int) -> [Range<Int>] { ranges(width, of: 32) }
