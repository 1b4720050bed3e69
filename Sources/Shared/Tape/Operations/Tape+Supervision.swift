internal import CKernels
internal import Numerics

// T rows, Z their width, C classes or tags.

extension Tape {
  /// Adds the gradient of `factor · Σ −log softmax(logits)[class]` over the rows that have a class.
  ///
  /// - Parameters:
  ///   - logits: `[T, C]`, without any gradient so far.
  ///   - classes: the class of each row, negative for none, `[T]`.
  ///   - factor: the factor of the loss.
  /// - Returns: the sum in nats, before the factor.
  public func addClassification(_ logits: Tensor, classes: [Int32], factor: Float) -> Double {
    precondition(classes.count == logits.rows && classes.allSatisfy { $0 < logits.columns })
    var total = 0.0
    for (row, name) in classes.enumerated() where name >= 0 {
      let gradient = unsafe grad(logits) + row * logits.columns
      unsafe gradient.update(
        from: logits.values + row * logits.columns, count: logits.columns)
      total += Double(
        unsafe h2rec_cross_entropy_row(gradient, logits.columns, Int(name), factor))
    }
    return total
  }

  /// Turns scores into the logarithms of their softmax, row by row and in place.
  ///
  /// - Parameter logits: `[T, C]`; on a tape that does not record.
  public func takeLogSoftmax(_ logits: Tensor) {
    precondition(!isRecording)
    let columns = logits.columns
    let copy = unsafe arena.allocate(columns)
    for row in 0..<logits.rows {
      let values = unsafe logits.values + row * columns
      unsafe copy.update(from: values, count: columns)
      // −log softmax of the first column is log Σ exp less its score.
      let first = unsafe values[0]
      let sum = Float(unsafe h2rec_cross_entropy_row(copy, columns, 0, 1)) + first
      for column in 0..<columns { unsafe values[column] -= sum }
    }
  }

  /// Adds the gradients of `factor · Σ −log softmax(cos(zᵢ, tags) / τ)[class]` over the rows that have a class.
  ///
  /// The one-to-many contrast of HiD-VAE between what codes stand for and their tag; each tag is there once, so that
  /// rows of one tag are no negatives of one another.
  ///
  /// - Parameters:
  ///   - z: `[T, Z]`.
  ///   - tags: one row a tag, `[C, Z]`.
  ///   - classes: the tag of each row, negative for none, `[T]`.
  ///   - temperature: τ > 0.
  ///   - factor: the factor of the loss.
  /// - Returns: the sum in nats, before the factor.
  public func addTagAlignment(
    _ z: Tensor, tags: Tensor, classes: [Int32], temperature: Float, factor: Float
  ) -> Double {
    precondition(z.columns == tags.columns && temperature > 0)
    let (rows, columns) = (normalizeRows(z), normalizeRows(tags))
    let logits = tensor(rows: z.rows, columns: tags.rows)
    unsafe matrixMultiply(
      z.rows, tags.rows, z.columns, alpha: 1 / temperature, rows.values, z.columns,
      columns.values, z.columns, transposeB: true, logits.values, tags.rows)
    record { [self] in
      unsafe matrixMultiply(
        z.rows, z.columns, tags.rows, alpha: 1 / temperature, grad(logits), tags.rows,
        columns.values, z.columns, beta: 1, grad(rows), z.columns)
      unsafe matrixMultiply(
        tags.rows, z.columns, z.rows, alpha: 1 / temperature, grad(logits), tags.rows,
        transposeA: true, rows.values, z.columns, beta: 1, grad(columns), z.columns)
    }
    return addClassification(logits, classes: classes, factor: factor)
  }

  /// Adds the gradient of `factor · mean max(0, cos(zᵢ, zⱼ) − margin)` over the pairs of different rows with equal codes.
  ///
  /// Rows that are equal bit by bit cannot be told apart and make no pair.
  ///
  /// - Parameters:
  ///   - z: `[T, Z]`.
  ///   - codes: the codes of each level, `[T]` each.
  ///   - margin: the cosine that costs nothing.
  ///   - factor: the factor of the loss.
  /// - Returns: the mean, before the factor; 0 where there is no pair.
  public func addUniqueness(
    _ z: Tensor, codes: [[UInt32]], margin: Float, factor: Float
  ) -> Double {
    let pairs = collidingPairs(z, codes)
    guard !pairs.isEmpty else { return 0 }
    let unit = normalizeRows(z)
    let weight = factor / Float(pairs.count)
    var total = 0.0
    for (a, b) in pairs {
      let (x, y) = unsafe (unit.values + a * z.columns, unit.values + b * z.columns)
      let excess = unsafe h2rec_dot(x, y, z.columns) - margin
      guard excess > 0 else { continue }
      total += Double(excess)
      unsafe h2rec_add_scaled(grad(unit) + a * z.columns, y, weight, z.columns)
      unsafe h2rec_add_scaled(grad(unit) + b * z.columns, x, weight, z.columns)
    }
    return total / Double(pairs.count)
  }

  /// The pairs of different rows with equal codes, in order.
  private func collidingPairs(_ z: Tensor, _ codes: [[UInt32]]) -> [(Int, Int)] {
    var groups: [[UInt32]: [Int]] = [:]
    for row in 0..<z.rows { groups[codes.map { $0[row] }, default: []].append(row) }
    let colliding = groups.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    return colliding.flatMap { rows in
      rows.indices.flatMap { first in
        rows[(first + 1)...].compactMap { other in
          areEqual(z, rows[first], other) ? nil : (rows[first], other)
        }
      }
    }
  }

  private func areEqual(_ z: Tensor, _ a: Int, _ b: Int) -> Bool {
    (0..<z.columns).allSatisfy { column in
      unsafe z.values[a * z.columns + column] == z.values[b * z.columns + column]
    }
  }
}
