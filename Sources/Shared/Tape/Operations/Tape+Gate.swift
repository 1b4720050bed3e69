internal import CKernels
internal import Numerics

extension Tape {
  /// Row-wise softmax of `x + shift`.
  ///
  /// - Parameters:
  ///   - x: `[T, M]`.
  ///   - shift: `[M]`, added to every row; not learned.
  /// - Returns: `[T, M]`; every row adds up to 1.
  public func softmax(_ x: Tensor, shift: [Float]) -> Tensor {
    precondition(shift.count == x.columns)
    let y = tensor(rows: x.rows, columns: x.columns)
    unsafe y.values.update(from: x.values, count: x.count)
    unsafe h2rec_softmax(y.values, shift, x.rows, x.columns)
    record { [self] in
      unsafe h2rec_softmax_backward(y.values, grad(y), grad(x), x.rows, x.columns)
    }
    return y
  }

  /// A learned row, the same for every token: `[T, columns]`.
  public func broadcast(_ row: Parameter, rows: Int) -> Tensor {
    let y = tensor(rows: rows, columns: row.count)
    for index in 0..<rows {
      unsafe (y.values + index * row.count).update(from: value(row), count: row.count)
    }
    record { [self] in
      unsafe h2rec_column_sums(gradient(row), grad(y), rows, row.count)
    }
    return y
  }

  /// Each view's columns times the view's weight: `y[t, m·d ..< (m+1)·d] = weights[t, m] · x[t, m·d ..< (m+1)·d]`.
  ///
  /// - Parameters:
  ///   - x: `[T, M · d]`.
  ///   - weights: `[T, M]`.
  /// - Returns: `[T, M · d]`.
  public func scaleViews(_ x: Tensor, weights: Tensor) -> Tensor {
    let y = tensor(rows: x.rows, columns: x.columns)
    let width = x.columns / weights.columns
    precondition(x.rows == weights.rows && width * weights.columns == x.columns)
    unsafe h2rec_scale_views(
      y.values, x.values, weights.values, x.rows, weights.columns, width)
    record(lastFor: y) { [self] in
      guard let (dx, adds) = unsafe x.gradientToWrite else { return }
      unsafe h2rec_scale_views_backward(
        x.values, weights.values, grad(y), dx, grad(weights), x.rows, weights.columns, width,
        adds ? 1 : 0)
    }
    return y
  }

  /// The sum of the views of each row: `y[t] = Σ_m x[t, m·d ..< (m+1)·d]`.
  ///
  /// - Parameters:
  ///   - x: `[T, M · d]`.
  ///   - count: M.
  /// - Returns: `[T, d]`.
  public func sumOfViews(_ x: Tensor, count: Int) -> Tensor {
    let width = x.columns / count
    precondition(width * count == x.columns)
    let y = tensor(rows: x.rows, columns: width)
    for row in 0..<x.rows {
      let (source, target) = unsafe (x.values + row * x.columns, y.values + row * width)
      unsafe target.update(from: source, count: width)
      for view in 1..<max(1, count) {
        unsafe h2rec_add_scaled(target, source + view * width, 1, width)
      }
    }
    record(lastFor: y) { [self] in
      for row in 0..<x.rows {
        for view in 0..<count {
          unsafe h2rec_add_scaled(
            grad(x) + row * x.columns + view * width, grad(y) + row * width, 1, width)
        }
      }
    }
    return y
  }

  /// `y += weights · rows`, in place: the biases of the views, mixed by the gate.
  ///
  /// - Parameters:
  ///   - weights: `[T, M]`.
  ///   - rows: `[M, d]`.
  ///   - y: `[T, d]`.
  public func addMixture(_ weights: Tensor, _ rows: Parameter, to y: Tensor) {
    unsafe matrixMultiply(
      y.rows, y.columns, rows.rows, weights.values, weights.columns, value(rows), rows.columns,
      beta: 1, y.values, y.columns)
    record { [self] in
      unsafe matrixMultiply(
        y.rows, rows.rows, y.columns, grad(y), y.columns, value(rows), rows.columns,
        transposeB: true, beta: 1, grad(weights), weights.columns)
      unsafe matrixMultiply(
        rows.rows, y.columns, y.rows, weights.values, weights.columns, transposeA: true, grad(y),
        y.columns, beta: 1, gradient(rows), rows.columns)
    }
  }

  /// One mixture of the views for all tokens of a sequence, hidden views replaced by learned vectors.
  ///
  /// - Parameters:
  ///   - views: `[M · T, d]`, view by view.
  ///   - weights: `[sequences, M]`.
  ///   - hidden: `[sequences · M]`, 1 where a view is replaced.
  ///   - masks: the vectors that replace them, `[M, d]`.
  ///   - sequences: token ranges of the T tokens.
  ///   - y: `[T, d]`; overwritten.
  public func mixViews(
    _ views: Tensor, weights: Tensor, hidden: [UInt8], masks: Parameter,
    sequences: PackedSequences, into y: Tensor
  ) {
    let tokens = sequences.tokenCount
    precondition(hidden.count == weights.count && views.rows == tokens * weights.columns)
    unsafe h2rec_mix_views(
      y.values, views.values, weights.values, hidden, value(masks), sequences.offsets,
      sequences.count, tokens, weights.columns, views.columns)
    record { [self] in
      unsafe h2rec_mix_views_backward(
        grad(y), views.values, weights.values, hidden, value(masks), grad(views), grad(weights),
        gradient(masks), sequences.offsets, sequences.count, tokens, weights.columns,
        views.columns)
    }
  }
}
