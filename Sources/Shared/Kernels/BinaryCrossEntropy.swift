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
///   - threads: the largest number of threads; does not change the result.
/// - Returns: the loss in nats, before `weight`.
///
/// Only the rows that take part are touched, so the cost does not grow with the catalogue.
public func addBinaryCrossEntropy(
  states: BatchStates, targets: [UInt32], negatives: [UInt32], branches: [ItemBranch],
  weights: BinaryWeights = .plain, weight: Float, threads: Int
) -> Double {
  let count = targets.count
  let perState = negatives.count / max(1, count)
  precondition(count == states.count && negatives.count == count * perState && perState > 0)
  let positive = LogisticTerm(
    sign: 1, factor: weights.positive * weight / Float(count))
  let negative = LogisticTerm(
    sign: -1, factor: weights.negative * weight / Float(negatives.count))
  // Each state has its target and then its negatives.
  @Sendable func item(_ index: Int, _ place: Int) -> UInt32 {
    place == 0 ? targets[index] : negatives[index * perState + place - 1]
  }
  let blocks = ranges(count, of: 64)
  let done = parallelMap(blocks.count, threads: threads) { block in
    var result = (positive: 0.0, negative: 0.0, slopes: [Float]())
    for index in blocks[block] {
      for place in 0...perState {
        let term = place == 0 ? positive : negative
        let (loss, slope) = term.addToState(states, index, item(index, place), branches)
        result.slopes.append(slope)
        if place == 0 { result.positive += loss } else { result.negative += loss }
      }
    }
    return result
  }
  let columns = branches.indices.map { branches[..<$0].reduce(0) { $0 + $1.width } }
  parallelFor(branches.count, threads: threads) { number in
    let branch = branches[number]
    for (block, range) in blocks.enumerated() {
      var slopes = done[block].slopes[...]
      for index in range {
        let state = unsafe states.values + index * states.width + columns[number]
        for place in 0...perState {
          guard let slope = slopes.popFirst() else { return }
          unsafe branch.addGradient(state, factor: slope, toItem: item(index, place))
        }
      }
    }
  }
  let sums = done.reduce((0.0, 0.0)) { ($0.0 + $1.positive, $0.1 + $1.negative) }
  return Double(weights.positive) * sums.0 / Double(count)
    + Double(weights.negative) * sums.1 / Double(negatives.count)
}

/// `factor · softplus(−sign · score)`.
private struct LogisticTerm {
  let sign: Float
  let factor: Float

  /// Adds the gradient with respect to one state, and returns the softplus and the derivative with respect to the score.
  func addToState(
    _ states: BatchStates, _ index: Int, _ item: UInt32, _ branches: [ItemBranch]
  ) -> (loss: Double, slope: Float) {
    let state = unsafe states.values + index * states.width
    let gradient = unsafe states.gradient + index * states.width
    return unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: states.width) { vector in
      guard let base = vector.baseAddress else { return (0, 0) }
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
      return (loss, slope)
    }
  }
}
