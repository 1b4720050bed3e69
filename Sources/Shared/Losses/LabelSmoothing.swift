internal import CKernels
public import Layers
internal import Numerics
internal import Tape

/// What label smoothing adds to a softmax over the catalogue, with its gradients.
///
/// With the share ε of every target spread evenly over the I items, the cross entropy becomes
/// `−log softmax[target] + ε (score[target] − mean score)` (Szegedy et al. 2016, section 7, written out). The mean score of a state
/// is its product with the mean item vector, so that this costs no second pass over the scores.
///
/// - Parameters:
///   - states: T states; their gradient is added to.
///   - targets: the item that comes next, `[T]`.
///   - branches: the item vectors, in the order of the states' columns; refreshed; every row is touched.
///   - smoothing: ε, in [0, 1).
///   - weight: the factor of the loss in the total.
/// - Returns: the mean of `ε (score[target] − mean score)`, before `weight`; negative where targets score above the mean.
public func addLabelSmoothing(
  states: BatchStates, targets: [UInt32], branches: [ItemBranch], smoothing: Float, weight: Float
) -> Double {
  precondition(targets.count == states.count && !targets.isEmpty)
  let factor = smoothing * weight / Float(targets.count)
  var total = 0.0
  var column = 0
  for branch in branches {
    let mean = branch.meanVector
    // The sum of the states, whose gradient every item shares.
    var sum = [Float](repeating: 0, count: branch.width)
    var vector = [Float](repeating: 0, count: branch.width)
    for row in targets.indices {
      let state = unsafe states.values + row * states.width + column
      let gradient = unsafe states.gradient + row * states.width + column
      unsafe branch.copyVector(targets[row], to: &vector)
      unsafe h2rec_add_scaled(&vector, mean, -1, branch.width)
      total += unsafe Double(h2rec_dot(state, vector, branch.width))
      unsafe h2rec_add_scaled(gradient, vector, factor, branch.width)
      unsafe h2rec_add_scaled(&sum, state, 1, branch.width)
      unsafe branch.addGradient(state, factor: factor, toItem: targets[row])
    }
    branch.addGradientToAll(sum, factor: -factor / Float(branch.itemCount))
    column += branch.width
  }
  return Double(smoothing) * total / Double(targets.count)
}

extension ItemBranch {
  /// The mean of the vectors of all items, `[d]`; those of codes as of the last ``refresh(threads:)``.
  fileprivate var meanVector: [Float] {
    var sum = [Double](repeating: 0, count: width)
    for item in 0..<itemCount {
      let vector = unsafe vectors.base + item * width
      for column in 0..<width { unsafe sum[column] += Double(vector[column]) }
    }
    return sum.map { Float($0 / Double(itemCount)) }
  }

  /// Adds `factor · direction` to the gradient of every item's vector.
  fileprivate func addGradientToAll(_ direction: [Float], factor: Float) {
    switch source {
    case .rows(let table):
      for row in 0..<UInt32(itemCount) {
        unsafe table.add(direction, factor: factor, toRow: row)
      }
    case .codes(let table, let rows, let levelCount):
      // A code receives what all its items receive together.
      var uses = [Int](repeating: 0, count: table.count)
      for row in rows { uses[Int(row)] += 1 }
      for (row, count) in uses.enumerated() where count > 0 {
        unsafe table.add(
          direction, factor: factor * Float(count) / Float(levelCount), toRow: UInt32(row))
      }
    }
  }
}
