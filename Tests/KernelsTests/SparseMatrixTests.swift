import TestSupport
import Testing

@testable import Numerics

struct `Sparse matrix` {
  /// A random matrix with empty rows and columns, and its dense form.
  private func example(
    _ rows: Int, _ columns: Int, _ random: inout SeededGenerator
  ) -> (SparseMatrix, [[Float]]) {
    var dense = [[Float]](repeating: Array(repeating: 0, count: columns), count: rows)
    var offsets = [0]
    var indices: [UInt32] = []
    var values: [Float] = []
    for row in 0..<rows {
      for column in 0..<columns where Int.random(in: 0..<4, using: &random) == 0 {
        dense[row][column] = Float(Int.random(in: -3...3, using: &random))
        indices.append(UInt32(column))
        values.append(dense[row][column])
      }
      offsets.append(values.count)
    }
    return (
      SparseMatrix(columns: columns, offsets: offsets, indices: indices, values: values), dense
    )
  }

  @Test func `products are those of the dense form, for any number of threads`() throws {
    try withEvery("seed", in: 0..<20) { seed in
      var random = SeededGenerator(seed: seed)
      let (rows, columns, width) = (seed * 40, 1 + seed % 7, 1 + seed % 9)
      let (sparse, dense) = example(rows, columns, &random)
      let factor = Matrix(
        rows: columns, columns: width,
        values: (0..<columns * width).map { _ in Float(Int.random(in: -4...4, using: &random)) })
      let expected = dense.flatMap { row in
        (0..<width).map { column in
          row.indices.reduce(Float(0)) { $0 + row[$1] * factor.values[$1 * width + column] }
        }
      }
      try #require(sparse.times(factor, threads: 1).values == expected)
      try #require(sparse.times(factor, threads: 3).values == expected)
    }
  }

  @Test func `transposing exchanges rows and columns`() {
    let sparse = SparseMatrix(
      columns: 4, offsets: [0, 2, 2, 4], indices: [1, 3, 0, 1], values: [1, 2, 3, 4])
    #expect(
      sparse.transposed
        == SparseMatrix(
          columns: 3, offsets: [0, 1, 3, 3, 4], indices: [2, 0, 2, 0], values: [3, 1, 4, 2]))
    #expect(sparse.transposed.transposed == sparse)
  }
}
