internal import CKernels

extension Tape {
  /// Layer normalisation over the columns: `y = (x − mean) / √(variance + ε) · gain + bias`.
  ///
  /// - Parameters:
  ///   - x: `[T, d]`.
  ///   - gain: `[1, d]`.
  ///   - bias: `[1, d]`.
  /// - Returns: `[T, d]`.
  ///
  /// The variance is the biased one (Ba et al. 2016, eq. 3); ε = 1e-8 as in the published code.
  public func layerNorm(_ x: Tensor, gain: Parameter, bias: Parameter) -> Tensor {
    let y = tensor(rows: x.rows, columns: x.columns)
    let mean = unsafe arena.allocate(x.rows)
    let rstd = unsafe arena.allocate(x.rows)
    unsafe h2rec_layer_norm(
      x.values, value(gain), value(bias), y.values, mean, rstd, x.rows, x.columns, 1e-8)
    record(lastFor: y) { [self] in
      guard let (dx, adds) = unsafe x.gradientToWrite else { return }
      unsafe h2rec_layer_norm_backward(
        x.values, value(gain), mean, rstd, grad(y), dx, gradient(gain), gradient(bias), x.rows,
        x.columns, adds ? 1 : 0)
    }
    return y
  }

  /// Rows divided by their Euclidean length; a row of zeros stays zero.
  public func normalizeRows(_ x: Tensor) -> Tensor {
    let y = tensor(rows: x.rows, columns: x.columns)
    let norms = unsafe arena.allocate(x.rows)
    unsafe h2rec_normalize_rows(x.values, y.values, norms, x.rows, x.columns)
    record(lastFor: y) { [self] in
      unsafe h2rec_normalize_rows_backward(
        y.values, norms, grad(y), grad(x), x.rows, x.columns)
    }
    return y
  }
}
