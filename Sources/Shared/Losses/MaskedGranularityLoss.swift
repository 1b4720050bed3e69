internal import CKernels
public import Numerics
public import Tape

/// The masked-granularity loss: a contrast of two views of the same sequences with soft targets.
///
/// With `u` the normalised states of the masked view, `w` those of the full view, `S = u wᵀ / τ` and
/// `P = row softmax of τ · ½ (u uᵀ + w wᵀ)` held constant,
/// `L = ½ · mean over sequences of (−Σ P log softmax(S) − Σ Pᵀ log softmax(Sᵀ))`. The published code neither
/// normalises nor detaches P, so that its softmax saturates (Documentation/PaperMap.md).
public final class MaskedGranularityLoss {
  private let memory: LossMemory

  /// Creates the loss.
  ///
  /// - Parameter precision: of the products.
  /// - Precondition: this machine has such products.
  public init(precision: ProductPrecision = .float32) {
    memory = LossMemory(precision)
  }

  /// Adds the gradients of `weight · L` to both views.
  ///
  /// - Parameters:
  ///   - views: the normalised states of each micro-batch, `[sequences, d]`; together B sequences.
  ///   - temperature: τ ≥ 0.01.
  ///   - weight: the factor of the loss in the total.
  ///   - threads: the largest number of threads; does not change the result.
  /// - Returns: L in nats.
  public func add(
    views: [(masked: Tensor, full: Tensor)], temperature: Float, weight: Float, threads: Int
  ) -> Double {
    let count = views.reduce(0) { $0 + $1.masked.rows }
    // One sequence alone has nothing to be told from.
    guard count > 1, let width = views.first?.masked.columns else { return 0 }
    let work = MaskedGranularityWork(
      count: count, width: width, temperature: temperature,
      factor: weight / (2 * Float(count) * temperature), memory: memory)
    var first = 0
    for (masked, full) in views {
      work.load(masked, full, at: first)
      first += masked.rows
    }
    work.score(threads: threads)
    let loss = work.turnSumsIntoFactors()
    work.differentiate(threads: threads)
    first = 0
    for (masked, full) in views {
      work.passGradient(to: masked, full, from: first)
      first += masked.rows
    }
    return loss
  }
}

/// The matrices of one evaluation.
private struct MaskedGranularityWork: Sendable {
  private let count: Int
  private let width: Int
  private let temperature: Float
  private let factor: Float
  /// u and w side by side, `[B, 2 d]`, and their gradient.
  private let states: LossMatrix
  private let gradient: LossMatrix
  /// exp(S) up to a factor, later the gradient of the loss with respect to u wᵀ.
  private let scores: LossMatrix
  /// P.
  private let targets: LossMatrix
  /// Of the rows and of the columns of `scores`; later their factors in the gradient, `[2, B]`.
  private let sums: LossMatrix
  /// What the rows and the columns of P add up to, `[2, B]`.
  private let masses: LossMatrix
  /// Σ P S of each row, times τ, `[1, B]`.
  private let products: LossMatrix
  /// Sums of the columns of `scores` and of P over the rows of each block, `[blocks, B]`.
  private let blockSums: LossMatrix
  private let blockMasses: LossMatrix
  private let blocks: [Range<Int>]

  init(count: Int, width: Int, temperature: Float, factor: Float, memory: LossMemory) {
    self.count = count
    self.width = width
    self.temperature = temperature
    self.factor = factor
    blocks = pairedRanges(count)
    let matrices = memory.matrices([
      LossShape(count, 2 * width, isRounded: true), LossShape(count, 2 * width),
      LossShape(pairsOf: count), LossShape(pairsOf: count), LossShape(2, count),
      LossShape(2, count), LossShape(1, count), LossShape(blocks.count, count),
      LossShape(blocks.count, count),
    ])
    states = matrices[0]
    gradient = matrices[1]
    scores = matrices[2]
    targets = matrices[3]
    sums = matrices[4]
    masses = matrices[5]
    products = matrices[6]
    blockSums = matrices[7]
    blockMasses = matrices[8]
  }

  private var masked: LossMatrix { states.columns(0..<width) }
  private var full: LossMatrix { states.columns(width..<2 * width) }
  /// Subtracted from S before its exponential, for no sum to overflow at the lowest temperatures: S ≤ 1 / τ.
  private var shift: Float { max(0, 1 / temperature - 80) }

  /// Takes the states of a micro-batch.
  func load(_ masked: Tensor, _ full: Tensor, at first: Int) {
    precondition(masked.rows == full.rows && masked.columns == width && full.columns == width)
    for (column, view) in [(0, masked), (width, full)] {
      for row in 0..<view.rows {
        unsafe (states.values + (first + row) * states.stride + column).update(
          from: view.values + row * width, count: width)
      }
    }
    states[first..<first + masked.rows].round()
  }

  func score(threads: Int) {
    parallelFor(blocks.count, threads: threads) { block in
      let rows = blocks[block]
      let part = targets[rows]
      let scored = scores[rows]
      let blockMass = unsafe blockMasses[block..<block + 1].values
      let rowSums = unsafe sums.values + rows.lowerBound
      states[rows].times(states, transposesOther: true, into: part)
      // The sum of both cosines is 2 for a sequence and itself.
      unsafe h2rec_exp_sums(
        part.values, part.stride, temperature / 2, temperature, rows.count, count, rowSums,
        blockMass)
      masked[rows].times(full, transposesOther: true, into: scored)
      unsafe h2rec_soft_targets(
        part.values, scored.values, part.stride, rowSums, rows.count, count,
        masses.values + rows.lowerBound, blockMass, products.values + rows.lowerBound)
      unsafe h2rec_exp_sums(
        scored.values, scored.stride, 1 / temperature, shift, rows.count, count, rowSums,
        blockSums[block..<block + 1].values)
    }
    for (all, parts) in [(sums, blockSums), (masses, blockMasses)] {
      unsafe (all.values + count).update(repeating: 0, count: count)
      unsafe h2rec_column_sums(all.values + count, parts.values, blocks.count, count)
    }
  }

  /// The loss; sums become the factors of rows and columns in the gradient.
  func turnSumsIntoFactors() -> Double {
    var loss = 0.0
    for index in 0..<2 * count {
      let (sum, mass) = unsafe (sums.values[index], masses.values[index])
      loss += Double(mass) * (naturalLogarithm(Double(sum)) + Double(shift))
      unsafe sums.values[index] = factor * mass / sum
    }
    for row in 0..<count {
      loss -= unsafe 2 * Double(products.values[row]) / Double(temperature)
    }
    return loss / (2 * Double(count))
  }

  func differentiate(threads: Int) {
    parallelFor(blocks.count, threads: threads) { block in
      let rows = blocks[block]
      let part = scores[rows]
      unsafe h2rec_soft_target_gradient(
        part.values, targets[rows].values, part.stride, sums.values + rows.lowerBound,
        sums.values + count, 2 * factor, rows.count, count)
      part.round()
      part.times(full, into: gradient.columns(0..<width)[rows])
    }
    parallelFor(blocks.count, threads: threads) { block in
      let rows = blocks[block]
      scores.columns(rows).times(
        masked, transposed: true, into: gradient.columns(width..<2 * width)[rows])
    }
  }

  /// Adds the gradient of the states of a micro-batch.
  func passGradient(to masked: Tensor, _ full: Tensor, from first: Int) {
    for (column, view) in [(0, masked), (width, full)] {
      guard let target = unsafe view.gradient else {
        preconditionFailure("the tape does not record")
      }
      for row in 0..<view.rows {
        unsafe h2rec_add_scaled(
          target + row * width, gradient.values + (first + row) * gradient.stride + column, 1,
          width)
      }
    }
  }
}
