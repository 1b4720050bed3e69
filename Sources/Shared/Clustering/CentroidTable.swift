internal import CKernels
internal import Numerics

// K centroids, D their width.

/// Centroids laid out for searches.
///
/// x·c − ‖c‖²/2 is largest where the distance is smallest. A matrix product gives these scores for a block of points and a
/// tile of centroids, with an error that the lengths of the vectors and of their rounding errors limit. Only centroids
/// within twice that error of the largest score can be nearest; for these (mostly one) the score is computed anew, always
/// in the same order. So the result depends neither on the product nor on the other points.
struct CentroidTable: Sendable {
  /// What screens the centroids.
  enum Product: Sendable, CaseIterable {
    /// Nothing: all are looked at closely.
    case none
    /// Products of single precision.
    case float
    /// Products of inputs rounded to bfloat16, where the processor has them twice as fast.
    case bfloat16
  }

  let columns: Int
  let count: Int
  /// Shape `[K, D]`, followed by zeros up to a whole number of vectors of 16 scores.
  let rows: [Float]
  /// The same in bfloat16, packed; empty without need.
  private var panels: [UInt32] = []
  /// −‖c‖²/2; −∞ for rows that are none.
  let biases: [Float]
  /// What the centroids are called in the result, smallest first; their rows where nothing else is asked for.
  private let names: [UInt32]
  private var product: Product
  /// At least the length of the longest centroid.
  private let longest: Float
  /// At least the length of the longest rounding error of a centroid.
  private var roundingError: Float = 0

  /// Points compared at a time.
  static let pointBlock = 512

  /// Centroids compared at a time: a tile of scores has 512 x 256 floats and stays in the second-level cache.
  private static let centroidBlock = 256

  /// - Parameters:
  ///   - centroids: shape `[K, D]`.
  ///   - names: what they are called, ascending; nil for their rows.
  ///   - product: what screens them; nil for the fastest.
  init(_ centroids: Matrix, names: [UInt32]? = nil, product: Product? = nil) {
    let (count, columns) = (centroids.rows, centroids.columns)
    self.count = count
    self.columns = columns
    let padded = (count + 15) / 16 * 16
    self.names = (names ?? []) + (UInt32(names?.count ?? 0)..<UInt32(padded))
    rows = centroids.values + [Float](repeating: 0, count: (padded - count) * columns)
    let squares = squaredLengths(centroids, threads: 1)
    biases =
      squares.map { -0.5 * $0 } + [Float](repeating: -.infinity, count: padded - count)
    longest = squares.reduce(0) { Self.larger($0, upperLength($1, columns)) }
    self.product = product ?? Self.fastest(count: count, columns: columns)
    guard self.product == .bfloat16 else { return }
    var rounded = [UInt16](repeating: 0, count: padded * columns)
    unsafe h2rec_round_bf16(&rounded, columns, rows, columns, padded, columns)
    var errors = [Float](repeating: 0, count: count)
    unsafe h2rec_rounding_errors(rows, rounded, count, columns, &errors)
    roundingError = errors.reduce(0) { Self.larger($0, upperLength($1, columns)) }
    panels = [UInt32](repeating: 0, count: BFloat16Multiply.panelCount(columns, padded))
    unsafe BFloat16Multiply.shared?.pack(
      columns, padded, rounded, columns, transposeB: true, into: &panels)
  }

  /// Small products cost more than they save.
  private static func fastest(count: Int, columns: Int) -> Product {
    if count <= 4 { return .none }
    return count >= 32 && columns >= 32 && BFloat16Multiply.shared != nil ? .bfloat16 : .float
  }

  /// The larger of two; no number if one is none.
  private static func larger(_ x: Float, _ y: Float) -> Float { x > y || x.isNaN ? x : y }

  /// Finds the centroid with the largest x·c − ‖c‖²/2 for each of some points.
  ///
  /// What the last three have on entry is kept where no centroid exceeds it.
  ///
  /// - Parameters:
  ///   - points: `[n, D]`, n at most 512.
  ///   - squaredLengths: theirs, `[n]`.
  ///   - index: `[n]`, ``none`` before the first search; the smallest among equals.
  ///   - best: `[n]`, the value found; −∞ before the first search.
  ///   - rival: `[n]`, raised to a value that no other centroid exceeds.
  func search(
    _ points: UnsafePointer<Float>, squaredLengths: ArraySlice<Float>,
    index: UnsafeMutablePointer<UInt32>, best: UnsafeMutablePointer<Float>,
    rival: UnsafeMutablePointer<Float>
  ) {
    let rowCount = squaredLengths.count
    let width = min(Self.centroidBlock, biases.count)
    let roundedCount = product == .bfloat16 ? rowCount * columns : 0
    unsafe withUnsafeTemporaryAllocation(of: UInt16.self, capacity: roundedCount + 1) { halves in
      unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: rowCount * (width + 1)) {
        floats in
        guard let halves = halves.baseAddress, let scores = floats.baseAddress else { return }
        let margins = unsafe scores + rowCount * width
        unsafe prepare(points, squaredLengths, halves, margins)
        for first in stride(from: 0, to: biases.count, by: Self.centroidBlock) {
          let tile = first..<min(first + Self.centroidBlock, biases.count)
          unsafe multiply(points, halves, rowCount, tile, scores)
          unsafe rows.withUnsafeBufferPointer { rows in
            guard let row = rows.baseAddress else { return }
            unsafe h2rec_keep_nearest(
              points, rowCount, columns, row + first * columns, Array(biases[tile]), tile.count,
              scores, margins, Array(names[tile]), best, rival, index)
          }
        }
      }
    }
  }

  /// The index of points that no centroid was found for yet.
  static let none = UInt32.max

  /// A search that starts from nothing: 0 where no score is a number.
  func searchAnew(
    _ points: UnsafePointer<Float>, squaredLengths: ArraySlice<Float>,
    index: UnsafeMutablePointer<UInt32>, best: UnsafeMutablePointer<Float>,
    rival: UnsafeMutablePointer<Float>
  ) {
    let rowCount = squaredLengths.count
    unsafe index.update(repeating: Self.none, count: rowCount)
    unsafe best.update(repeating: -.infinity, count: rowCount)
    unsafe rival.update(repeating: -.infinity, count: rowCount)
    unsafe search(points, squaredLengths: squaredLengths, index: index, best: best, rival: rival)
    for row in 0..<rowCount where unsafe index[row] == Self.none { unsafe index[row] = 0 }
  }

  /// Rounds points where the product needs it, and limits the error of their scores.
  private func prepare(
    _ points: UnsafePointer<Float>, _ squaredLengths: ArraySlice<Float>,
    _ halves: UnsafeMutablePointer<UInt16>, _ margins: UnsafeMutablePointer<Float>
  ) {
    let rowCount = squaredLengths.count
    unsafe margins.update(repeating: 0, count: rowCount)
    switch product {
    case .none:
      unsafe margins.update(repeating: .infinity, count: rowCount)
      return
    case .float: break
    case .bfloat16:
      unsafe h2rec_round_bf16(halves, columns, points, columns, rowCount, columns)
      unsafe h2rec_rounding_errors(points, halves, rowCount, columns, margins)
    }
    for (row, square) in squaredLengths.enumerated() {
      unsafe margins[row] = margin(squaredLength: square, squaredError: margins[row])
    }
  }

  /// A limit of the difference between a score by the product and one computed anew.
  ///
  /// By Cauchy and Schwarz, rounding inputs changes an inner product by at most ‖x − x̃‖ · ‖c‖ + ‖x̃‖ · ‖c − c̃‖, and summing
  /// D products in single precision, in any order, by less than D · 2⁻²⁴ · ‖x‖ · ‖c‖; twice that for two sums, and
  /// twice that again for safety. Products too small for a float may be lost.
  private func margin(squaredLength: Float, squaredError: Float) -> Float {
    let length = upperLength(squaredLength, columns)
    let error = product == .bfloat16 ? upperLength(squaredError, columns) : 0
    let depth = Float(columns + 8)
    let summed = depth * 0x1p-22 * ((length + error) * longest) + 0x1p-22 * (longest * longest)
    let lost = depth * 0x1p-124 * (1 + length + longest)
    return error * longest + (length + error) * roundingError + summed + lost
  }

  /// A limit of the error of ‖x‖² − 2x·c + ‖c‖² as it is computed here, for a centroid of this table.
  func squaredDistanceError(squaredLength: Float) -> Float {
    // Sixteen sums or more a vector, three of them a distance.
    Float(columns / 16 + 40) * 0x1p-21 * (squaredLength + longest * longest)
      + Float(columns + 8) * 0x1p-122 * (1 + squaredLength.squareRoot() + longest)
  }

  /// Scores without biases for a tile of centroids, `[rowCount, tile]`.
  private func multiply(
    _ points: UnsafePointer<Float>, _ halves: UnsafePointer<UInt16>, _ rowCount: Int,
    _ tile: Range<Int>, _ scores: UnsafeMutablePointer<Float>
  ) {
    switch product {
    case .none: break
    case .float:
      let first = tile.lowerBound * columns
      unsafe rows.withUnsafeBufferPointer { rows in
        guard let row = rows.baseAddress else { return }
        unsafe matrixMultiply(
          rowCount, tile.count, columns, points, columns, row + first, columns, transposeB: true,
          scores, tile.count)
      }
    case .bfloat16:
      unsafe panels.withUnsafeBufferPointer { panels in
        guard let base = panels.baseAddress else { return }
        unsafe BFloat16Multiply.shared?.multiply(
          rowCount, tile.count, columns, halves, columns,
          panels: base + BFloat16Multiply.panelCount(columns, tile.lowerBound), scores, tile.count)
      }
    }
  }
}

/// At least the length of a vector of `columns` numbers whose squared length was computed in single precision.
func upperLength(_ square: Float, _ columns: Int) -> Float {
  let count = Float(columns + 8)
  return (square * (1 + count * 0x1p-22) + count * 0x1p-147).squareRoot() * 1.000001
}
