internal import CKernels

extension Tape {
  /// `y = a + b`.
  @discardableResult
  public func add(_ a: Tensor, _ b: Tensor, into y: Tensor? = nil) -> Tensor {
    precondition(a.rows == b.rows && a.columns == b.columns)
    let y = y ?? tensor(rows: a.rows, columns: a.columns)
    unsafe h2rec_scale(y.values, a.values, 1, y.count)
    unsafe h2rec_add_scaled(y.values, b.values, 1, y.count)
    record { [self] in
      unsafe pass(grad(y), to: a)
      unsafe pass(grad(y), to: b)
    }
    return y
  }

  /// `y = a + factor · b` with a learned factor, one element of the parameter block.
  @discardableResult
  public func add(
    _ a: Tensor, _ b: Tensor, times factor: Parameter, into y: Tensor? = nil
  ) -> Tensor {
    precondition(a.rows == b.rows && a.columns == b.columns && factor.count == 1)
    let y = y ?? tensor(rows: a.rows, columns: a.columns)
    unsafe h2rec_scale(y.values, a.values, 1, y.count)
    unsafe h2rec_add_scaled(y.values, b.values, value(factor).pointee, y.count)
    record { [self] in
      unsafe pass(grad(y), to: a)
      unsafe h2rec_add_scaled(grad(b), grad(y), value(factor).pointee, y.count)
      unsafe gradient(factor).pointee += h2rec_dot(grad(y), b.values, y.count)
    }
    return y
  }

  /// A copy of `x` in the memory of another tensor.
  @discardableResult
  public func copy(_ x: Tensor, into y: Tensor) -> Tensor {
    precondition(x.rows == y.rows && x.columns == y.columns)
    unsafe y.values.update(from: x.values, count: x.count)
    record { [self] in
      unsafe pass(grad(y), to: x)
    }
    return y
  }

  /// The columns of `x` followed by the same constants in every row: `[T, d + c]`.
  public func appendColumns(_ x: Tensor, constants: [Float]) -> Tensor {
    let width = x.columns + constants.count
    let y = tensor(rows: x.rows, columns: width)
    for row in 0..<x.rows {
      unsafe (y.values + row * width).update(from: x.values + row * x.columns, count: x.columns)
      for (column, constant) in constants.enumerated() {
        unsafe y.values[row * width + x.columns + column] = constant
      }
    }
    record { [self] in
      for row in 0..<x.rows {
        unsafe h2rec_add_scaled(
          grad(x) + row * x.columns, grad(y) + row * width, 1, x.columns)
      }
    }
    return y
  }

  /// Matrices of as many rows side by side: `[T, Σ columns]`.
  public func concatenateColumns(_ parts: [Tensor]) -> Tensor {
    let width = parts.reduce(0) { $0 + $1.columns }
    let rows = parts[0].rows
    let y = tensor(rows: rows, columns: width)
    var column = 0
    for part in parts {
      for row in 0..<rows {
        unsafe (y.values + row * width + column).update(
          from: part.values + row * part.columns, count: part.columns)
      }
      column += part.columns
    }
    record { [self] in
      var column = 0
      for part in parts {
        for row in 0..<rows {
          unsafe h2rec_add_scaled(
            grad(part) + row * part.columns, grad(y) + row * width + column, 1, part.columns)
        }
        column += part.columns
      }
    }
    return y
  }
}
