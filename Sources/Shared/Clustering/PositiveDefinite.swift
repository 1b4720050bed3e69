internal import CLapacke
public import Numerics

// N rows of the matrix, B rows in a block.

/// The inverse of a symmetric positive definite matrix, by Gauss-Jordan elimination in blocks.
///
/// Blocks of the diagonal are inverted in Double by LAPACK (`dpotrf`, `dpotri`), everything else are products in single
/// precision, so the relative error grows with the condition of the matrix times 10⁻⁷. Scale the diagonal to 1 first. A block
/// that rounding made indefinite gets the smallest of 10⁻⁵, 10⁻⁴, … on its diagonal with which it is positive definite again.
///
/// - Parameters:
///   - matrix: shape `[N, N]`, all of it filled in, its diagonal near 1.
///   - threads: the largest number of threads; the bits of the result do not depend on it.
/// - Returns: shape `[N, N]`.
/// - Complexity: O(N³) products, and memory of the matrix and two rows of blocks.
public func inverse(ofPositiveDefinite matrix: consuming Matrix, threads: Int) -> Matrix {
  precondition(matrix.rows == matrix.columns, "\(matrix.rows) x \(matrix.columns) is not square")
  let size = matrix.rows
  var inverted = matrix
  let blocks = ranges(size, of: blockSize)
  for pivot in blocks { eliminate(pivot, blocks, from: &inverted, threads: threads) }
  return inverted
}

/// Rows and columns in a block.
private let blockSize = 256

/// One step: the columns of a block become those of the inverse.
private func eliminate(
  _ pivot: Range<Int>, _ blocks: [Range<Int>], from matrix: inout Matrix, threads: Int
) {
  let (size, width) = (matrix.columns, pivot.count)
  let diagonal = inverseBlock(
    pivot.map { row in pivot.map { Double(matrix.values[row * size + $0]) } }.flatMap(\.self), width
  ).map { Float($0) }
  let rows = Array(matrix.values[pivot.lowerBound * size..<pivot.upperBound * size])
  unsafe matrix.values.withUnsafeMutableBufferPointer { buffer in
    // Blocks write disjoint rows.
    nonisolated(unsafe) let buffer = unsafe buffer
    // The rows of the pivot: D · A, and D where the pivot's own columns are.
    if let base = unsafe buffer.baseAddress {
      let target = unsafe base + pivot.lowerBound * size
      unsafe matrixMultiply(width, size, width, diagonal, width, rows, size, target, size)
      for row in 0..<width {
        for column in 0..<width {
          unsafe target[row * size + pivot.lowerBound + column] = diagonal[row * width + column]
        }
      }
    }
    parallelFor(blocks.count, threads: threads) { index in
      let block = blocks[index]
      guard block != pivot, let base = unsafe buffer.baseAddress else { return }
      let target = unsafe base + block.lowerBound * size
      var factor = [Float](repeating: 0, count: block.count * width)
      for row in 0..<block.count {
        for column in 0..<width {
          let place = row * size + pivot.lowerBound + column
          factor[row * width + column] = unsafe target[place]
          unsafe target[place] = 0
        }
      }
      // A − F · (D · A); in the columns of the pivot −F · D.
      unsafe matrixMultiply(
        block.count, size, width, alpha: -1, factor, width, base + pivot.lowerBound * size, size,
        beta: 1, target, size)
    }
  }
}

/// The inverse of a block in Double, with as little added to its diagonal as it takes.
private func inverseBlock(_ block: [Double], _ size: Int) -> [Double] {
  let order = Int32(size)
  let lower = CChar(UInt8(ascii: "L"))
  var added = 0.0
  var work = block
  // A diagonal that is larger than all sums of its rows is positive definite, so this ends.
  while unsafe LAPACKE_dpotrf(LAPACK_ROW_MAJOR, lower, order, &work, order) != 0 {
    added = max(1e-5, 10 * added)
    work = block
    for row in 0..<size { work[row * (size + 1)] += added }
  }
  let status = unsafe LAPACKE_dpotri(LAPACK_ROW_MAJOR, lower, order, &work, order)
  precondition(status == 0, "LAPACK dpotri: status \(status)")
  for row in 0..<size {
    for column in 0..<row { work[column * size + row] = work[row * size + column] }
  }
  return work
}

/// The solution of one small symmetric positive definite system, in Double (LAPACK `dposv`).
///
/// - Parameters:
///   - matrix: shape `[N, N]`; the lower triangle is read.
///   - right: the right-hand side, shape `[N]`.
/// - Returns: shape `[N]`.
/// - Precondition: the matrix is positive definite.
public func solution(ofPositiveDefinite matrix: [Double], _ right: [Double]) -> [Double] {
  precondition(matrix.count == right.count * right.count, "\(matrix.count) for \(right.count)")
  guard !right.isEmpty else { return [] }
  let order = Int32(right.count)
  var (work, solution) = (matrix, right)
  let status = unsafe LAPACKE_dposv(
    LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "L")), order, 1, &work, order, &solution, 1)
  precondition(status == 0, "LAPACK dposv: status \(status)")
  return solution
}
