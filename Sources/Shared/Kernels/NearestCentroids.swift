internal import CKernels

// N points, K centroids, D their width.

/// The nearest centroid of each point and the squared distance to it.
public struct NearestCentroids: Sendable, Equatable {
  /// The row of the nearest centroid, the smallest among equals, shape `[N]`.
  public private(set) var indices: [UInt32]
  /// Squared Euclidean distances, shape `[N]`.
  ///
  /// From `‖x‖² − 2x·c + ‖c‖²` in single precision, cut off at 0.
  public private(set) var distances: [Float]

  /// The nearest centroids of no points.
  init() {
    indices = []
    distances = []
  }

  /// Compares all points with all centroids, as a matrix product over blocks that stay in the cache.
  ///
  /// - Parameters:
  ///   - points: shape `[N, D]`.
  ///   - centroids: shape `[K, D]`, K > 0.
  ///   - threads: the largest number of threads; the result does not depend on it.
  /// - Complexity: O(N · K · D).
  public init(of points: Matrix, among centroids: Matrix, threads: Int) {
    self.init(
      of: points, squaredLengths: squaredLengths(points, threads: threads), among: centroids,
      threads: threads)
  }

  /// Compares all points with all centroids; the squared lengths of the points are known.
  init(of points: Matrix, squaredLengths: [Float], among centroids: Matrix, threads: Int) {
    precondition(points.columns == centroids.columns, "width of points and centroids")
    precondition(centroids.rows > 0, "no centroids")
    indices = [UInt32](repeating: 0, count: points.rows)
    distances = [Float](repeating: 0, count: points.rows)
    let table = CentroidTable(centroids)
    unsafe points.values.withUnsafeBufferPointer { source in
      unsafe indices.withUnsafeMutableBufferPointer { indices in
        unsafe distances.withUnsafeMutableBufferPointer { distances in
          // Blocks write disjoint rows.
          nonisolated(unsafe) let (source, indices, distances) = unsafe (source, indices, distances)
          parallelFor((points.rows + pointBlock - 1) / pointBlock, threads: threads) { block in
            guard let x = unsafe source.baseAddress, let index = unsafe indices.baseAddress,
              let distance = unsafe distances.baseAddress
            else { return }
            let first = block * pointBlock
            let count = min(pointBlock, points.rows - first)
            unsafe table.search(
              x + first * points.columns, count, index: index + first, best: distance + first)
            for row in first..<first + count {
              unsafe distance[row] = max(0, squaredLengths[row] - 2 * distance[row])
            }
          }
        }
      }
    }
  }
}

/// Points compared at a time.
private let pointBlock = 512

/// Centroids compared at a time: a tile of scores has 512 x 256 floats and stays in the second-level cache.
private let centroidBlock = 256

/// Centroids laid out for the matrix product: tiles of at most 256, each transposed.
private struct CentroidTable: Sendable {
  let columns: Int
  /// Tile after tile, each `[D, centroids of the tile]`.
  var tiles: [Float]
  /// −‖c‖²/2, shape `[K]`: x·c plus this is largest where the distance is smallest.
  var biases: [Float]

  init(_ centroids: Matrix) {
    columns = centroids.columns
    tiles = []
    tiles.reserveCapacity(centroids.values.count)
    for first in stride(from: 0, to: centroids.rows, by: centroidBlock) {
      let last = min(first + centroidBlock, centroids.rows)
      for column in 0..<centroids.columns {
        for row in first..<last {
          tiles.append(centroids.values[row * centroids.columns + column])
        }
      }
    }
    biases = squaredLengths(centroids, threads: 1).map { -0.5 * $0 }
  }

  /// Finds the centroid with the largest x·c − ‖c‖²/2 for each of some points.
  ///
  /// - Parameters:
  ///   - points: `[count, D]`.
  ///   - count: at most 512.
  ///   - index: `[count]`, overwritten.
  ///   - best: `[count]`, overwritten with the value found.
  func search(
    _ points: UnsafePointer<Float>, _ count: Int, index: UnsafeMutablePointer<UInt32>,
    best: UnsafeMutablePointer<Float>
  ) {
    unsafe best.update(repeating: -.infinity, count: count)
    let width = min(centroidBlock, biases.count)
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: count * width) { scores in
      guard let scores = scores.baseAddress else { return }
      unsafe biases.withUnsafeBufferPointer { biases in
        unsafe tiles.withUnsafeBufferPointer { tiles in
          for first in stride(from: 0, to: biases.count, by: centroidBlock) {
            guard let bias = biases.baseAddress, let tile = tiles.baseAddress else {
              return
            }
            let tileWidth = min(centroidBlock, biases.count - first)
            unsafe matrixMultiply(
              count, tileWidth, columns, points, columns, tile + first * columns, tileWidth, scores,
              tileWidth)
            unsafe h2rec_keep_largest(
              scores, bias + first, count, tileWidth, UInt32(first), best, index)
          }
        }
      }
    }
  }
}

/// The squared length of each row.
///
/// - Parameters:
///   - points: shape `[N, D]`.
///   - threads: the largest number of threads.
/// - Returns: shape `[N]`.
public func squaredLengths(_ points: Matrix, threads: Int) -> [Float] {
  var lengths = [Float](repeating: 0, count: points.rows)
  unsafe points.values.withUnsafeBufferPointer { source in
    unsafe lengths.withUnsafeMutableBufferPointer { target in
      nonisolated(unsafe) let (source, target) = unsafe (source, target)
      let block = 4096
      parallelFor((points.rows + block - 1) / block, threads: threads) { index in
        guard let x = unsafe source.baseAddress, let y = unsafe target.baseAddress else { return }
        let first = index * block
        unsafe h2rec_squared_lengths(
          x + first * points.columns, min(block, points.rows - first), points.columns, y + first)
      }
    }
  }
  return lengths
}
