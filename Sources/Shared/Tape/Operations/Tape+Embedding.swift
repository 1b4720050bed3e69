internal import CKernels
internal import Numerics

/// Rows of an embedding table that a micro-batch used, and the gradients they receive.
@safe public struct Gather {
  /// The table.
  public let table: EmbeddingTable
  let indices: [UInt32]
  /// Indices per gradient row; all of them receive the row.
  let indicesPerRow: Int
  let rows: UnsafeMutablePointer<Float>
  let factor: Float
}

/// The position IDs of the tokens of a micro-batch: rows of a position table.
public struct PositionIDs: Sendable {
  /// The row of the position table for each token, `[T]`.
  public let indices: [UInt32]
  /// The position table, `[longest, d]`.
  public let table: Parameter

  /// Names rows of a position table.
  public init(indices: [UInt32], table: Parameter) {
    self.indices = indices
    self.table = table
  }
}

extension Tape {
  /// `y[t] = dropout(scale · mean over j of table[indices[t, j]] + positions[ids[t]])`.
  ///
  /// - Parameters:
  ///   - table: the embedding table, `[N, d]`.
  ///   - indices: `indicesPerRow` rows of the table for each token, `[T · indicesPerRow]`.
  ///   - indicesPerRow: 1 for an item's own row, M for the mean over the levels of its code.
  ///   - scale: the factor of the rows, √d in the model.
  ///   - positions: the row of a position table that is added to each token; nil for none.
  ///   - rate: dropout, in [0, 1).
  ///   - y: `[T, d]`; a new tensor if nil.
  /// - Returns: `y`.
  @discardableResult
  public func embed(
    _ table: EmbeddingTable, _ indices: [UInt32], indicesPerRow: Int = 1, scale: Float,
    positions: PositionIDs?, rate: Float, into y: Tensor? = nil
  ) -> Tensor {
    let rows = indices.count / indicesPerRow
    let y = y ?? tensor(rows: rows, columns: table.width)
    precondition(y.rows == rows && y.columns == table.width)
    precondition(positions.map { $0.indices.count == rows } ?? true)
    let dropout = nextDropout(rate)
    if indicesPerRow == 1 {
      unsafe h2rec_embed(
        y.values, table.values.base, indices, positions.map { unsafe value($0.table) },
        positions?.indices ?? [], scale, rows, table.width, dropout)
    } else {
      unsafe h2rec_embed_mean(
        y.values, table.values.base, indices, indicesPerRow,
        positions.map { unsafe value($0.table) },
        positions?.indices ?? [], scale, rows, table.width, dropout)
    }
    record { [self] in
      let dy = unsafe grad(y)
      unsafe h2rec_apply_dropout(dy, rows, table.width, dropout)
      if let positions {
        unsafe h2rec_scatter_add(
          gradient(positions.table), positions.indices, dy, 1, rows, table.width)
      }
      gathers.append(
        unsafe Gather(
          table: table, indices: indices, indicesPerRow: indicesPerRow, rows: dy,
          factor: scale / Float(indicesPerRow)))
    }
    return y
  }

  /// Some rows of a tensor, `y[i] = x[indices[i]]`.
  public func rows(_ x: Tensor, _ indices: [UInt32]) -> Tensor {
    let y = tensor(rows: indices.count, columns: x.columns)
    for (row, index) in indices.enumerated() {
      unsafe (y.values + row * x.columns).update(
        from: x.values + Int(index) * x.columns, count: x.columns)
    }
    record { [self] in
      unsafe h2rec_scatter_add(grad(x), indices, grad(y), 1, indices.count, x.columns)
    }
    return y
  }

  /// `y[t] = x[t] + table[ids[t]]`: position rows for what is on the tape already.
  public func addRows(_ x: Tensor, _ positions: PositionIDs) -> Tensor {
    precondition(positions.indices.count == x.rows && positions.table.columns == x.columns)
    let y = tensor(rows: x.rows, columns: x.columns)
    unsafe y.values.update(from: x.values, count: x.count)
    for (row, index) in positions.indices.enumerated() {
      unsafe h2rec_add_scaled(
        y.values + row * x.columns, value(positions.table) + Int(index) * x.columns, 1, x.columns)
    }
    record(lastFor: y) { [self] in
      unsafe pass(grad(y), to: x)
      unsafe h2rec_scatter_add(
        gradient(positions.table), positions.indices, grad(y), 1, y.rows, y.columns)
    }
    return y
  }

  /// The rows of x in their order, with a learned row at some places among them.
  ///
  /// - Parameters:
  ///   - x: `[T − places, d]`.
  ///   - row: `[1, d]`.
  ///   - places: rows of the result, ascending, each once.
  /// - Returns: `[T, d]`.
  public func insertRows(_ x: Tensor, _ row: Parameter, at places: [UInt32]) -> Tensor {
    let y = tensor(rows: x.rows + places.count, columns: x.columns)
    precondition(row.count == x.columns && places.allSatisfy { $0 < UInt32(y.rows) })
    precondition(zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
    let width = x.columns
    var rest = places[...]
    // For each row of x its place in y.
    var kept: [Int] = []
    for place in 0..<y.rows {
      let isLearned = rest.first == UInt32(place)
      let source = unsafe isLearned ? value(row) : x.values + kept.count * width
      unsafe (y.values + place * width).update(from: source, count: width)
      if isLearned { rest = rest.dropFirst() } else { kept.append(place) }
    }
    record(lastFor: y) { [self] in
      for (index, place) in kept.enumerated() {
        unsafe h2rec_add_scaled(grad(x) + index * width, grad(y) + place * width, 1, width)
      }
      for place in places {
        unsafe h2rec_add_scaled(gradient(row), grad(y) + Int(place) * width, 1, width)
      }
    }
    return y
  }
}
