internal import CKernels
public import Numerics

// T rows, Z width of the latent space, M levels, K codes of a level.

/// How the gradient gets past a choice of codes.
public enum QuantizerGradient: String, Sendable, CaseIterable {
  /// As if the codes were what they stand for (Bengio, Léonard and Courville 2013).
  case straightThrough = "straight-through"
  /// Turned and scaled as the input is by the choice (Fifty et al. 2024), once for all levels together.
  case rotation
}

/// What a micro-batch leaves for the codebooks.
@safe public final class CodeSums {
  /// The sum of what is left of the rows with each code, level by level, `[ΣK, Z]`.
  public let rests: AlignedBuffer
  /// The number of rows with each code, `[ΣK]`.
  public private(set) var counts: [UInt32]
  /// The squared lengths of what each level left, added up over the rows.
  public private(set) var errors: [Double]

  /// Creates sums of zero for some codebooks.
  public init(_ codebooks: LatentCodebooks) {
    rests = AlignedBuffer(count: codebooks.values.count)
    counts = Array(repeating: 0, count: codebooks.codeCount)
    errors = codebooks.sizes.map { _ in 0 }
  }

  /// Sets everything to zero.
  public func clear() {
    rests.fill(0)
    for index in counts.indices { counts[index] = 0 }
    for level in errors.indices { errors[level] = 0 }
  }

  /// Adds the sums of another micro-batch.
  public func add(_ other: CodeSums) {
    rests.add([other.rests], threads: 1)
    for index in counts.indices { counts[index] += other.counts[index] }
    for level in errors.indices { errors[level] += other.errors[level] }
  }

  fileprivate func add(level: Int, firstRow: Int, _ codes: [UInt32], error: Double) {
    for code in codes { counts[firstRow + Int(code)] += 1 }
    errors[level] += error
  }
}

/// What came of quantising some rows on a tape.
public struct QuantizedRows {
  /// The sums of the chosen code vectors, `[T, Z]`.
  public let sums: Tensor
  /// The sums of the first 1, 2, … code vectors, as many as were asked for, each `[T, Z]`.
  public let partialSums: [Tensor]
  /// The codes of each level, `[T]` each.
  public let codes: [[UInt32]]
}

extension Tape {
  /// Replaces each row by a sum of code vectors, one a level, each the nearest to what the levels before left.
  ///
  /// The commitment of the rows to their codes, Σ over the levels of `‖rest‖²` with the codes fixed, is part of the
  /// backward pass; what the codebooks learn from is added to `sums` at once.
  ///
  /// - Parameters:
  ///   - z: `[T, Z]`.
  ///   - codebooks: the code vectors, made ready by ``LatentCodebooks/refresh()``.
  ///   - sums: added to.
  ///   - commitment: the factor of the commitment in the loss.
  ///   - passing: how the gradient of the sums becomes that of `z`.
  ///   - partialCount: how many partial sums are wanted, at most M; their gradients go straight through.
  /// - Returns: sums and codes.
  public func quantize(
    _ z: Tensor, _ codebooks: LatentCodebooks, into sums: CodeSums, commitment: Float,
    passing: QuantizerGradient, partialCount: Int = 0
  ) -> QuantizedRows {
    precondition(z.columns == codebooks.width && partialCount <= codebooks.sizes.count)
    let rest = unsafe arena.allocate(z.count)
    let drift = unsafe arena.allocate(z.count)
    unsafe rest.update(from: z.values, count: z.count)
    unsafe drift.update(repeating: 0, count: z.count)
    var codes: [[UInt32]] = []
    var partials: [Tensor] = []
    for level in codebooks.sizes.indices {
      let nearest = unsafe codebooks.nearest(rest, rows: z.rows, level: level, arena)
      let first = codebooks.firstRow(of: level)
      let error = unsafe h2rec_take_codes(
        rest, drift, codebooks.values.base + first * z.columns, nearest,
        sums.rests.base + first * z.columns, z.rows, z.columns)
      sums.add(level: level, firstRow: first, nearest, error: error)
      codes.append(nearest)
      if level < partialCount { unsafe partials.append(difference(z, rest)) }
    }
    let total = unsafe difference(z, rest)
    record { [self] in
      unsafe h2rec_add_scaled(grad(z), drift, 2 * commitment, z.count)
      switch passing {
      case .straightThrough: unsafe h2rec_add_scaled(grad(z), grad(total), 1, z.count)
      case .rotation:
        unsafe h2rec_rotate_back(z.values, total.values, grad(total), grad(z), z.rows, z.columns)
      }
      for partial in partials { unsafe h2rec_add_scaled(grad(z), grad(partial), 1, z.count) }
    }
    return QuantizedRows(sums: total, partialSums: partials, codes: codes)
  }

  /// `x − y` as a tensor whose gradient another operation passes on.
  private func difference(_ x: Tensor, _ y: UnsafePointer<Float>) -> Tensor {
    let result = tensor(rows: x.rows, columns: x.columns)
    unsafe h2rec_scale(result.values, x.values, 1, x.count)
    unsafe h2rec_add_scaled(result.values, y, -1, x.count)
    return result
  }

  /// Adds the gradient of `factor · Σ (y − target)²`.
  ///
  /// - Parameters:
  ///   - y: `[T, D]`.
  ///   - target: `[T, D]`, constant.
  ///   - factor: the factor of the loss.
  /// - Returns: `Σ (y − target)²`, before the factor.
  public func addSquaredError(_ y: Tensor, target: Tensor, factor: Float) -> Double {
    precondition(y.rows == target.rows && y.columns == target.columns)
    return unsafe h2rec_squared_error(y.values, target.values, grad(y), 2 * factor, y.count)
  }
}
