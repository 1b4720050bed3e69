internal import CKernels

/// Adds the gradients of the masked-granularity loss to the states of two views of the same sequences.
///
/// With `u` the normalised states of the masked view, `w` those of the full view, `S = u wᵀ / τ` and
/// `P = row softmax of τ · ½ (u uᵀ + w wᵀ)` held constant,
/// `L = ½ · mean over sequences of (−Σ P log softmax(S) − Σ Pᵀ log softmax(Sᵀ))`. The published code neither
/// normalises nor detaches P, so that its softmax saturates (Documentation/PaperMap.md).
///
/// - Parameters:
///   - masked: the normalised states of all sequences of the batch, `[B, d]`, row by row.
///   - full: likewise.
///   - temperature: τ > 0.
///   - weight: the factor of the loss in the total.
///   - threads: the largest number of threads; does not change the result.
/// - Returns: L in nats, and the gradients of `weight · L` with respect to both inputs.
public func consistencyLoss(
  masked: Matrix, full: Matrix, temperature: Float, weight: Float, threads: Int
) -> (loss: Double, maskedGradient: Matrix, fullGradient: Matrix) {
  let count = masked.rows
  let width = masked.columns
  var scores = product(masked, full)
  var targets = product(masked, masked)
  let other = product(full, full)
  for index in targets.values.indices {
    scores.values[index] /= temperature
    targets.values[index] = (targets.values[index] + other.values[index]) / 2 * temperature
  }
  unsafe h2rec_softmax(&targets.values, nil, count, count)
  let ways = [(scores, targets), (transpose(scores), transpose(targets))]
  let found = parallelMap(2, threads: threads) { softCrossEntropy(ways[$0].0, targets: ways[$0].1) }
  let reverse = transpose(found[1].gradient)
  let factor = weight / (2 * Float(count) * temperature)
  for index in scores.values.indices {
    scores.values[index] = (found[0].gradient.values[index] + reverse.values[index]) * factor
  }
  var maskedGradient = Matrix(rows: count, columns: width)
  var fullGradient = Matrix(rows: count, columns: width)
  unsafe matrixMultiply(
    count, width, count, scores.values, count, full.values, width, &maskedGradient.values, width)
  unsafe matrixMultiply(
    count, width, count, scores.values, count, transposeA: true, masked.values, width,
    &fullGradient.values, width)
  return ((found[0].loss + found[1].loss) / (2 * Double(count)), maskedGradient, fullGradient)
}

/// `a · bᵀ`.
private func product(_ a: Matrix, _ b: Matrix) -> Matrix {
  var result = Matrix(rows: a.rows, columns: b.rows)
  unsafe matrixMultiply(
    a.rows, b.rows, a.columns, a.values, a.columns, b.values, b.columns, transposeB: true,
    &result.values, b.rows)
  return result
}

private func transpose(_ matrix: Matrix) -> Matrix {
  var result = Matrix(rows: matrix.columns, columns: matrix.rows)
  for row in 0..<matrix.rows {
    for column in 0..<matrix.columns {
      result.values[column * matrix.rows + row] = matrix.values[row * matrix.columns + column]
    }
  }
  return result
}

/// `−Σ targets · log softmax(scores)` over all rows, and its gradient with respect to the scores.
private func softCrossEntropy(
  _ scores: Matrix, targets: Matrix
) -> (loss: Double, gradient: Matrix) {
  let columns = scores.columns
  var gradient = scores
  unsafe h2rec_softmax(&gradient.values, nil, scores.rows, columns)
  var loss = 0.0
  for row in 0..<scores.rows {
    let range = row * columns..<(row + 1) * columns
    // The logarithm of the sum follows from any one element; the largest is the most exact.
    var top = range.lowerBound
    for index in range where scores.values[index] > scores.values[top] { top = index }
    let logSum = Double(scores.values[top]) - naturalLogarithm(Double(gradient.values[top]))
    var mass: Float = 0
    var product = 0.0
    for index in range {
      mass += targets.values[index]
      product += Double(targets.values[index]) * Double(scores.values[index])
    }
    loss += Double(mass) * logSum - product
    for index in range {
      gradient.values[index] = gradient.values[index] * mass - targets.values[index]
    }
  }
  return (loss, gradient)
}
