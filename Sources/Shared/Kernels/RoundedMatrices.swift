internal import CKernels

/// The bfloat16 inputs of a cross entropy: its items `[I, w]`, and the states `[rows, w]` and score gradients `[rows, I]`
/// of a chunk, in one piece of memory.
@safe struct RoundedMatrices: @unchecked Sendable {
  /// Room for so many rows, in `memory`; nil where the processor has no such products.
  init?(in memory: ScratchBuffer, itemCount: Int, width: Int, rowLimit: Int) {
    guard let multiply = BFloat16Multiply.shared else { return nil }
    self.multiply = multiply
    unsafe base = memory.reserveHalves(itemCount * width + rowLimit * (width + itemCount))
    self.itemCount = itemCount
    self.width = width
    self.rowLimit = rowLimit
  }

  let multiply: BFloat16Multiply
  let base: UnsafeMutablePointer<UInt16>
  let itemCount: Int
  let width: Int
  let rowLimit: Int

  var items: UnsafeMutablePointer<UInt16> { unsafe base }
  var states: UnsafeMutablePointer<UInt16> { unsafe base + itemCount * width }
  var gradients: UnsafeMutablePointer<UInt16> { unsafe states + rowLimit * width }

  /// Rounds the vectors of all branches, side by side.
  func round(_ branches: [ItemBranch], blocks: [Range<Int>], threads: Int) {
    parallelFor(blocks.count, threads: threads) { index in
      let block = blocks[index]
      var column = 0
      for branch in branches {
        unsafe h2rec_round_bf16(
          items + block.lowerBound * width + column, width,
          branch.vectors.base + block.lowerBound * branch.width, branch.width, block.count,
          branch.width)
        column += branch.width
      }
    }
  }

  /// Rounds the states of a chunk.
  func round(_ source: BatchStates, rows: Range<Int>) {
    precondition(rows.count <= rowLimit && source.width == width)
    unsafe h2rec_round_bf16(
      states, width, source.values + rows.lowerBound * width, width, rows.count, width)
  }

  /// What the score gradients of a chunk give to the gradients of a block of items, `[block, w]`.
  func itemGradients(_ block: Range<Int>, rows: Int, into sums: UnsafeMutablePointer<Float>) {
    unsafe multiply.multiply(
      block.count, width, rows, gradients + block.lowerBound, itemCount, transposeA: true, states,
      width, sums, width)
  }
}
