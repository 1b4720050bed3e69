internal import Foundation

// The losses as their definitions say, in Double; natural logarithms.

/// The mean over the states of `−log softmax(states · itemsᵀ)[target]`.
///
/// - Parameters:
///   - states: `[T, w]`.
///   - items: `[I, w]`.
///   - targets: the item that comes next, `[T]`.
/// - Returns: the mean loss in nats.
public func referenceCrossEntropy(
  states: Grid, items: Grid, targets: [UInt32]
) -> Double {
  let scores = states.linear(items)
  let losses = targets.enumerated().map { row, target in
    logSumExp((0..<items.rows).map { scores[row, $0] }) - scores[row, Int(target)]
  }
  return losses.reduce(0, +) / Double(targets.count)
}

/// `mean softplus(−positive score) + mean softplus(negative score)`, n negatives for each state.
public func referenceBinaryCrossEntropy(
  states: Grid, items: Grid, targets: [UInt32], negatives: [UInt32]
) -> Double {
  let perState = negatives.count / targets.count
  let positive = targets.enumerated().map { softplus(-states.dot($0, items, Int($1))) }
  let negative = negatives.enumerated().map {
    softplus(states.dot($0 / perState, items, Int($1)))
  }
  return positive.reduce(0, +) / Double(positive.count)
    + negative.reduce(0, +) / Double(negative.count)
}

/// The code-guided alignment of N items, `weights[i, j]` inside the logarithm.
///
/// - Parameters:
///   - semantic: `[N, d]`, of any length.
///   - hash: `[N, d]`, of any length.
///   - weights: `[N, N]`, 0 where j is no positive of i.
///   - temperature: τ.
/// - Returns: the loss.
public func referenceAlignment(
  semantic: Grid, hash: Grid, weights: Grid, temperature: Double
) -> Double {
  let cosines = semantic.normalizedRows.linear(hash.normalizedRows)
  func direction(_ cosines: Grid) -> Double {
    (0..<cosines.rows).reduce(0.0) { sum, row in
      let powers = (0..<cosines.columns).map { exp(cosines[row, $0] / temperature) }
      let wanted = powers.indices.reduce(0.0) { $0 + weights[row, $1] * powers[$1] }
      return sum - log(wanted / powers.reduce(0, +))
    }
  }
  return (direction(cosines) + direction(cosines.transposed)) / Double(2 * cosines.rows)
}

/// The constant targets of the masked-granularity loss: row softmax of `τ · ½ (u uᵀ + w wᵀ)`.
public func referenceMaskedGranularityTargets(
  masked: Grid, full: Grid, temperature: Double
) -> Grid {
  ((temperature / 2) * (masked.linear(masked) + full.linear(full))).softmax()
}

/// The masked-granularity loss between two views, with constant targets.
public func referenceMaskedGranularity(
  masked: Grid, full: Grid, targets: Grid, temperature: Double
) -> Double {
  let scores = (1 / temperature) * masked.linear(full)
  func direction(_ scores: Grid, _ targets: Grid) -> Double {
    let shares = scores.softmax()
    return -zip(targets.values, shares.values).reduce(0.0) { $0 + $1.0 * log($1.1) }
  }
  return (direction(scores, targets) + direction(scores.transposed, targets.transposed))
    / Double(2 * masked.rows)
}

/// `log Σ e^x` without overflow.
private func logSumExp(_ values: [Double]) -> Double {
  let peak = values.max() ?? 0
  return peak + log(values.reduce(0) { $0 + exp($1 - peak) })
}

/// `log(1 + e^x)` without overflow.
private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
