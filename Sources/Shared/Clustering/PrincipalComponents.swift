internal import CKernels
internal import CLapacke
public import Numerics

// N vectors, D their width, d the number of components.

/// The directions of largest variance of a set of vectors.
///
/// The covariance is added up in Double over fixed blocks of rows, so that its bits do not depend on the number
/// of threads; its eigenvectors come from LAPACK (`dsyevr`, single-threaded).
public struct PrincipalComponents: Sendable, Equatable {
  /// The mean of the vectors, shape `[D]`.
  public let mean: [Float]
  /// Orthonormal rows by descending variance, shape `[d, D]`.
  ///
  /// The component of largest size in a row is positive (the first one among equals), which fixes the sign that an
  /// eigenvector leaves open.
  public let basis: Matrix
  /// The variance along each row of ``basis`` (divided by N), descending, shape `[d]`.
  public let variances: [Double]
  /// The variance along all D directions together, the trace of the covariance.
  public let totalVariance: Double

  /// Finds the leading components.
  ///
  /// - Parameters:
  ///   - vectors: shape `[N, D]`, N > 0.
  ///   - count: the number of components d, `1...D`. Where d exceeds the rank, the last rows are orthonormal
  ///     directions without variance.
  ///   - threads: the largest number of threads.
  /// - Complexity: O(N · D²) in single precision within blocks of 1,024 rows, plus O(D³).
  public init(_ vectors: Matrix, count: Int, threads: Int) {
    precondition(vectors.rows > 0, "no vectors")
    precondition(count > 0 && count <= vectors.columns, "\(count) of \(vectors.columns) components")
    let columnMean = columnMeans(vectors, threads: threads)
    let covariance = covarianceMatrix(vectors, mean: columnMean, threads: threads)
    let leading = leadingEigenvectors(covariance, size: vectors.columns, count: count)
    mean = columnMean
    basis = leading.vectors
    variances = leading.values.map { max(0, $0) }
    totalVariance = (0..<vectors.columns).reduce(0) { $0 + covariance[$1 * vectors.columns + $1] }
  }

  /// The same directions with a mean of zero, for vectors that are differences already.
  public var withoutMean: PrincipalComponents {
    PrincipalComponents(directions: self)
  }

  private init(directions: PrincipalComponents) {
    mean = Array(repeating: 0, count: directions.mean.count)
    basis = directions.basis
    variances = directions.variances
    totalVariance = directions.totalVariance
  }

  /// The coordinates of centred vectors in the basis.
  ///
  /// - Parameters:
  ///   - vectors: shape `[N, D]`.
  ///   - threads: the largest number of threads.
  /// - Returns: `(vectors − mean) · basisᵀ`, shape `[N, d]`.
  public func project(_ vectors: Matrix, threads: Int = 1) -> Matrix {
    precondition(vectors.columns == mean.count, "width \(vectors.columns), not \(mean.count)")
    let width = basis.rows
    let inputWidth = mean.count
    var output = Matrix(rows: vectors.rows, columns: width)
    unsafe output.values.withUnsafeMutableBufferPointer { target in
      unsafe vectors.values.withUnsafeBufferPointer { source in
        // Blocks write disjoint rows.
        nonisolated(unsafe) let target = unsafe target
        nonisolated(unsafe) let source = unsafe source
        parallelFor((vectors.rows + rowBlock - 1) / rowBlock, threads: threads) { block in
          guard let input = unsafe source.baseAddress, let out = unsafe target.baseAddress else {
            return
          }
          let first = block * rowBlock
          let count = min(rowBlock, vectors.rows - first)
          var centred = [Float](repeating: 0, count: count * inputWidth)
          unsafe h2rec_subtract_from_rows(
            input + first * inputWidth, mean, count, inputWidth, &centred)
          unsafe matrixMultiply(
            count, width, inputWidth, centred, inputWidth, basis.values, inputWidth,
            transposeB: true, out + first * width, width)
        }
      }
    }
    return output
  }

  /// The coordinates of vectors whose mean was subtracted before.
  ///
  /// - Parameter vectors: shape `[K, D]`.
  /// - Returns: `vectors · basisᵀ`, shape `[K, d]`.
  public func coordinates(_ vectors: Matrix) -> Matrix {
    precondition(vectors.columns == basis.columns, "width \(vectors.columns)")
    var coordinates = Matrix(rows: vectors.rows, columns: basis.rows)
    unsafe matrixMultiply(
      vectors.rows, basis.rows, basis.columns, vectors.values, vectors.columns, basis.values,
      basis.columns, transposeB: true, &coordinates.values, basis.rows)
    return coordinates
  }

  /// Coordinates in the basis as vectors of the original width; the mean is not added.
  ///
  /// - Parameter coordinates: shape `[K, d]`.
  /// - Returns: `coordinates · basis`, shape `[K, D]`.
  public func expand(_ coordinates: Matrix) -> Matrix {
    precondition(coordinates.columns == basis.rows, "width \(coordinates.columns)")
    var vectors = Matrix(rows: coordinates.rows, columns: basis.columns)
    unsafe matrixMultiply(
      coordinates.rows, basis.columns, basis.rows, coordinates.values, coordinates.columns,
      basis.values, basis.columns, &vectors.values, basis.columns)
    return vectors
  }
}

/// The mean of each column, added up in Double.
///
/// - Parameters:
///   - vectors: shape `[N, D]`, N > 0.
///   - threads: the largest number of threads.
/// - Returns: shape `[D]`.
public func columnMeans(_ vectors: Matrix, threads: Int) -> [Float] {
  let columns = vectors.columns
  let sums = unsafe vectors.values.withUnsafeBufferPointer { source in
    nonisolated(unsafe) let source = unsafe source
    return unsafe sumOverBlocks(rows: vectors.rows, width: columns, threads: threads) { rows, sum in
      guard let base = unsafe source.baseAddress else { return }
      unsafe h2rec_add_rows_double(base + rows.lowerBound * columns, rows.count, columns, sum)
    }
  }
  return sums.map { Float($0 / Double(vectors.rows)) }
}

/// Takes one vector from every row.
///
/// - Parameters:
///   - vector: shape `[D]`.
///   - vectors: shape `[N, D]`, changed in place.
///   - threads: the largest number of threads.
public func subtract(_ vector: [Float], fromRowsOf vectors: inout Matrix, threads: Int) {
  precondition(vector.count == vectors.columns, "width \(vector.count), not \(vectors.columns)")
  let (rows, columns) = (vectors.rows, vectors.columns)
  unsafe vectors.values.withUnsafeMutableBufferPointer { values in
    nonisolated(unsafe) let values = unsafe values
    parallelFor((rows + rowBlock - 1) / rowBlock, threads: threads) { block in
      guard let base = unsafe values.baseAddress else { return }
      let first = block * rowBlock
      unsafe h2rec_subtract_from_rows(
        base + first * columns, vector, min(rowBlock, rows - first), columns, base + first * columns
      )
    }
  }
}

/// Rows in a block of work; a constant, so that sums have the same bits for any number of threads.
private let rowBlock = 1024

/// Sums kept apart before they are added in order; bounds the memory of the covariance.
private let segmentCount = 8

/// The covariance matrix (divided by N) as `[D, D]` in Double.
private func covarianceMatrix(_ vectors: Matrix, mean: [Float], threads: Int) -> [Double] {
  let columns = vectors.columns
  let sums = unsafe vectors.values.withUnsafeBufferPointer { source in
    nonisolated(unsafe) let source = unsafe source
    return unsafe sumOverBlocks(rows: vectors.rows, width: columns * columns, threads: threads) {
      rows, sum in
      guard let base = unsafe source.baseAddress else { return }
      var centred = [Float](repeating: 0, count: rows.count * columns)
      var product = [Float](repeating: 0, count: columns * columns)
      unsafe h2rec_subtract_from_rows(
        base + rows.lowerBound * columns, mean, rows.count, columns, &centred)
      unsafe matrixMultiply(
        columns, columns, rows.count, centred, columns, transposeA: true, centred, columns,
        &product, columns)
      unsafe h2rec_add_rows_double(product, 1, columns * columns, sum)
    }
  }
  return sums.map { $0 / Double(vectors.rows) }
}

/// `leftᵀ · right` in Double over blocks of single-precision products, shape `[P, P]`.
func sumOfOuterProducts(_ left: Matrix, _ right: Matrix, threads: Int) -> [Double] {
  let columns = left.columns
  return unsafe left.values.withUnsafeBufferPointer { left in
    unsafe right.values.withUnsafeBufferPointer { right in
      nonisolated(unsafe) let (left, right) = unsafe (left, right)
      let rows = columns > 0 ? unsafe left.count / columns : 0
      return unsafe sumOverBlocks(rows: rows, width: columns * columns, threads: threads) {
        rows, sum in
        guard let a = unsafe left.baseAddress, let b = unsafe right.baseAddress else { return }
        var product = [Float](repeating: 0, count: columns * columns)
        unsafe matrixMultiply(
          columns, columns, rows.count, a + rows.lowerBound * columns, columns, transposeA: true,
          b + rows.lowerBound * columns, columns, &product, columns)
        unsafe h2rec_add_rows_double(product, 1, columns * columns, sum)
      }
    }
  }
}

/// Adds what `body` adds for each block of rows, in an order that does not depend on the number of threads.
///
/// The blocks are dealt to at most ``segmentCount`` neighbouring segments; each has its own sum, and the sums are
/// added in order.
///
/// - Parameters:
///   - rows: the number of rows.
///   - width: the numbers in a sum.
///   - threads: the largest number of threads.
///   - body: adds the part of some rows to a sum.
/// - Returns: the sum over all rows, shape `[width]`.
private func sumOverBlocks(
  rows: Int, width: Int, threads: Int,
  _ body: @Sendable (_ rows: Range<Int>, _ sum: UnsafeMutablePointer<Double>) -> Void
) -> [Double] {
  let blockCount = (rows + rowBlock - 1) / rowBlock
  let segments = min(segmentCount, blockCount)
  var sums = [Double](repeating: 0, count: segments * width)
  unsafe sums.withUnsafeMutableBufferPointer { buffer in
    nonisolated(unsafe) let buffer = unsafe buffer
    parallelFor(segments, threads: threads) { segment in
      guard let base = unsafe buffer.baseAddress else { return }
      for block in segment * blockCount / segments..<(segment + 1) * blockCount / segments {
        let first = block * rowBlock
        unsafe body(first..<min(first + rowBlock, rows), base + segment * width)
      }
    }
  }
  return (0..<width).map { column in
    (0..<segments).reduce(0) { $0 + sums[$1 * width + column] }
  }
}

/// The eigenvectors of the largest eigenvalues, in descending order, with their sign fixed.
///
/// - Parameters:
///   - matrix: symmetric, `[D, D]`.
///   - size: D.
///   - count: how many, `1...D`.
/// - Returns: the vectors as rows, and their eigenvalues.
private func leadingEigenvectors(
  _ matrix: [Double], size: Int, count: Int
) -> (vectors: Matrix, values: [Double]) {
  var work = matrix
  var values = [Double](repeating: 0, count: size)
  var vectors = [Double](repeating: 0, count: size * count)
  var support = [Int32](repeating: 0, count: 2 * size)
  var found: Int32 = 0
  let order = Int32(size)
  // Columns of a column-major [D, d] result are the rows we want. 'L' of a symmetric matrix: the order does not matter.
  let status = unsafe LAPACKE_dsyevr(
    LAPACK_COL_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "I")),
    CChar(UInt8(ascii: "L")), order, &work, order, 0, 0, order - Int32(count) + 1, order, 0,
    &found, &values, &vectors, order, &support)
  precondition(status == 0 && Int(found) == count, "LAPACK dsyevr: status \(status)")
  var basis = Matrix(rows: count, columns: size)
  for row in 0..<count {
    let column = vectors[(count - 1 - row) * size..<(count - row) * size]
    let sign = signOfLargest(column)
    for (index, value) in column.enumerated() {
      basis.values[row * size + index] = Float(sign * value)
    }
  }
  return (basis, (0..<count).map { values[count - 1 - $0] })
}

/// The sign of the first number of largest size.
private func signOfLargest(_ numbers: ArraySlice<Double>) -> Double {
  var largest = 0.0
  for number in numbers where abs(number) > abs(largest) { largest = number }
  return largest < 0 ? -1 : 1
}
