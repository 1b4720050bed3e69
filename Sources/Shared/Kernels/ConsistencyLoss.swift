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
/// - Returns: L in nats, and the gradients of `weight · L` with respect to both inputs.
public func consistencyLoss(
  masked: Matrix, full: Matrix, temperature: Float, weight: Float
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
  var transposed = transpose(scores)
  let rows = softCrossEntropy(&scores, targets: targets)
  let columns = softCrossEntropy(&transposed, targets: transpose(targets))
  let reverse = transpose(transposed)
  let factor = weight / (2 * Float(count) * temperature)
  for index in scores.values.indices {
    scores.values[index] = (scores.values[index] + reverse.values[index]) * factor
  }
  var maskedGradient = Matrix(rows: count, columns: width)
  var fullGradient = Matrix(rows: count, columns: width)
  unsafe matrixMultiply(
    count, width, count, scores.values, count, full.values, width, &maskedGradient.values, width)
  unsafe matrixMultiply(
    count, width, count, scores.values, count, transposeA: true, masked.values, width,
    &fullGradient.values, width)
  return ((rows + columns) / (2 * Double(count)), maskedGradient, fullGradient)
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

/// Replaces scores by the gradient of `−Σ targets · log softmax(scores)`, and returns that sum over all rows.
private func softCrossEntropy(_ scores: inout Matrix, targets: Matrix) -> Double {
  let columns = scores.columns
  let raw = scores.values
  unsafe h2rec_softmax(&scores.values, nil, scores.rows, columns)
  var loss = 0.0
  for row in 0..<scores.rows {
    let range = row * columns..<(row + 1) * columns
    let peak = raw[range].max() ?? 0
    let logSum = naturalLogarithm(
      raw[range].reduce(0.0) { $0 + exponential(Double($1 - peak)) })
    var mass: Float = 0
    for index in range {
      mass += targets.values[index]
      loss -= Double(targets.values[index]) * (Double(raw[index] - peak) - logSum)
    }
    for index in range {
      scores.values[index] = scores.values[index] * mass - targets.values[index]
    }
  }
  return loss
}
