internal import CKernels

/// Adds the gradients of `weight · (mean softplus(−positive score) + mean softplus(negative score))`.
///
/// - Parameters:
///   - states: T states; their gradient is added to.
///   - targets: the item that comes next, `[T]`.
///   - negatives: n items for each state, `[T · n]`.
///   - branches: the item vectors, in the order of the states' columns; rows that take part are touched.
///   - weight: the factor of the loss in the total.
/// - Returns: the loss in nats, before `weight`.
///
/// The loss of SASRec (Kang and McAuley 2018, eq. 5) with any number of negatives; only the rows that take part are
/// touched, so the cost does not grow with the catalogue.
public func addBinaryCrossEntropy(
  states: BatchStates, targets: [UInt32], negatives: [UInt32], branches: [ItemBranch],
  weight: Float
) -> Double {
  let count = targets.count
  let perState = negatives.count / max(1, count)
  precondition(count == states.count && negatives.count == count * perState && perState > 0)
  var positiveLoss = 0.0
  var negativeLoss = 0.0
  for index in 0..<count {
    positiveLoss += addLogistic(
      states, index, item: targets[index], sign: 1, factor: weight / Float(count), branches)
    for item in negatives[index * perState..<(index + 1) * perState] {
      negativeLoss += addLogistic(
        states, index, item: item, sign: -1, factor: weight / Float(negatives.count), branches)
    }
  }
  return positiveLoss / Double(count) + negativeLoss / Double(negatives.count)
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
