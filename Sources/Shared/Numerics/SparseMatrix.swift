// R rows, C columns of the sparse matrix, D columns of the dense one.

/// A sparse matrix by rows (CSR).
public struct SparseMatrix: Sendable, Equatable {
  /// The number of columns C.
  public let columns: Int
  /// Where each row begins in ``indices``, with the end of the last row.
  public let offsets: [Int]
  /// The column of each entry.
  public let indices: [UInt32]
  /// The value of each entry.
  public let values: [Float]

  /// A matrix from its parts.
  ///
  /// - Parameters:
  ///   - columns: the number of columns.
  ///   - offsets: ascending, first 0, last the number of entries.
  ///   - indices: the columns of the entries, each below `columns`.
  ///   - values: the values of the entries.
  /// - Precondition: the parts fit together.
  public init(columns: Int, offsets: [Int], indices: [UInt32], values: [Float]) {
    precondition(offsets.first == 0 && offsets.last == indices.count, "offsets do not fit")
    precondition(indices.count == values.count, "\(indices.count) columns, \(values.count) values")
    precondition(zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }, "offsets descend")
    precondition(indices.allSatisfy { $0 < columns }, "an entry beyond \(columns) columns")
    self.columns = columns
    self.offsets = offsets
    self.indices = indices
    self.values = values
  }

  /// The number of rows R.
  public var rows: Int { offsets.count - 1 }

  /// The matrix with rows and columns exchanged; the entries of a row are in ascending order of their columns.
  public var transposed: SparseMatrix {
    var starts = [Int](repeating: 0, count: columns + 1)
    for column in indices { starts[Int(column) + 1] += 1 }
    for column in 0..<columns { starts[column + 1] += starts[column] }
    var next = starts
    var rowIndices = [UInt32](repeating: 0, count: indices.count)
    var moved = [Float](repeating: 0, count: values.count)
    for row in 0..<rows {
      for entry in offsets[row]..<offsets[row + 1] {
        let place = next[Int(indices[entry])]
        next[Int(indices[entry])] += 1
        rowIndices[place] = UInt32(row)
        moved[place] = values[entry]
      }
    }
    return SparseMatrix(columns: rows, offsets: starts, indices: rowIndices, values: moved)
  }

  /// The product with a dense matrix.
  ///
  /// - Parameters:
  ///   - dense: shape `[C, D]`.
  ///   - threads: the largest number of threads; the bits of the result do not depend on it.
  /// - Returns: shape `[R, D]`; entries of a row are added in their order.
  public func times(_ dense: Matrix, threads: Int) -> Matrix {
    precondition(dense.rows == columns, "\(dense.rows) rows, not \(columns)")
    let width = dense.columns
    var output = Matrix(rows: rows, columns: width)
    let rowsPerBlock = 256
    unsafe output.values.withUnsafeMutableBufferPointer { target in
      unsafe dense.values.withUnsafeBufferPointer { source in
        // Blocks write disjoint rows.
        nonisolated(unsafe) let target = unsafe target
        nonisolated(unsafe) let source = unsafe source
        parallelFor((rows + rowsPerBlock - 1) / rowsPerBlock, threads: threads) { block in
          guard let out = unsafe target.baseAddress, let input = unsafe source.baseAddress else {
            return
          }
          for row in block * rowsPerBlock..<min((block + 1) * rowsPerBlock, rows) {
            for entry in offsets[row]..<offsets[row + 1] {
              let from = unsafe input + Int(indices[entry]) * width
              let to = unsafe out + row * width
              let value = values[entry]
              for d in 0..<width { unsafe to[d] += value * from[d] }
            }
          }
        }
      }
    }
    return output
  }
}
