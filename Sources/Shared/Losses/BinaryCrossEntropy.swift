internal import CKernels
public import Layers
internal import Numerics

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
  let work = unsafe BinaryTerms(
    values: states.values, gradient: states.gradient, width: states.width, branches: branches,
    perState: 1 + perState, items: terms(targets, negatives, perState: perState),
    positive: weights.positive * weight / Float(count),
    negative: weights.negative * weight / Float(negatives.count))
  let blocks = ranges(count, of: max(1, min(64, 512 / work.perState)))
  let done = parallelMap(blocks.count, threads: threads) { work.addToStates(blocks[$0]) }
  var column = 0
  let gradients = branches.map { branch in
    defer { column += branch.width }
    return unsafe ItemGradients(
      branch: branch, rows: states.values + column, stride: states.width)
  }
  addItemGradients(
    gradients, to: work.items, itemsPerRow: work.perState, factors: done.flatMap(\.slopes),
    threads: threads)
  let sums = done.reduce((0.0, 0.0)) { ($0.0 + $1.positive, $0.1 + $1.negative) }
  return Double(weights.positive) * sums.0 / Double(count)
    + Double(weights.negative) * sums.1 / Double(negatives.count)
}

/// The target of each state and then its negatives.
private func terms(_ targets: [UInt32], _ negatives: [UInt32], perState: Int) -> [UInt32] {
  var items: [UInt32] = []
  items.reserveCapacity(targets.count + negatives.count)
  for (index, target) in targets.enumerated() {
    items.append(target)
    for place in 0..<perState { items.append(negatives[index * perState + place]) }
  }
  return items
}

/// The terms of all states: `factor · softplus(−score)` of a target, `factor · softplus(score)` of a negative.
@safe private struct BinaryTerms: @unchecked Sendable {
  /// States and their gradient, `[T, width]`.
  let values: UnsafePointer<Float>
  let gradient: UnsafeMutablePointer<Float>
  let width: Int
  let branches: [ItemBranch]
  /// 1 + n.
  let perState: Int
  /// The items, `[T · (1 + n)]`.
  let items: [UInt32]
  let positive: Float
  let negative: Float

  /// Adds the gradients of a block of states, and returns the sums of the softplus and all derivatives with respect to
  /// the scores.
  func addToStates(
    _ block: Range<Int>
  ) -> (positive: Double, negative: Double, slopes: [Float]) {
    let items = items[block.lowerBound * perState..<block.upperBound * perState]
    var sums = (positive: 0.0, negative: 0.0)
    let slopes = unsafe [Float](unsafeUninitializedCapacity: items.count) { slopes, initialized in
      unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: items.count * width) {
        guard let vectors = $0.baseAddress else { return }
        var column = 0
        for branch in branches {
          unsafe branch.copyVectors(items, to: vectors + column, stride: width)
          column += branch.width
        }
        for term in 0..<items.count {
          let isTarget = term % perState == 0
          let (loss, slope) = unsafe addToState(
            block.lowerBound + term / perState, vectors + term * width, isTarget: isTarget)
          unsafe slopes[term] = slope
          if isTarget { sums.positive += loss } else { sums.negative += loss }
        }
      }
      initialized = items.count
    }
    return (sums.positive, sums.negative, slopes)
  }

  /// Adds the gradient with respect to one state, and returns the softplus and the derivative with respect to the score.
  private func addToState(
    _ index: Int, _ vector: UnsafePointer<Float>, isTarget: Bool
  ) -> (loss: Double, slope: Float) {
    let sign: Float = isTarget ? 1 : -1
    let score = unsafe Double(h2rec_dot(values + index * width, vector, width) * sign)
    // softplus(−x) without overflow, and its derivative −sigmoid(−x).
    let loss = max(-score, 0) + logOnePlusExp(-abs(score))
    let slope = Float(-1 / (1 + exponential(score))) * sign * (isTarget ? positive : negative)
    unsafe h2rec_add_scaled(gradient + index * width, vector, slope, width)
    return (loss, slope)
  }
}
