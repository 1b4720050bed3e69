internal import CKernels

// T states, I items, d width of a branch.

/// The cross entropy of a softmax over the whole catalogue.
///
/// The scores of a chunk of states are computed, turned into their gradient in place, and multiplied back; a
/// `[T, I]` matrix never exists. Scores and item gradients of a chunk are shared out by blocks of items, state gradients by
/// blocks of rows, so that every sum is formed by one thread in a fixed order.
@safe public final class CrossEntropy {
  private let scores = ScratchBuffer()
  private static let rowBlock = 64
  private static let itemBlock = 1024
  private let scoreLimit: Int

  /// Creates the loss.
  public init() { scoreLimit = 1 << 23 }

  /// Creates the loss with other chunks.
  ///
  /// - Parameter scoreLimit: floats of scores in memory; at least 16 states are scored at a time.
  package init(scoreLimit: Int) { self.scoreLimit = scoreLimit }

  /// Adds the gradients of `weight · mean over the states of −log softmax(scores)[target]`.
  ///
  /// - Parameters:
  ///   - states: T states; their gradient is added to.
  ///   - targets: the item that comes next, `[T]`.
  ///   - branches: the item vectors, in the order of the states' columns; refreshed.
  ///   - weight: the factor of the loss in the total.
  ///   - threads: the largest number of threads.
  /// - Returns: the mean loss in nats, before `weight`.
  public func add(
    states: BatchStates, targets: [UInt32], branches: [ItemBranch], weight: Float, threads: Int
  ) -> Double {
    precondition(targets.count == states.count && !targets.isEmpty)
    let itemCount = branches[0].itemCount
    let chunkRows = max(
      Self.rowBlock / 4, scoreLimit / itemCount / Self.rowBlock * Self.rowBlock)
    var losses = [Float](repeating: 0, count: targets.count)
    for chunk in ranges(targets.count, of: chunkRows) {
      let work = unsafe CrossEntropyChunk(
        states: states, targets: targets, branches: branches, rows: chunk,
        scores: scores.reserve(chunk.count * itemCount), itemCount: itemCount,
        factor: weight / Float(targets.count))
      work.run(
        rowBlocks: ranges(chunk.count, of: Self.rowBlock),
        itemBlocks: ranges(itemCount, of: Self.itemBlock), losses: &losses, threads: threads)
    }
    for branch in branches { branch.scatterGradient() }
    return losses.reduce(0.0) { $0 + Double($1) } / Double(targets.count)
  }
}

/// The work on some of the states of a batch.
@safe private struct CrossEntropyChunk: @unchecked Sendable {
  let states: BatchStates
  let targets: [UInt32]
  let branches: [ItemBranch]
  let rows: Range<Int>
  let scores: UnsafeMutablePointer<Float>
  let itemCount: Int
  let factor: Float

  func run(
    rowBlocks: [Range<Int>], itemBlocks: [Range<Int>], losses: inout [Float], threads: Int
  ) {
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
    var column = 0
    for (index, branch) in branches.enumerated() {
      unsafe matrixMultiply(
        rows.count, block.count, branch.width,
        states.values + rows.lowerBound * states.width + column, states.width,
        branch.vectors.base + block.lowerBound * branch.width, branch.width, transposeB: true,
        beta: index == 0 ? 0 : 1, scores + block.lowerBound, itemCount)
      column += branch.width
    }
  }

  /// Losses, score gradients and state gradients of a block of rows.
  private func addStateGradients(
    _ block: Range<Int>, losses: UnsafeMutableBufferPointer<Float>
  ) {
    let width = states.width
    let first = rows.lowerBound + block.lowerBound
    let blockScores = unsafe scores + block.lowerBound * itemCount
    for row in 0..<block.count {
      unsafe losses[first + row] = h2rec_cross_entropy_row(
        blockScores + row * itemCount, itemCount, Int(targets[first + row]), factor)
    }
    var column = 0
    for branch in branches {
      unsafe matrixMultiply(
        block.count, branch.width, itemCount, blockScores, itemCount, branch.vectors.base,
        branch.width, beta: 1, states.gradient + first * width + column, width)
      column += branch.width
    }
  }

  private func addItemGradients(_ block: Range<Int>) {
    var column = 0
    for branch in branches {
      unsafe matrixMultiply(
        block.count, branch.width, rows.count, scores + block.lowerBound, itemCount,
        transposeA: true, states.values + rows.lowerBound * states.width + column, states.width,
        beta: 1, branch.gradient.base + block.lowerBound * branch.width, branch.width)
      column += branch.width
    }
  }
}
