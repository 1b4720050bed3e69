internal import CKernels

/// An embedding table whose gradient and optimiser state are touched row by row.
///
/// The gradient is dense memory, but only the rows that a step used are non-zero, listed once each, and visited by
/// the optimiser; a step's cost does not grow with the number of rows.
///
/// `@unchecked Sendable`: written only between the parallel regions of a step (see ``AlignedBuffer``).
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

  /// Lists every row.
  public func touchAll() {
    guard !isWhollyTouched else { return }
    for row in 0..<UInt32(count) { touch(row) }
  }

  /// Adds the gradients that a micro-batch left for this table.
  public func add(_ gather: Gather) {
    precondition(gather.table === self)
    gather.indices.forEach(touch)
    let per = gather.indicesPerRow
    if per == 1 {
      unsafe h2rec_scatter_add(
        gradient.base, gather.indices, gather.rows, gather.factor, gather.indices.count, width)
      return
    }
    for (place, index) in gather.indices.enumerated() {
      unsafe h2rec_add_scaled(
        gradient.base + Int(index) * width, gather.rows + place / per * width, gather.factor, width)
    }
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
