internal import CKernels

extension Tape {
  /// `y = gelu(x · weightᵀ + bias)`; shapes as in ``linear(_:_:bias:into:)``.
  ///
  /// The exact form, `gelu(z) = z · Φ(z)` with the distribution function of the normal distribution (Hendrycks and Gimpel 2016).
  public func linearGELU(_ x: Tensor, _ weight: Parameter, bias: Parameter) -> Tensor {
    let y = tensor(rows: x.rows, columns: weight.rows)
    let z = unsafe Tensor(
      rows: y.rows, columns: y.columns, values: arena.allocate(y.count), gradient: nil)
    let input = multiply(x, weight, into: z)
    unsafe h2rec_bias_gelu(z.values, value(bias), y.values, y.rows, y.columns)
    record(lastFor: y) { [self] in
      let dz = unsafe arena.allocate(y.count)
      unsafe h2rec_gelu_backward(z.values, grad(y), dz, y.count)
      unsafe linearBackward(x, input, weight, dy: dz)
      unsafe h2rec_column_sums(gradient(bias), dz, y.rows, y.columns)
    }
    return y
  }

  /// `y = dropout(x)`; x itself where the rate is 0.
  ///
  /// - Parameters:
  ///   - x: any matrix.
  ///   - rate: the dropout probability, in [0, 1).
  /// - Returns: as large as x.
  public func dropout(_ x: Tensor, rate: Float) -> Tensor {
    let dropout = nextDropout(rate)
    guard dropout.rate > 0 else { return x }
    let y = tensor(rows: x.rows, columns: x.columns)
    unsafe y.values.update(from: x.values, count: x.count)
    unsafe h2rec_apply_dropout(y.values, y.rows, y.columns, dropout)
    record(lastFor: y) { [self] in
      unsafe h2rec_apply_dropout(grad(y), y.rows, y.columns, dropout)
      unsafe pass(grad(y), to: x)
    }
    return y
  }

  /// `y = share · a + (1 − share) · b`, with a constant share.
  public func blend(_ a: Tensor, _ b: Tensor, share: Float) -> Tensor {
    precondition(a.rows == b.rows && a.columns == b.columns)
    let y = tensor(rows: a.rows, columns: a.columns)
    unsafe h2rec_scale(y.values, a.values, share, y.count)
    unsafe h2rec_add_scaled(y.values, b.values, 1 - share, y.count)
    record(lastFor: y) { [self] in
      unsafe h2rec_add_scaled(grad(a), grad(y), share, y.count)
      unsafe h2rec_add_scaled(grad(b), grad(y), 1 - share, y.count)
    }
    return y
  }

  /// `y = x / (1 + e^−x)`, element by element (SiLU).
  public func silu(_ x: Tensor) -> Tensor {
    let y = tensor(rows: x.rows, columns: x.columns)
    unsafe h2rec_silu(x.values, y.values, y.count)
    record(lastFor: y) { [self] in
      unsafe h2rec_silu_backward(x.values, grad(y), grad(x), y.count)
    }
    return y
  }

  /// `y = 1 / (1 + e^−x)`, element by element.
  public func sigmoid(_ x: Tensor) -> Tensor {
    let y = tensor(rows: x.rows, columns: x.columns)
    unsafe h2rec_sigmoid(x.values, y.values, y.count)
    record(lastFor: y) { [self] in
      unsafe h2rec_sigmoid_backward(y.values, grad(y), grad(x), y.count)
    }
    return y
  }

  /// `y = a · b`, element by element.
  public func multiply(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.rows == b.rows && a.columns == b.columns)
    let y = tensor(rows: a.rows, columns: a.columns)
    unsafe h2rec_multiply(a.values, b.values, y.values, y.count)
    record(lastFor: y) { [self] in
      unsafe h2rec_add_product(grad(y), b.values, grad(a), y.count)
      unsafe h2rec_add_product(grad(y), a.values, grad(b), y.count)
    }
    return y
  }
}
