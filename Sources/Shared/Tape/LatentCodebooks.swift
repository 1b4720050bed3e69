internal import CKernels
public import Numerics

// Z width of the latent space, M levels, K codes of a level.

/// The code vectors of all levels while they are learned.
@safe public final class LatentCodebooks: @unchecked Sendable {
  /// The number of codes of each level.
  public let sizes: [Int]
  /// The width of the code vectors.
  public let width: Int
  /// Whether a level takes the smallest angle instead of the smallest distance, one a level.
  public let isAngular: [Bool]
  /// All code vectors, level by level, `[ΣK, Z]`.
  public let values: AlignedBuffer
  /// What rows are multiplied by: the code vectors, at length 1 where the level is angular.
  private let probes: AlignedBuffer
  /// What is added to the products: −‖c‖²/2, or 0 where the level is angular.
  private let biases: AlignedBuffer
  private let firstRows: [Int]

  /// Creates code vectors over some memory.
  ///
  /// - Parameters:
  ///   - sizes: the number of codes of each level.
  ///   - width: the width of the code vectors.
  ///   - isAngular: one a level.
  ///   - values: what becomes ``values``, of `ΣK · Z` floats; zeros of its own if nil.
  public init(sizes: [Int], width: Int, isAngular: [Bool], values: AlignedBuffer? = nil) {
    precondition(sizes.count == isAngular.count && width > 0)
    self.sizes = sizes
    self.width = width
    self.isAngular = isAngular
    firstRows = sizes.indices.map { sizes[..<$0].reduce(0, +) }
    let count = sizes.reduce(0, +)
    self.values = values ?? AlignedBuffer(count: count * width)
    precondition(self.values.count == count * width, "the memory of the code vectors")
    probes = AlignedBuffer(count: count * width)
    biases = AlignedBuffer(count: count)
  }

  /// The number of codes of all levels together.
  public var codeCount: Int { sizes.reduce(0, +) }

  /// The row of the first code of a level.
  public func firstRow(of level: Int) -> Int { firstRows[level] }

  /// The code vectors of a level, `[K, Z]`.
  public subscript(level level: Int) -> Matrix {
    get {
      let first = firstRows[level] * width
      return Matrix(
        rows: sizes[level], columns: width,
        values: values.array(first..<first + sizes[level] * width))
    }
    set {
      precondition(newValue.rows == sizes[level] && newValue.columns == width)
      values.set(newValue.values, at: firstRows[level] * width)
    }
  }

  /// Makes the code vectors ready for searches; to be called after they change.
  public func refresh() {
    for level in sizes.indices {
      let (first, size) = (firstRows[level], sizes[level])
      let source = unsafe values.base + first * width
      let target = unsafe probes.base + first * width
      if isAngular[level] {
        // The norms go where the zeros belong.
        unsafe h2rec_normalize_rows(source, target, biases.base + first, size, width)
        unsafe (biases.base + first).update(repeating: 0, count: size)
      } else {
        unsafe target.update(from: source, count: size * width)
        unsafe h2rec_squared_lengths(source, size, width, biases.base + first)
        for row in first..<first + size { biases[row] *= -0.5 }
      }
    }
  }

  /// The code of each of some rows at a level.
  func nearest(
    _ rows: UnsafePointer<Float>, rows count: Int, level: Int, _ arena: Arena
  ) -> [UInt32] {
    var indices = [UInt32](repeating: 0, count: count)
    let best = unsafe arena.allocate(count)
    unsafe best.update(repeating: -.infinity, count: count)
    let tile = min(sizes[level], Self.tileRows)
    let scores = unsafe arena.allocate(count * tile)
    for code in stride(from: 0, to: sizes[level], by: tile) {
      let (first, size) = (firstRows[level] + code, min(tile, sizes[level] - code))
      unsafe matrixMultiply(
        count, size, width, rows, width, probes.base + first * width, width, transposeB: true,
        scores, size)
      unsafe h2rec_keep_largest(
        scores, biases.base + first, count, size, UInt32(code), best, &indices)
    }
    return indices
  }

  /// Code vectors compared at a time.
  private static let tileRows = 256
}
