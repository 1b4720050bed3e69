internal import CKernels
public import Layers
public import Numerics

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

  /// Adds the rows of other lists.
  public mutating func append(_ other: PositiveLists) {
    let first = columns.count
    columns += other.columns
    weights += other.weights
    offsets += other.offsets.dropFirst().map { $0 + first }
  }

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
  private let memory: LossMemory

  /// Creates the loss.
  ///
  /// - Parameter precision: of the products.
  /// - Precondition: this machine has such products.
  public init(precision: ProductPrecision = .float32) {
    memory = LossMemory(precision)
  }

  /// Adds the gradients of `weight · L`.
  ///
  /// - Parameters:
  ///   - items: N distinct items.
  ///   - semantic: vectors from codes.
  ///   - hash: vectors of the items' own rows.
  ///   - temperature: τ ≥ 0.02.
  ///   - weight: the factor of the loss in the total.
  ///   - threads: the largest number of threads; does not change the result.
  ///   - positives: makes the weighted positives of a range of the items, a row for each; called by several threads.
  /// - Returns: L in nats.
  public func add(
    items: [UInt32], semantic: any ItemEncoder, hash: any ItemEncoder, temperature: Float,
    weight: Float,
    threads: Int, positives: @Sendable (Range<Int>) -> PositiveLists
  ) -> Double {
    precondition(semantic.width == hash.width && !items.isEmpty)
    let work = AlignmentWork(items: items, semantic: semantic, hash: hash, memory: memory)
    let positives = work.load(threads: threads, positives)
    work.exponentials(temperature: temperature, threads: threads)
    let loss = work.takePositives(
      positives, factor: weight / (2 * Float(items.count) * temperature))
    work.gradients(threads: threads)
    let gradients = [work.semantic, work.hash].map { side in
      unsafe ItemGradients(encoder: side.encoder, rows: side.raw.values, stride: side.raw.stride)
    }
    addItemGradients(gradients, to: items, threads: threads)
    return loss
  }
}

/// The vectors of one encoder.
private struct AlignmentSide: Sendable {
  let encoder: any ItemEncoder
  /// As they are; later what they receive, `[N, d]`.
  let raw: LossMatrix
  /// Normalised.
  let unit: LossMatrix
  /// The gradient of the normalised ones.
  let gradient: LossMatrix
  /// Their lengths, `[1, N]`.
  let lengths: LossMatrix

  func load(_ items: ArraySlice<UInt32>) {
    let rows = items.startIndex..<items.endIndex
    unsafe encoder.copyVectors(items, to: raw[rows].values, stride: raw.stride)
    unsafe h2rec_normalize_rows(
      raw[rows].values, unit[rows].values, lengths.values + rows.lowerBound, rows.count, raw.stride)
    unit[rows].round()
  }

  /// Replaces vectors by their gradient, from that of the normalised ones.
  func passGradient(_ rows: Range<Int>) {
    unsafe raw[rows].values.update(repeating: 0, count: rows.count * raw.stride)
    unsafe h2rec_normalize_rows_backward(
      unit[rows].values, lengths.values + rows.lowerBound, gradient[rows].values,
      raw[rows].values, rows.count, raw.stride)
  }
}
/// The matrices of one evaluation.
private struct AlignmentWork: Sendable {
  let items: [UInt32]
  let semantic: AlignmentSide
  let hash: AlignmentSide
  /// E, later the gradient of the loss with respect to the cosines.
  private let scores: LossMatrix
  /// Of E over its rows and its columns; later the factors of E's rows and columns in the gradient, `[2, N]`.
  private let sums: LossMatrix
  /// Sums of the columns over the rows of each block, `[blocks, N]`.
  private let blockSums: LossMatrix
  private let blocks: [Range<Int>]

  init(items: [UInt32], semantic: any ItemEncoder, hash: any ItemEncoder, memory: LossMemory) {
    let count = items.count
    let width = hash.width
    blocks = pairedRanges(count)
    let vectors = [
      LossShape(count, width), LossShape(count, width, isRounded: true), LossShape(count, width),
      LossShape(1, count),
    ]
    let matrices = memory.matrices(
      vectors + vectors + [
        LossShape(pairsOf: count), LossShape(2, count), LossShape(blocks.count, count),
      ])
    func side(_ encoder: any ItemEncoder, _ first: Int) -> AlignmentSide {
      AlignmentSide(
        encoder: encoder, raw: matrices[first], unit: matrices[first + 1],
        gradient: matrices[first + 2], lengths: matrices[first + 3])
    }
    self.items = items
    self.semantic = side(semantic, 0)
    self.hash = side(hash, 4)
    scores = matrices[8]
    sums = matrices[9]
    blockSums = matrices[10]
  }

  /// Loads the vectors and the positives.
  func load(
    threads: Int, _ positives: @Sendable (Range<Int>) -> PositiveLists
  ) -> PositiveLists {
    let made = parallelMap(blocks.count, threads: threads) { index in
      semantic.load(items[blocks[index]])
      hash.load(items[blocks[index]])
      return positives(blocks[index])
    }
    var lists = PositiveLists()
    made.forEach { lists.append($0) }
    return lists
  }

  func exponentials(temperature: Float, threads: Int) {
    parallelFor(blocks.count, threads: threads) { block in
      let rows = blocks[block]
      let part = scores[rows]
      semantic.unit[rows].times(hash.unit, transposesOther: true, into: part)
      unsafe h2rec_exp_sums(
        part.values, part.stride, 1 / temperature, 0, rows.count, items.count,
        sums.values + rows.lowerBound, blockSums[block..<block + 1].values)
    }
    let columnSums = unsafe sums.values + items.count
    unsafe columnSums.update(repeating: 0, count: items.count)
    unsafe h2rec_column_sums(columnSums, blockSums.values, blocks.count, items.count)
  }

  /// The loss; subtracts from E what, times the factors that replace the sums, the positives subtract from the gradient.
  func takePositives(_ positives: PositiveLists, factor: Float) -> Double {
    let count = items.count
    precondition(positives.offsets.count == count + 1)
    var values = [Float](repeating: 0, count: 2 * positives.columns.count)
    var wanted = [Float](repeating: 0, count: 2 * count)
    unsafe h2rec_entry_sums(
      scores.values, scores.stride, positives.offsets, positives.columns, positives.weights, count,
      &values, &wanted)
    var loss = 0.0
    for index in 0..<2 * count {
      let sum = unsafe sums.values[index]
      let part = wanted[index < count ? 2 * index : 2 * (index - count) + 1]
      loss -= naturalLogarithm(Double(part) / Double(sum))
      unsafe sums.values[index] = 1 / sum
    }
    unsafe h2rec_take_entries(
      scores.values, scores.stride, positives.offsets, positives.columns, count, values, wanted,
      sums.values, sums.values + count)
    for index in 0..<2 * count { unsafe sums.values[index] *= factor }
    return loss / (2 * Double(count))
  }

  /// Gradients of the cosines, of the normalised vectors and of the vectors.
  func gradients(threads: Int) {
    let count = items.count
    parallelFor(blocks.count, threads: threads) { block in
      let rows = blocks[block]
      let part = scores[rows]
      unsafe h2rec_scale_by_sums(
        part.values, part.stride, sums.values + rows.lowerBound, sums.values + count, rows.count,
        count)
      part.round()
      part.times(hash.unit, into: semantic.gradient[rows])
      semantic.passGradient(rows)
    }
    parallelFor(blocks.count, threads: threads) { block in
      let rows = blocks[block]
      scores.columns(rows).times(semantic.unit, transposed: true, into: hash.gradient[rows])
      hash.passGradient(rows)
    }
  }
}

extension PositiveLists {
  /// Every one of some items is its own only positive.
  public init(identity items: Range<Int>) {
    self.init()
    for index in items { append([(index, 1)]) }
  }
}
