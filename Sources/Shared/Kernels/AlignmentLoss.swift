internal import CKernels

/// The weighted positives of each item of a batch, as lists: `W[i, j]`, including `W[i, i] = 1`.
public struct PositiveLists: Sendable {
  /// The columns of row i are `columns[offsets[i] ..< offsets[i + 1]]`.
  public var offsets: [Int] = [0]
  /// Column numbers.
  public var columns: [Int] = []
  /// Weights in (0, 1].
  public var weights: [Float] = []

  /// Creates empty lists.
  public init() {}

  /// Adds a row.
  public mutating func append(_ row: [(column: Int, weight: Float)]) {
    for entry in row {
      columns.append(entry.column)
      weights.append(entry.weight)
    }
    offsets.append(columns.count)
  }
}

/// The code-guided alignment loss: a one-to-many InfoNCE between the semantic and the hash vector of the same items.
///
/// With `E[i, j] = exp(⟨a_i, b_j⟩ / τ)`, a and b the normalised semantic and hash vectors,
/// `L = −½ · mean over i of (log Σ_j W_ij E_ij / Σ_j E_ij + log Σ_j W_ij E_ji / Σ_j E_ji)`: the weights are inside the
/// logarithm, as in the published code; items are distinct, which the published code does not ensure
/// (Documentation/PaperMap.md).
@safe public final class AlignmentLoss {
  private let memory = ScratchBuffer()

  /// Creates the loss.
  public init() {}

  /// Adds the gradients of `weight · L`.
  ///
  /// - Parameters:
  ///   - items: N distinct items.
  ///   - positives: their weighted positives, N rows.
  ///   - semantic: vectors from codes.
  ///   - hash: vectors of the items' own rows.
  ///   - temperature: τ > 0.
  ///   - weight: the factor of the loss in the total.
  ///   - threads: the largest number of threads.
  /// - Returns: L in nats.
  public func add(
    items: [UInt32], positives: PositiveLists, semantic: ItemBranch, hash: ItemBranch,
    temperature: Float, weight: Float, threads: Int
  ) -> Double {
    let count = items.count
    let width = hash.width
    let work = unsafe AlignmentWork(
      count: count, width: width,
      base: memory.reserve(AlignmentWork.floatCount(count: count, width: width)))
    work.load(items, semantic: semantic, hash: hash)
    work.exponentials(temperature: temperature, threads: threads)
    let loss = work.turnIntoGradient(
      positives, factor: weight / (2 * Float(count) * temperature), threads: threads)
    work.gradients(threads: threads)
    work.store(items, semantic: semantic, hash: hash)
    return loss
  }
}

/// The matrices of one evaluation: E (later its gradient) `[N, N]`, eight `[N, d]`, and the sums of E.
@safe private struct AlignmentWork: @unchecked Sendable {
  let count: Int
  let width: Int
  let base: UnsafeMutablePointer<Float>

  private var matrix: UnsafeMutablePointer<Float> { unsafe base }
  /// Matrix number `index` of shape `[N, d]`.
  private func part(_ index: Int) -> UnsafeMutablePointer<Float> {
    unsafe base + count * count + index * count * width
  }
  /// Sums of the rows of E, `[N]`.
  private var rowSums: UnsafeMutablePointer<Float> { unsafe part(8) }
  /// Sums of the columns of E over the rows of each block, `[blocks, N]`.
  private var blockColumnSums: UnsafeMutablePointer<Float> { unsafe rowSums + count }
  private static let blockRows = 128
  private var blocks: [Range<Int>] { ranges(count, of: Self.blockRows) }

  static func floatCount(count: Int, width: Int) -> Int {
    count * (count + 8 * width + 1 + (count + blockRows - 1) / blockRows)
  }

  /// Raw vectors in 0 (semantic) and 1 (hash), normalised ones in 2 and 3; lengths in 6 and 7.
  func load(_ items: [UInt32], semantic: ItemBranch, hash: ItemBranch) {
    for (row, item) in items.enumerated() {
      unsafe semantic.copyVector(item, to: part(0) + row * width)
      unsafe hash.copyVector(item, to: part(1) + row * width)
    }
    unsafe h2rec_normalize_rows(part(0), part(2), part(6), count, width)
    unsafe h2rec_normalize_rows(part(1), part(3), part(7), count, width)
  }

  func exponentials(temperature: Float, threads: Int) {
    let blocks = blocks
    parallelFor(blocks.count, threads: threads) { block in
      let rows = blocks[block]
      let out = unsafe matrix + rows.lowerBound * count
      unsafe matrixMultiply(
        rows.count, count, width, part(2) + rows.lowerBound * width, width, part(3), width,
        transposeB: true, out, count)
      unsafe h2rec_exp(out, 1 / temperature, rows.count * count)
      for row in rows { unsafe rowSums[row] = h2rec_sum(matrix + row * count, count) }
      let columnSums = unsafe blockColumnSums + block * count
      unsafe columnSums.update(repeating: 0, count: count)
      unsafe h2rec_column_sums(columnSums, out, rows.count, count)
    }
  }

  /// Replaces E by the gradient of the loss with respect to the cosines, and returns the loss.
  func turnIntoGradient(_ positives: PositiveLists, factor: Float, threads: Int) -> Double {
    var columnSums = [Float](repeating: 0, count: count)
    let blocks = blocks
    unsafe h2rec_column_sums(&columnSums, blockColumnSums, blocks.count, count)
    let corrections = corrections(positives)
    var loss = 0.0
    for row in 0..<count {
      loss -= unsafe naturalLogarithm(Double(corrections.rows[row]) / Double(rowSums[row]))
      loss -= naturalLogarithm(Double(corrections.columns[row]) / Double(columnSums[row]))
    }
    let inverseColumns = columnSums.map { factor / $0 }
    parallelFor(blocks.count, threads: threads) { block in
      for row in blocks[block] {
        unsafe h2rec_scale_by_sums(
          matrix + row * count, inverseColumns, factor / rowSums[row], count)
      }
    }
    for entry in corrections.entries {
      unsafe matrix[entry.place] -= factor * entry.value
    }
    return loss / (2 * Double(count))
  }

  /// The weighted sums of both directions, and what they subtract from the gradient.
  private func corrections(
    _ positives: PositiveLists
  ) -> (rows: [Float], columns: [Float], entries: [(place: Int, value: Float)]) {
    var rows = [Float](repeating: 0, count: count)
    var columns = [Float](repeating: 0, count: count)
    for row in 0..<count {
      for place in positives.offsets[row]..<positives.offsets[row + 1] {
        let column = positives.columns[place]
        let weight = positives.weights[place]
        unsafe rows[row] += weight * matrix[row * count + column]
        unsafe columns[row] += weight * matrix[column * count + row]
      }
    }
    var entries: [(place: Int, value: Float)] = []
    entries.reserveCapacity(2 * positives.columns.count)
    for row in 0..<count {
      for place in positives.offsets[row]..<positives.offsets[row + 1] {
        let column = positives.columns[place]
        let weight = positives.weights[place]
        let forward = row * count + column
        let reverse = column * count + row
        unsafe entries.append((forward, weight * matrix[forward] / rows[row]))
        unsafe entries.append((reverse, weight * matrix[reverse] / columns[row]))
      }
    }
    return (rows, columns, entries)
  }

  /// Gradients of the normalised vectors in 4 and 5, then of the raw ones in 0 and 1.
  func gradients(threads: Int) {
    let blocks = blocks
    parallelFor(blocks.count, threads: threads) { block in
      let rows = blocks[block]
      let first = rows.lowerBound
      unsafe matrixMultiply(
        rows.count, width, count, matrix + first * count, count, part(3), width,
        part(4) + first * width, width)
      unsafe matrixMultiply(
        rows.count, width, count, matrix + first, count, transposeA: true, part(2), width,
        part(5) + first * width, width)
    }
    unsafe part(0).update(repeating: 0, count: 2 * count * width)
    unsafe h2rec_normalize_rows_backward(part(2), part(6), part(4), part(0), count, width)
    unsafe h2rec_normalize_rows_backward(part(3), part(7), part(5), part(1), count, width)
  }

  func store(_ items: [UInt32], semantic: ItemBranch, hash: ItemBranch) {
    for (row, item) in items.enumerated() {
      unsafe semantic.addGradient(part(0) + row * width, factor: 1, toItem: item)
      unsafe hash.addGradient(part(1) + row * width, factor: 1, toItem: item)
    }
  }
}

extension PositiveLists {
  /// Every item is its own only positive.
  public init(identityCount: Int) {
    self.init()
    for index in 0..<identityCount { append([(index, 1)]) }
  }
}
