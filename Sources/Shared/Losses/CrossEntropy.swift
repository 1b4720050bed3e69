internal import CKernels
public import Layers
public import Numerics

// T states, I items, d width of an item encoder.

/// The cross entropy of a softmax over the whole catalogue.
///
/// The scores of a chunk of states are computed, turned into their gradient in place, and multiplied back; a
/// `[T, I]` matrix never exists. Scores and item gradients of a chunk are shared out by blocks of items, state gradients by
/// blocks of rows, so that every sum is formed by one thread in a fixed order.
@safe public final class CrossEntropy {
  private let scores = ScratchBuffer()
  private let vectors = ScratchBuffer()
  private let halves = ScratchBuffer()
  private static let rowBlock = 64
  private static let itemBlock = 1024
  private let scoreLimit: Int
  private let precision: ProductPrecision

  /// Creates the loss.
  ///
  /// - Parameters:
  ///   - precision: of the products.
  ///   - scoreLimit: floats of scores in memory; at least 16 states are scored at a time.
  /// - Precondition: this machine has such products.
  public init(precision: ProductPrecision = .float32, scoreLimit: Int = 1 << 23) {
    precondition(precision.isAvailable)
    self.precision = precision
    self.scoreLimit = scoreLimit
  }

  /// Adds the gradients of `weight · mean over the states of −log softmax(scores)[target]`.
  ///
  /// - Parameters:
  ///   - states: T states; their gradient is added to.
  ///   - targets: the item that comes next, `[T]`.
  ///   - encoders: the item vectors, in the order of the states' columns; refreshed.
  ///   - weight: the factor of the loss in the total.
  ///   - threads: the largest number of threads.
  /// - Returns: the mean loss in nats, before `weight`.
  public func add(
    states: BatchStates, targets: [UInt32], encoders: [any ItemEncoder], weight: Float, threads: Int
  ) -> Double {
    precondition(targets.count == states.count && !targets.isEmpty)
    let itemCount = encoders[0].itemCount
    let chunkRows = max(
      Self.rowBlock / 4, scoreLimit / itemCount / Self.rowBlock * Self.rowBlock)
    var losses = [Float](repeating: 0, count: targets.count)
    let rounded = precision == .bfloat16 ? roundedItems(encoders, threads: threads) : nil
    let vectors = unsafe rounded == nil ? itemVectors(encoders, threads: threads) : nil
    for chunk in ranges(targets.count, of: chunkRows) {
      let work = unsafe CrossEntropyChunk(
        states: states, targets: targets, encoders: encoders, rows: chunk,
        scores: scores.reserve(chunk.count * rowStride(itemCount)), itemCount: itemCount,
        factor: weight / Float(targets.count), vectors: vectors, rounded: rounded)
      work.run(
        rowBlocks: ranges(chunk.count, of: Self.rowBlock),
        itemBlocks: ranges(itemCount, of: Self.itemBlock), losses: &losses, threads: threads)
    }
    for encoder in encoders { encoder.scatterGradient() }
    return losses.reduce(0.0) { $0 + Double($1) } / Double(targets.count)
  }

  /// The item vectors of all encoders side by side, `[I, w]`: one product of width w reads the scores once, where one
  /// for each encoder would read them as often as there are encoders.
  private func itemVectors(
    _ encoders: [any ItemEncoder], threads: Int
  ) -> UnsafePointer<Float> {
    guard encoders.count > 1 else { return unsafe UnsafePointer(encoders[0].vectors.base) }
    let itemCount = encoders[0].itemCount
    let width = encoders.reduce(0) { $0 + $1.width }
    // Blocks write disjoint rows.
    nonisolated(unsafe) let base = unsafe vectors.reserve(itemCount * width)
    let blocks = ranges(itemCount, of: Self.itemBlock)
    parallelFor(blocks.count, threads: threads) { block in
      var column = 0
      for encoder in encoders {
        let (source, count) = unsafe (encoder.vectors.base, encoder.width)
        for item in blocks[block] {
          unsafe (base + item * width + column).update(from: source + item * count, count: count)
        }
        column += count
      }
    }
    return unsafe UnsafePointer(base)
  }

  /// The item vectors of all encoders side by side, rounded, with room for the states and gradients of a chunk.
  private func roundedItems(_ encoders: [any ItemEncoder], threads: Int) -> RoundedMatrices? {
    let itemCount = encoders[0].itemCount
    let width = encoders.reduce(0) { $0 + $1.width }
    let chunkRows = max(Self.rowBlock, scoreLimit / itemCount / Self.rowBlock * Self.rowBlock)
    let matrices = RoundedMatrices(
      in: halves, itemCount: itemCount, width: width, rowLimit: chunkRows)
    matrices?.roundItems(encoders, threads: threads)
    return matrices
  }
}

/// The work on some of the states of a batch.
@safe private struct CrossEntropyChunk: @unchecked Sendable {
  let states: BatchStates
  let targets: [UInt32]
  let encoders: [any ItemEncoder]
  let rows: Range<Int>
  let scores: UnsafeMutablePointer<Float>
  let itemCount: Int
  let factor: Float
  /// Floats from one row of scores to the next.
  private var stride: Int { rowStride(itemCount) }
  /// `[I, w]`; nil where the rounded ones are used.
  let vectors: UnsafePointer<Float>?
  let rounded: RoundedMatrices?

  func run(
    rowBlocks: [Range<Int>], itemBlocks: [Range<Int>], losses: inout [Float], threads: Int
  ) {
    rounded?.round(states, rows: rows)
    parallelFor(itemBlocks.count, threads: threads) { block in
      scoreItems(itemBlocks[block])
    }
    unsafe losses.withUnsafeMutableBufferPointer { buffer in
      // Blocks write disjoint elements.
      nonisolated(unsafe) let buffer = unsafe buffer
      parallelFor(rowBlocks.count, threads: threads) { block in
        unsafe addStateGradients(rowBlocks[block], losses: buffer)
      }
    }
    parallelFor(itemBlocks.count, threads: threads) { block in
      addItemGradients(itemBlocks[block])
    }
  }

  /// The scores of all rows of the chunk and a block of items.
  private func scoreItems(_ block: Range<Int>) {
    if let rounded {
      unsafe rounded.score(
        states: 0..<rows.count, items: block, into: scores + block.lowerBound, stride: stride)
      return
    }
    guard let vectors = unsafe vectors else { return }
    let width = states.width
    unsafe matrixMultiply(
      rows.count, block.count, width, states.values + rows.lowerBound * width, width,
      vectors + block.lowerBound * width, width, transposeB: true, scores + block.lowerBound,
      stride)
  }

  /// Losses, score gradients and state gradients of a block of rows.
  private func addStateGradients(
    _ block: Range<Int>, losses: UnsafeMutableBufferPointer<Float>
  ) {
    let width = states.width
    let first = rows.lowerBound + block.lowerBound
    let blockScores = unsafe scores + block.lowerBound * stride
    if let rounded {
      let gradients = unsafe rounded.gradients + block.lowerBound * itemCount
      for row in 0..<block.count {
        unsafe losses[first + row] = h2rec_cross_entropy_row_bf16(
          blockScores + row * stride, gradients + row * itemCount, itemCount,
          Int(targets[first + row]), factor)
      }
      unsafe rounded.addStateGradients(block, to: states.gradient + first * width)
      return
    }
    for row in 0..<block.count {
      unsafe losses[first + row] = h2rec_cross_entropy_row(
        blockScores + row * stride, itemCount, Int(targets[first + row]), factor)
    }
    guard let vectors = unsafe vectors else { return }
    unsafe matrixMultiply(
      block.count, width, itemCount, blockScores, stride, vectors, width, beta: 1,
      states.gradient + first * width, width)
  }

  private func addItemGradients(_ block: Range<Int>) {
    let width = states.width
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: block.count * width) { sums in
      guard let sums = sums.baseAddress else { return }
      if let rounded {
        unsafe rounded.itemGradients(block, rows: rows.count, into: sums)
      } else {
        unsafe matrixMultiply(
          block.count, width, rows.count, scores + block.lowerBound, stride, transposeA: true,
          states.values + rows.lowerBound * width, width, sums, width)
      }
      var column = 0
      for encoder in encoders {
        let (gradient, count) = unsafe (encoder.gradient.base, encoder.width)
        for item in 0..<block.count {
          unsafe h2rec_add_scaled(
            gradient + (block.lowerBound + item) * count, sums + item * width + column, 1, count)
        }
        column += count
      }
    }
  }
}
