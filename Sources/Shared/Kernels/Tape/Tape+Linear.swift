internal import CKernels

extension Tape {
  /// `y = x · weightᵀ + bias`.
  ///
  /// - Parameters:
  ///   - x: `[T, in]`.
  ///   - weight: `[out, in]`.
  ///   - bias: `[1, out]` or nil.
  ///   - y: where the result goes, `[T, out]`; a new tensor if nil.
  /// - Returns: `y`.
  @discardableResult
  public func linear(
    _ x: Tensor, _ weight: Parameter, bias: Parameter? = nil, into y: Tensor? = nil
  ) -> Tensor {
    let y = y ?? tensor(rows: x.rows, columns: weight.rows)
    multiply(x, weight, into: y)
    if let bias {
      unsafe h2rec_add_bias(y.values, value(bias), y.rows, y.columns)
    }
    record { [self] in
      unsafe linearBackward(x, weight, dy: grad(y))
      if let bias {
        unsafe h2rec_column_sums(gradient(bias), grad(y), y.rows, y.columns)
      }
    }
    return y
  }

  /// `y = dropout(relu(x · weightᵀ + bias))`; shapes as in ``linear(_:_:bias:into:)``.
  public func linearReLUDropout(
    _ x: Tensor, _ weight: Parameter, bias: Parameter, rate: Float
  ) -> Tensor {
    let y = tensor(rows: x.rows, columns: weight.rows)
    let dropout = nextDropout(rate)
    multiply(x, weight, into: y)
    unsafe h2rec_bias_relu_dropout(y.values, value(bias), y.rows, y.columns, dropout)
    record { [self] in
      let dz = unsafe arena.allocate(y.count)
      unsafe h2rec_relu_dropout_backward(y.values, grad(y), dz, y.count, dropout.rate)
      unsafe linearBackward(x, weight, dy: dz)
      unsafe h2rec_column_sums(gradient(bias), dz, y.rows, y.columns)
    }
    return y
  }

  /// `y = residual + dropout(x · weightᵀ + bias)`; shapes as in ``linear(_:_:bias:into:)``.
  public func linearDropoutAdd(
    _ x: Tensor, _ weight: Parameter, bias: Parameter, rate: Float, to residual: Tensor
  ) -> Tensor {
    let z = unsafe arena.allocate(x.rows * weight.rows)
    let y = tensor(rows: x.rows, columns: weight.rows)
    precondition(residual.rows == y.rows && residual.columns == y.columns)
    let dropout = nextDropout(rate)
    unsafe matrixMultiply(
      x.rows, weight.rows, x.columns, x.values, x.columns, value(weight), weight.columns,
      transposeB: true, z, weight.rows)
    unsafe h2rec_bias_dropout_add(
      z, value(bias), residual.values, y.values, y.rows, y.columns, dropout)
    record { [self] in
      let dy = unsafe grad(y)
      unsafe h2rec_add_scaled(grad(residual), dy, 1, y.count)
      unsafe h2rec_apply_dropout(dy, y.rows, y.columns, dropout)
      unsafe linearBackward(x, weight, dy: dy)
      unsafe h2rec_column_sums(gradient(bias), dy, y.rows, y.columns)
    }
    return y
  }

  /// One product for each view: block m of the columns of y is `views[m] · weight[m]`.
  ///
  /// - Parameters:
  ///   - views: `[M · T, d]`, view by view.
  ///   - weight: `[M · d, d]`, used as x W (not transposed).
  ///   - viewCount: M.
  /// - Returns: `[T, M · d]`.
  public func linearOfViews(_ views: Tensor, _ weight: Parameter, viewCount: Int) -> Tensor {
    let rows = views.rows / viewCount
    let width = weight.columns
    let y = tensor(rows: rows, columns: viewCount * width)
    for view in 0..<viewCount {
      unsafe matrixMultiply(
        rows, width, views.columns, views.values + view * rows * views.columns, views.columns,
        value(weight) + view * width * width, width, y.values + view * width, y.columns)
    }
    record { [self] in
      for view in 0..<viewCount {
        let dy = unsafe grad(y) + view * width
        let x = unsafe views.values + view * rows * views.columns
        unsafe matrixMultiply(
          rows, views.columns, width, dy, y.columns, value(weight) + view * width * width, width,
          transposeB: true, beta: 1, grad(views) + view * rows * views.columns, views.columns)
        unsafe matrixMultiply(
          views.columns, width, rows, x, views.columns, transposeA: true, dy, y.columns, beta: 1,
          gradient(weight) + view * width * width, width)
      }
    }
    return y
  }

  private func multiply(_ x: Tensor, _ weight: Parameter, into y: Tensor) {
    precondition(x.columns == weight.columns && y.rows == x.rows && y.columns == weight.rows)
    unsafe matrixMultiply(
      x.rows, weight.rows, x.columns, x.values, x.columns, value(weight), weight.columns,
      transposeB: true, y.values, weight.rows)
  }

  private func linearBackward(
    _ x: Tensor, _ weight: Parameter, dy: UnsafeMutablePointer<Float>
  ) {
    if !x.isConstant {
      unsafe matrixMultiply(
        x.rows, x.columns, weight.rows, dy, weight.rows, value(weight), weight.columns, beta: 1,
        grad(x), x.columns)
    }
    unsafe matrixMultiply(
      weight.rows, x.columns, x.rows, dy, weight.rows, transposeA: true, x.values, x.columns,
      beta: 1, gradient(weight), weight.columns)
  }
}
