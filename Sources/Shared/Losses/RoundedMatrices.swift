internal import CKernels
internal import Layers
internal import Numerics

/// The bfloat16 inputs of a cross entropy: its items `[I, w]`, and the states `[rows, w]` and score gradients `[rows, I]`
/// of a chunk, in one piece of memory.
@safe struct RoundedMatrices: @unchecked Sendable {
  private let multiply: BFloat16Multiply
  private let base: UnsafeMutablePointer<UInt16>
  private let itemCount: Int
  private let width: Int
  private let rowLimit: Int
  /// Items of a block, the unit of parallel work.
  private static let itemBlock = 512

  /// Room for so many rows, in `memory`; nil where the processor has no such products.
  init?(in memory: ScratchBuffer, itemCount: Int, width: Int, rowLimit: Int) {
    guard let multiply = BFloat16Multiply.shared else { return nil }
    self.multiply = multiply
    self.itemCount = itemCount
    self.width = width
    self.rowLimit = rowLimit
    let panels =
      BFloat16Multiply.panelCount(width, itemCount) + BFloat16Multiply.panelCount(itemCount, width)
    unsafe base = memory.reserveHalves(
      2 * panels + itemCount * width + rowLimit * (width + itemCount))
  }

  /// The transposed items, packed.
  private var columnPanels: UnsafeMutablePointer<UInt32> {
    unsafe UnsafeMutableRawPointer(base).assumingMemoryBound(to: UInt32.self)
  }
  /// The items, packed.
  private var rowPanels: UnsafeMutablePointer<UInt32> {
    unsafe columnPanels + BFloat16Multiply.panelCount(width, itemCount)
  }
  private var items: UnsafeMutablePointer<UInt16> {
    unsafe UnsafeMutableRawPointer(rowPanels + BFloat16Multiply.panelCount(itemCount, width))
      .assumingMemoryBound(to: UInt16.self)
  }
  private var states: UnsafeMutablePointer<UInt16> { unsafe items + itemCount * width }

  /// The score gradients of a chunk, `[rows, I]`, for the caller to fill.
  var gradients: UnsafeMutablePointer<UInt16> { unsafe states + rowLimit * width }

  /// Rounds the vectors of all branches, side by side.
  func roundItems(_ branches: [ItemBranch], threads: Int) {
    forEachItemBlock(threads: threads) { block in
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

  /// Rounds vectors, `[I, w]`.
  func roundItems(_ vectors: UnsafePointer<Float>, threads: Int) {
    nonisolated(unsafe) let vectors = unsafe vectors
    forEachItemBlock(threads: threads) { block in
      unsafe h2rec_round_bf16(
        items + block.lowerBound * width, width, vectors + block.lowerBound * width, width,
        block.count, width)
    }
  }

  /// Rounds each block of items and packs it both ways.
  private func forEachItemBlock(
    threads: Int, round: @Sendable (Range<Int>) -> Void
  ) {
    let blocks = ranges(itemCount, of: Self.itemBlock)
    parallelFor(blocks.count, threads: threads) { index in
      let block = blocks[index]
      round(block)
      let rows = unsafe items + block.lowerBound * width
      unsafe multiply.pack(
        width, block.count, rows, width, transposeB: true,
        into: columnPanels + BFloat16Multiply.panelCount(width, block.lowerBound))
      for columns in ranges(width, of: BFloat16Multiply.panelColumns) {
        // Blocks hold whole pairs, one after another within each panel.
        let panel = unsafe rowPanels + BFloat16Multiply.panelCount(itemCount, columns.lowerBound)
        unsafe multiply.pack(
          block.count, columns.count, rows + columns.lowerBound, width,
          into: panel + BFloat16Multiply.panelCount(block.lowerBound, columns.count))
      }
    }
  }

  /// Rounds the states of a chunk.
  func round(_ source: BatchStates, rows: Range<Int>) {
    precondition(rows.count <= rowLimit && source.width == width)
    unsafe h2rec_round_bf16(
      states, width, source.values + rows.lowerBound * width, width, rows.count, width)
  }

  /// The scores of some states of the chunk and a block of items, whose first is a multiple of 64.
  func score(
    states rows: Range<Int>, items block: Range<Int>, into scores: UnsafeMutablePointer<Float>,
    stride: Int
  ) {
    precondition(block.lowerBound % BFloat16Multiply.panelColumns == 0)
    unsafe multiply.multiply(
      rows.count, block.count, width, states + rows.lowerBound * width, width,
      panels: columnPanels + BFloat16Multiply.panelCount(width, block.lowerBound), scores, stride)
  }

  /// Adds what the score gradients of some states of the chunk give to the gradients of these states, `[rows, w]`.
  func addStateGradients(_ rows: Range<Int>, to sums: UnsafeMutablePointer<Float>) {
    unsafe multiply.multiply(
      rows.count, width, itemCount, gradients + rows.lowerBound * itemCount, itemCount,
      panels: rowPanels, adds: true, sums, width)
  }

  /// What the score gradients of a chunk give to the gradients of a block of items, `[block, w]`.
  func itemGradients(_ block: Range<Int>, rows: Int, into sums: UnsafeMutablePointer<Float>) {
    unsafe multiply.multiply(
      block.count, width, rows, gradients + block.lowerBound, itemCount, transposeA: true, states,
      width, sums, width)
  }
}
