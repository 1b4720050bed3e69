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
    let input = multiply(x, weight, into: y)
    if let bias {
      unsafe h2rec_add_bias(y.values, value(bias), y.rows, y.columns)
    }
    record(lastFor: y) { [self] in
      unsafe linearBackward(x, input, weight, dy: grad(y))
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
    let input = multiply(x, weight, into: y)
    unsafe h2rec_bias_relu_dropout(y.values, value(bias), y.rows, y.columns, dropout)
    record(lastFor: y) { [self] in
      let dz = unsafe arena.allocate(y.count)
      unsafe h2rec_relu_dropout_backward(y.values, grad(y), dz, y.count, dropout.rate)
      unsafe linearBackward(x, input, weight, dy: dz)
      unsafe h2rec_column_sums(gradient(bias), dz, y.rows, y.columns)
    }
    return y
  }

  /// `y = residual + dropout(x · weightᵀ + bias)`; shapes as in ``linear(_:_:bias:into:)``.
  public func linearDropoutAdd(
    _ x: Tensor, _ weight: Parameter, bias: Parameter, rate: Float, to residual: Tensor
  ) -> Tensor {
    let y = tensor(rows: x.rows, columns: weight.rows)
    let z = unsafe Tensor(
      rows: y.rows, columns: y.columns, values: arena.allocate(y.count), gradient: nil)
    precondition(residual.rows == y.rows && residual.columns == y.columns)
    let dropout = nextDropout(rate)
    let input = multiply(x, weight, into: z)
    unsafe h2rec_bias_dropout_add(
      z.values, value(bias), residual.values, y.values, y.rows, y.columns, dropout)
    record(lastFor: y) { [self] in
      let dy = unsafe grad(y)
      unsafe pass(dy, to: residual)
      unsafe h2rec_apply_dropout(dy, y.rows, y.columns, dropout)
      unsafe linearBackward(x, input, weight, dy: dy)
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
    let inputs = (0..<viewCount).map { view in
      unsafe factor(
        views.values + view * rows * views.columns, rows: rows, columns: views.columns,
        stride: views.columns)
    }
    let weights = (0..<viewCount).map { factor(weight.slice($0 * width..<($0 + 1) * width)) }
    for view in 0..<viewCount {
      unsafe product(
        rows, width, views.columns, inputs[view], weights[view], into: y.values + view * width,
        stride: y.columns)
    }
    record(lastFor: y) { [self] in
      for view in 0..<viewCount {
        let dy = unsafe factor(
          grad(y) + view * width, rows: rows, columns: width, stride: y.columns)
        unsafe product(
          rows, views.columns, width, dy, weights[view], transposeB: true, adds: true,
          into: grad(views) + view * rows * views.columns, stride: views.columns)
        unsafe product(
          views.columns, width, rows, inputs[view], transposeA: true, dy, adds: true,
          into: gradient(weight) + view * width * width, stride: width)
      }
    }
    return y
  }

  /// `y = x · weightᵀ`; returns x as the factor that the backward pass needs again.
  func multiply(_ x: Tensor, _ weight: Parameter, into y: Tensor) -> Factor {
    precondition(x.columns == weight.columns && y.rows == x.rows && y.columns == weight.rows)
    let input = factor(x)
    unsafe product(
      x.rows, weight.rows, x.columns, input, factor(weight), transposeB: true, into: y.values,
      stride: y.columns)
    return input
  }

  /// Adds to the gradients of the input x, also given as a factor, and of the weight.
  func linearBackward(
    _ x: Tensor, _ input: Factor, _ weight: Parameter, dy: UnsafeMutablePointer<Float>
  ) {
    let output = unsafe factor(dy, rows: x.rows, columns: weight.rows, stride: weight.rows)
    if let (gradient, adds) = unsafe x.gradientToWrite {
      unsafe product(
        x.rows, x.columns, weight.rows, output, factor(weight), adds: adds, into: gradient,
        stride: x.columns)
    }
    unsafe product(
      weight.rows, x.columns, x.rows, output, transposeA: true, input, adds: true,
      into: gradient(weight), stride: weight.columns)
  }
}
