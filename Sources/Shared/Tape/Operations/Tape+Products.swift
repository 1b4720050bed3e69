internal import CKernels
internal import Numerics

/// A matrix that takes part in products: its floats and, where they are rounded, its bfloat16 numbers, row by row.
@safe package struct Factor {
  let values: UnsafePointer<Float>
  /// Floats from one row to the next.
  let stride: Int
  let halves: UnsafePointer<UInt16>?
  /// Halves from one row to the next.
  let halfStride: Int
}

extension Tape {
  /// A matrix as a factor, rounded if the tape rounds; valid until the tape begins its next micro-batch.
  ///
  /// - Parameters:
  ///   - values: `[rows, columns]`.
  ///   - rows: their number.
  ///   - columns: their number.
  ///   - stride: floats from one row to the next.
  /// - Returns: the factor; its floats stay where they are.
  func factor(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int
  ) -> Factor {
    guard isRounding else {
      return unsafe Factor(values: values, stride: stride, halves: nil, halfStride: 0)
    }
    let memory = unsafe UnsafeMutableRawPointer(arena.allocate((rows * columns + 1) / 2))
    let halves = unsafe memory.bindMemory(to: UInt16.self, capacity: rows * columns)
    unsafe h2rec_round_bf16(halves, columns, values, stride, rows, columns)
    return unsafe Factor(values: values, stride: stride, halves: halves, halfStride: columns)
  }

  /// The values of a tensor as a factor.
  func factor(_ tensor: Tensor) -> Factor {
    unsafe factor(
      tensor.values, rows: tensor.rows, columns: tensor.columns, stride: tensor.columns)
  }

  /// A parameter as a factor.
  func factor(_ parameter: Parameter) -> Factor {
    unsafe Factor(
      values: value(parameter), stride: parameter.columns,
      halves: isRounding ? roundedParameters.map { unsafe $0 + parameter.offset } : nil,
      halfStride: parameter.columns)
  }

  /// `C = op(A) · op(B)`, or `C += op(A) · op(B)`, in the precision of the tape.
  ///
  /// Sizes as in ``matrixMultiply(_:_:_:alpha:_:_:transposeA:_:_:transposeB:beta:_:_:)``.
  func product(
    _ m: Int, _ n: Int, _ k: Int, _ a: Factor, transposeA: Bool = false, _ b: Factor,
    transposeB: Bool = false, adds: Bool = false, into c: UnsafeMutablePointer<Float>,
    stride: Int
  ) {
    if let left = unsafe a.halves, let right = unsafe b.halves,
      let multiply = BFloat16Multiply.shared
    {
      unsafe multiply.multiply(
        m, n, k, left, a.halfStride, transposeA: transposeA, right, b.halfStride,
        transposeB: transposeB, adds: adds, c, stride)
    } else {
      unsafe matrixMultiply(
        m, n, k, a.values, a.stride, transposeA: transposeA, b.values, b.stride,
        transposeB: transposeB, beta: adds ? 1 : 0, c, stride)
    }
  }
}
