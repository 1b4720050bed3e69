internal import CLapacke
public import Numerics

/// The rotation (or reflection) R that turns the rows of one matrix best into those of another.
///
/// - Parameters:
///   - source: shape `[N, P]`.
///   - target: shape `[N, P]`.
///   - threads: the largest number of threads; the result does not depend on it.
/// - Returns: the orthogonal `[P, P]` matrix with the smallest `‖source · R − target‖`: U · Vᵀ of the singular value
///   decomposition of `sourceᵀ · target` (Schönemann 1966).
public func nearestRotation(from source: Matrix, to target: Matrix, threads: Int) -> Matrix {
  precondition(source.rows == target.rows && source.columns == target.columns, "shapes")
  let size = source.columns
  var sums = sumOfOuterProducts(source, target, threads: threads)
  var values = [Double](repeating: 0, count: size)
  var left = [Double](repeating: 0, count: size * size)
  var right = [Double](repeating: 0, count: size * size)
  let order = Int32(size)
  let status = unsafe LAPACKE_dgesdd(
    LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "A")), order, order, &sums, order, &values, &left,
    order, &right, order)
  precondition(status == 0, "LAPACK dgesdd: status \(status)")
  let floats = (
    Matrix(rows: size, columns: size, values: left.map(Float.init)),
    Matrix(rows: size, columns: size, values: right.map(Float.init))
  )
  return matrixProduct(floats.0, floats.1)
}

/// The product of two matrices in row blocks.
///
/// - Parameters:
///   - left: shape `[N, P]`.
///   - right: shape `[P, Q]`, or `[Q, P]` when `transposed`.
///   - transposed: whether to take the transpose of `right`.
///   - threads: the largest number of threads; the result does not depend on it.
/// - Returns: shape `[N, Q]`.
public func matrixProduct(
  _ left: Matrix, _ right: Matrix, transposed: Bool = false, threads: Int = 1
) -> Matrix {
  let inner = left.columns
  precondition(inner == (transposed ? right.columns : right.rows), "inner dimensions")
  let columns = transposed ? right.rows : right.columns
  var result = Matrix(rows: left.rows, columns: columns)
  unsafe result.values.withUnsafeMutableBufferPointer { target in
    unsafe left.values.withUnsafeBufferPointer { source in
      // Blocks write disjoint rows.
      nonisolated(unsafe) let (source, target) = unsafe (source, target)
      let block = 1024
      parallelFor((left.rows + block - 1) / block, threads: threads) { index in
        guard let a = unsafe source.baseAddress, let c = unsafe target.baseAddress else { return }
        let first = index * block
        unsafe matrixMultiply(
          min(block, left.rows - first), columns, inner, a + first * inner, inner, right.values,
          right.columns, transposeB: transposed, c + first * columns, columns)
      }
    }
  }
  return result
}
