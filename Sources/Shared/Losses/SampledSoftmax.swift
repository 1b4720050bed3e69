internal import CKernels
public import Layers
public import Numerics

// T states, n shared negatives, I items, w width of a state.

/// The cross entropy of a softmax over the target and negatives that all states of a batch share, corrected for how they were
/// drawn.
///
/// With n negatives drawn with probabilities q and replacement, or n distinct ones drawn uniformly, the score of item i is
/// raised by `−log(n q_i)`, so that the sum over the negatives estimates the sum over the catalogue without bias (Bengio and
/// Senécal 2008; Jean et al. 2015). The target, which is not drawn, keeps its score; a negative that is a state's own target is
/// left out for it. Only rows that take part are touched: the cost does not grow with the catalogue.
@safe public final class SampledSoftmax {
  private let memory = ScratchBuffer()
  private let halves = ScratchBuffer()
  private let precision: ProductPrecision
  private static let rowBlock = 64
  private static let negativeBlock = 512

  /// Creates the loss.
  ///
  /// - Parameter precision: of the products.
  /// - Precondition: this machine has such products.
  public init(precision: ProductPrecision = .float32) {
    precondition(precision.isAvailable)
    self.precision = precision
  }

  /// Adds the gradients of `weight · mean over the states of the loss`.
  ///
  /// - Parameters:
  ///   - states: T states; their gradient is added to.
  ///   - targets: the item that comes next, `[T]`.
  ///   - negatives: n items drawn from the catalogue, shared by all states.
  ///   - sampler: how they were drawn.
  ///   - encoders: the item vectors, in the order of the states' columns; rows that take part are touched.
  ///   - weight: the factor of the loss in the total.
  ///   - threads: the largest number of threads.
  /// - Returns: the mean loss in nats, before `weight`.
  public func add(
    states: BatchStates, targets: [UInt32], negatives: [UInt32], sampler: ItemSampler,
    encoders: [any ItemEncoder], weight: Float, threads: Int
  ) -> Double {
    precondition(targets.count == states.count && !targets.isEmpty && !negatives.isEmpty)
    let width = states.width
    let stride = rowStride(negatives.count + 1)
    let floats = targets.count * (stride + width) + 2 * negatives.count * width
    let work = unsafe SampledSoftmaxWork(
      states: states, targets: targets, negatives: negatives, encoders: encoders,
      base: memory.reserve(floats),
      rounded: roundedMatrices(states.count, negatives.count, width),
      factor: weight / Float(targets.count),
      corrections: negatives.map { sampler.correction($0, draws: negatives.count) })
    work.load(threads: threads)
    work.round(threads: threads)
    let blocks = ranges(targets.count, of: Self.rowBlock)
    let losses = parallelMap(blocks.count, threads: threads) { work.scoreRows(blocks[$0]) }
    let groups = ranges(negatives.count, of: Self.negativeBlock)
    parallelFor(groups.count, threads: threads) { work.negativeGradients(groups[$0]) }
    work.store(threads: threads)
    return losses.reduce(0, +) / Double(targets.count)
  }

  /// Room for the rounded inputs of the products, if they are rounded.
  private func roundedMatrices(_ states: Int, _ negatives: Int, _ width: Int) -> RoundedMatrices? {
    guard precision == .bfloat16 else { return nil }
    return RoundedMatrices(in: halves, itemCount: negatives, width: width, rowLimit: states)
  }
}

/// The matrices of one evaluation, in one piece of memory: scores `[T, n + 1]` (the target last; rows ``stride`` apart), target
/// vectors `[T, w]`, negative vectors and their gradients `[n, w]`.
@safe private struct SampledSoftmaxWork: @unchecked Sendable {
  let states: BatchStates
  let targets: [UInt32]
  let negatives: [UInt32]
  let encoders: [any ItemEncoder]
  let base: UnsafeMutablePointer<Float>
  /// With the negatives as its items; nil where nothing is rounded.
  let rounded: RoundedMatrices?
  let factor: Float
  let corrections: [Float]

  private var columns: Int { negatives.count + 1 }
  private var stride: Int { rowStride(columns) }
  private var width: Int { states.width }
  private var targetVectors: UnsafeMutablePointer<Float> { unsafe base + targets.count * stride }
  private var negativeVectors: UnsafeMutablePointer<Float> {
    unsafe targetVectors + targets.count * width
  }
  private var gradients: UnsafeMutablePointer<Float> {
    unsafe negativeVectors + negatives.count * width
  }

  func load(threads: Int) {
    // Target and negative vectors lie one after the other.
    let items = targets + negatives
    let blocks = ranges(items.count, of: 256)
    parallelFor(blocks.count, threads: threads) { block in
      let rows = blocks[block]
      var column = 0
      for encoder in encoders {
        unsafe encoder.copyVectors(
          items[rows], to: targetVectors + rows.lowerBound * width + column, stride: width)
        column += encoder.width
      }
    }
  }

  /// Rounds negatives and states.
  func round(threads: Int) {
    guard let rounded else { return }
    unsafe rounded.roundItems(negativeVectors, threads: threads)
    rounded.round(states, rows: 0..<targets.count)
  }

  /// The scores of a block of rows and all negatives.
  private func score(_ block: Range<Int>, into scores: UnsafeMutablePointer<Float>) {
    if let rounded {
      unsafe rounded.score(
        states: block, items: 0..<negatives.count, into: scores, stride: stride)
    } else {
      unsafe matrixMultiply(
        block.count, negatives.count, width, states.values + block.lowerBound * width, width,
        negativeVectors, width, transposeB: true, scores, stride)
    }
  }

  /// What the negatives give to the gradients of a block of states.
  private func passStateGradients(_ block: Range<Int>, _ scores: UnsafeMutablePointer<Float>) {
    let count = negatives.count
    let out = unsafe states.gradient + block.lowerBound * width
    if let rounded {
      let gradients = unsafe rounded.gradients + block.lowerBound * count
      unsafe h2rec_round_bf16(gradients, count, scores, stride, block.count, count)
      unsafe rounded.addStateGradients(block, to: out)
    } else {
      unsafe matrixMultiply(
        block.count, width, count, scores, stride, negativeVectors, width, beta: 1, out, width)
    }
  }

  /// The losses of a block of rows added up; scores become their gradients, states receive theirs.
  func scoreRows(_ block: Range<Int>) -> Double {
    let count = negatives.count
    let scores = unsafe base + block.lowerBound * stride
    unsafe score(block, into: scores)
    var loss = 0.0
    for row in block {
      let line = unsafe base + row * stride
      for index in 0..<count {
        unsafe line[index] =
          negatives[index] == targets[row]
          ? -Float.greatestFiniteMagnitude : line[index] + corrections[index]
      }
      unsafe line[count] = h2rec_dot(
        states.values + row * width, targetVectors + row * width, width)
      loss += unsafe Double(h2rec_cross_entropy_row(line, columns, count, factor))
    }
    unsafe passStateGradients(block, scores)
    for row in block {
      unsafe h2rec_add_scaled(
        states.gradient + row * width, targetVectors + row * width, base[row * stride + count],
        width)
    }
    return loss
  }

  func negativeGradients(_ block: Range<Int>) {
    if let rounded {
      unsafe rounded.itemGradients(
        block, rows: targets.count, into: gradients + block.lowerBound * width)
      return
    }
    unsafe matrixMultiply(
      block.count, width, targets.count, base + block.lowerBound, stride, transposeA: true,
      states.values, width, gradients + block.lowerBound * width, width)
  }

  /// Passes the gradients of all items that took part on to their tables.
  func store(threads: Int) {
    unsafe addItemGradients(
      parts(of: states.values), to: targets,
      factors: targets.indices.map { unsafe base[$0 * stride + negatives.count] },
      threads: threads)
    unsafe addItemGradients(parts(of: gradients), to: negatives, threads: threads)
  }

  /// The columns of each encoder in rows of all encoders.
  private func parts(of rows: UnsafePointer<Float>) -> [ItemGradients] {
    var column = 0
    return encoders.map { encoder in
      defer { column += encoder.width }
      return unsafe ItemGradients(encoder: encoder, rows: rows + column, stride: width)
    }
  }
}
