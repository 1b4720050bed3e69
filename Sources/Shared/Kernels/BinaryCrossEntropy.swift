internal import CKernels

/// How the terms of a binary cross entropy are weighted.
public struct BinaryWeights: Sendable, Equatable {
  /// The factor of the mean `softplus(−positive score)`.
  public let positive: Float
  /// The factor of the mean `softplus(negative score)` over all states and their negatives.
  public let negative: Float

  /// Weights as they are.
  public init(positive: Float, negative: Float) {
    self.positive = positive
    self.negative = negative
  }

  /// Both means count alike: the loss of SASRec.
  ///
  /// Kang and McAuley 2018, equation 5.
  public static let plain = BinaryWeights(positive: 1, negative: 1)

  /// The generalised form that undoes the overconfidence of negative sampling: gBCE.
  ///
  /// Petrov and Macdonald 2023, equation 8. With the sampling rate `α = n / (I − 1)` the positive probability is raised to the power
  /// `β = α (t (1 − 1/α) + 1/α)`; the loss of a state is the sum of its 1 + n terms divided by their number.
  ///
  /// - Parameters:
  ///   - calibration: t, from 0 (plain) to 1 (fully calibrated).
  ///   - negativeCount: n.
  ///   - itemCount: I > 1.
  /// - Returns: p = β / (1 + n) and q = n / (1 + n).
  public static func calibrated(
    _ calibration: Double, negativeCount: Int, itemCount: Int
  ) -> BinaryWeights {
    let rate = min(1, Double(negativeCount) / Double(itemCount - 1))
    let power = rate * (calibration * (1 - 1 / rate) + 1 / rate)
    let terms = Double(1 + negativeCount)
    return BinaryWeights(
      positive: Float(power / terms), negative: Float(Double(negativeCount) / terms))
  }
}

/// Adds the gradients of `weight · (p · mean softplus(−positive score) + q · mean softplus(negative score))`.
///
/// - Parameters:
///   - states: T states; their gradient is added to.
///   - targets: the item that comes next, `[T]`.
///   - negatives: n items for each state, `[T · n]`.
///   - branches: the item vectors, in the order of the states' columns; rows that take part are touched.
///   - weights: p and q.
///   - weight: the factor of the loss in the total.
/// - Returns: the loss in nats, before `weight`.
///
/// Only the rows that take part are touched, so the cost does not grow with the catalogue.
public func addBinaryCrossEntropy(
  states: BatchStates, targets: [UInt32], negatives: [UInt32], branches: [ItemBranch],
  weights: BinaryWeights = .plain, weight: Float
) -> Double {
  let count = targets.count
  let perState = negatives.count / max(1, count)
  precondition(count == states.count && negatives.count == count * perState && perState > 0)
  var positiveLoss = 0.0
  var negativeLoss = 0.0
  for index in 0..<count {
    positiveLoss += addLogistic(
      states, index, item: targets[index], sign: 1,
      factor: weights.positive * weight / Float(count), branches)
    for item in negatives[index * perState..<(index + 1) * perState] {
      negativeLoss += addLogistic(
        states, index, item: item, sign: -1,
        factor: weights.negative * weight / Float(negatives.count), branches)
    }
  }
  return Double(weights.positive) * positiveLoss / Double(count)
    + Double(weights.negative) * negativeLoss / Double(negatives.count)
}

/// Adds the gradient of `factor · softplus(−sign · score)` and returns the softplus.
private func addLogistic(
  _ states: BatchStates, _ index: Int, item: UInt32, sign: Float, factor: Float,
  _ branches: [ItemBranch]
) -> Double {
  let state = unsafe states.values + index * states.width
  let gradient = unsafe states.gradient + index * states.width
  return unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: states.width) { vector in
    guard let base = vector.baseAddress else { return 0 }
    var column = 0
    for branch in branches {
      unsafe branch.copyVector(item, to: base + column)
      column += branch.width
    }
    let score = unsafe Double(h2rec_dot(state, base, states.width)) * Double(sign)
    // softplus(−x) without overflow, and its derivative −sigmoid(−x).
    let loss = max(-score, 0) + logOnePlusExp(-abs(score))
    let slope = Float(-1 / (1 + exponential(score))) * sign * factor
    unsafe h2rec_add_scaled(gradient, base, slope, states.width)
    column = 0
    for branch in branches {
      unsafe branch.addGradient(state + column, factor: slope, toItem: item)
      column += branch.width
    }
    return loss
  }
}
