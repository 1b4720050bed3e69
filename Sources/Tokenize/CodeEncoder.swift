internal import Dataset
internal import Kernels

// N items, D width of their vectors, M levels.

/// A frozen tokenizer: gives any vector its codes.
struct CodeEncoder: Sendable, Equatable {
  let codebooks: [Matrix]
  let center: [Float]

  /// What came of some vectors.
  struct Encoding: Sendable, Equatable {
    /// Shape `[N, M]`.
    var codes: [UInt16]
    /// Squared distance of each vector from centre plus codes, shape `[N]`.
    var errors: [Double]
    /// Mean squared length of the centred vectors.
    var variance: Double
    /// Mean squared length of what is left after each level.
    var residuals: [Double]
  }

  /// Takes the nearest code vector of each level from what the levels before it left.
  ///
  /// - Parameters:
  ///   - vectors: shape `[N, D]`, N > 0.
  ///   - threads: the largest number of threads; the result does not depend on it.
  /// - Returns: the codes; those of a vector do not depend on the other vectors.
  /// - Complexity: O(N · ΣK · D) time; copies 65,536 vectors at a time.
  func encode(_ vectors: Matrix, threads: Int) -> Encoding {
    var encoding = Encoding(
      codes: [], errors: [], variance: 0, residuals: codebooks.map { _ in 0 })
    for first in stride(from: 0, to: vectors.rows, by: Self.chunkRows) {
      append(vectors, first..<min(first + Self.chunkRows, vectors.rows), to: &encoding, threads)
    }
    encoding.variance /= Double(vectors.rows)
    for level in encoding.residuals.indices {
      encoding.residuals[level] /= Double(vectors.rows)
    }
    return encoding
  }

  private static let chunkRows = 65_536

  private func append(
    _ vectors: Matrix, _ rows: Range<Int>, to encoding: inout Encoding, _ threads: Int
  ) {
    let columns = vectors.columns
    var rest = Matrix(
      rows: rows.count, columns: columns,
      values: Array(vectors.values[rows.lowerBound * columns..<rows.upperBound * columns]))
    subtract(center, fromRowsOf: &rest, threads: threads)
    let count = Double(rows.count)
    encoding.variance += count * meanSquaredLength(rest, threads: threads)
    var codes = [UInt16](repeating: 0, count: rows.count * codebooks.count)
    for (level, codebook) in codebooks.enumerated() {
      let nearest = NearestCentroids(of: rest, among: codebook, threads: threads)
      subtract(nearest.indices, of: codebook, from: &rest, threads: threads)
      for (row, code) in nearest.indices.enumerated() {
        codes[row * codebooks.count + level] = UInt16(code)
      }
      encoding.residuals[level] += count * meanSquaredLength(rest, threads: threads)
    }
    encoding.codes += codes
    encoding.errors += squaredLengths(rest, threads: threads).map(Double.init)
  }
}

extension CodeEncoder {
  /// The tokenizer of an earlier run.
  init(_ codes: ItemCodes) {
    self.init(codebooks: codes.codebookMatrices, center: codes.center)
  }
}
