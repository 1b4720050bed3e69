internal import CKernels
internal import Numerics

/// A matrix that takes part in the products of a loss: its floats and, where they are rounded, room for its bfloat16 numbers.
@safe struct LossMatrix: @unchecked Sendable {
  let rows: Int
  let columns: Int
  /// Elements from one row to the next, of both.
  let stride: Int
  let values: UnsafeMutablePointer<Float>
  let halves: UnsafeMutablePointer<UInt16>?

  /// Some rows of it.
  subscript(rows: Range<Int>) -> LossMatrix {
    let first = rows.lowerBound * stride
    return unsafe LossMatrix(
      rows: rows.count, columns: columns, stride: stride, values: values + first,
      halves: halves.map { unsafe $0 + first })
  }

  /// Some columns of it.
  func columns(_ range: Range<Int>) -> LossMatrix {
    unsafe LossMatrix(
      rows: rows, columns: range.count, stride: stride, values: values + range.lowerBound,
      halves: halves.map { unsafe $0 + range.lowerBound })
  }

  /// Rounds the floats where they are rounded.
  func round() {
    if let halves = unsafe halves {
      unsafe h2rec_round_bf16(halves, stride, values, stride, rows, columns)
    }
  }

  /// `op(self) · op(other)`, of rounded numbers where both are rounded.
  func times(
    _ other: LossMatrix, transposed: Bool = false, transposesOther: Bool = false,
    into result: LossMatrix
  ) {
    let inner = transposed ? rows : columns
    precondition(inner == (transposesOther ? other.columns : other.rows))
    precondition(result.rows == (transposed ? columns : rows))
    precondition(result.columns == (transposesOther ? other.rows : other.columns))
    if let left = unsafe halves, let right = unsafe other.halves,
      let multiply = BFloat16Multiply.shared
    {
      unsafe multiply.multiply(
        result.rows, result.columns, inner, left, stride, transposeA: transposed, right,
        other.stride, transposeB: transposesOther, result.values, result.stride)
    } else {
      unsafe matrixMultiply(
        result.rows, result.columns, inner, values, stride, transposeA: transposed, other.values,
        other.stride, transposeB: transposesOther, result.values, result.stride)
    }
  }
}

/// The shape of a matrix in ``LossMemory``.
struct LossShape {
  let rows: Int
  let columns: Int
  let stride: Int
  let isRounded: Bool

  /// Rows one directly after the other; with room for their bfloat16 numbers if `isRounded` and the loss rounds.
  init(_ rows: Int, _ columns: Int, isRounded: Bool = false) {
    self.rows = rows
    self.columns = columns
    stride = columns
    self.isRounded = isRounded
  }

  /// All rows of one matrix with all rows of another, `[count, count]`, rounded if the loss rounds.
  init(pairsOf count: Int) {
    rows = count
    columns = count
    stride = rowStride(count)
    isRounded = true
  }
}

/// The elements from one row of scores to the next: rows are whole cache lines, so that no vector lies across two, and no power
/// of two apart, since the elements of a column would share few places in a cache.
func rowStride(_ columns: Int) -> Int {
  let lines = (columns + 31) & ~31
  return lines % 256 == 0 ? lines + 32 : lines
}

/// Memory for the matrices of one evaluation of a loss, kept between steps.
struct LossMemory {
  private let floats = ScratchBuffer()
  private let halves = ScratchBuffer()
  private let precision: ProductPrecision

  /// - Precondition: this machine has such products.
  init(_ precision: ProductPrecision) {
    precondition(precision.isAvailable)
    self.precision = precision
  }

  /// A matrix of each shape, with unspecified contents; those handed out before are invalid.
  func matrices(_ shapes: [LossShape]) -> [LossMatrix] {
    // Every matrix begins a cache line.
    let sizes = shapes.map { ($0.rows * $0.stride + 31) & ~31 }
    let rounds = shapes.map { $0.isRounded && precision == .bfloat16 }
    let halfSizes = zip(sizes, rounds).map { $1 ? $0 : 0 }
    var base = unsafe floats.reserve(sizes.reduce(0, +))
    var half = unsafe halves.reserveHalves(halfSizes.reduce(0, +))
    return shapes.indices.map { index in
      defer {
        unsafe base += sizes[index]
        unsafe half += halfSizes[index]
      }
      let shape = shapes[index]
      return unsafe LossMatrix(
        rows: shape.rows, columns: shape.columns, stride: shape.stride, values: base,
        halves: rounds[index] ? half : nil)
    }
  }
}

/// 0 ..< count in an even number of ranges of about 128, alike in size, so that two threads have the same work.
func pairedRanges(_ count: Int) -> [Range<Int>] {
  let pairs = max(1, (count + 255) / 256)
  return ranges(count, of: max(1, (count + 2 * pairs - 1) / (2 * pairs)))
}
