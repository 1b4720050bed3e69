internal import CKernels
public import Numerics

// N points, K centroids, D their width.

/// The nearest centroid of each point and the squared distance to it.
public struct NearestCentroids: Sendable, Equatable {
  /// The row of the nearest centroid, the smallest among equals, shape `[N]`.
  public private(set) var indices: [UInt32]
  /// Squared Euclidean distances, shape `[N]`.
  ///
  /// From `‖x‖² − 2x·c + ‖c‖²` in single precision, added up in an order of its own, cut off at 0.
  public private(set) var distances: [Float]

  /// What was found elsewhere; without arguments, the nearest centroids of no points.
  init(indices: [UInt32] = [], distances: [Float] = []) {
    self.indices = indices
    self.distances = distances
  }

  /// Compares all points with all centroids, as a matrix product over blocks that stay in the cache.
  ///
  /// The product only finds the centroids that may be nearest, and may be of rounded inputs; which one is,
  /// inner products in single precision decide.
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
  ///
  /// `product` is what chooses the centroids to look at closely; the result does not depend on it.
  init(
    of points: Matrix, squaredLengths: [Float], among centroids: Matrix, threads: Int,
    product: CentroidTable.Product? = nil
  ) {
    precondition(points.columns == centroids.columns, "width of points and centroids")
    precondition(centroids.rows > 0, "no centroids")
    indices = [UInt32](repeating: 0, count: points.rows)
    distances = [Float](repeating: 0, count: points.rows)
    let table = CentroidTable(centroids, product: product)
    unsafe points.values.withUnsafeBufferPointer { source in
      unsafe indices.withUnsafeMutableBufferPointer { indices in
        unsafe distances.withUnsafeMutableBufferPointer { distances in
          // Blocks write disjoint rows.
          nonisolated(unsafe) let (source, indices, distances) = unsafe (source, indices, distances)
          let pointBlock = CentroidTable.pointBlock
          parallelFor((points.rows + pointBlock - 1) / pointBlock, threads: threads) { block in
            guard let x = unsafe source.baseAddress, let index = unsafe indices.baseAddress,
              let distance = unsafe distances.baseAddress
            else { return }
            let rows = block * pointBlock..<min((block + 1) * pointBlock, points.rows)
            unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: pointBlock) { rivals in
              guard let rival = rivals.baseAddress else { return }
              unsafe table.searchAnew(
                x + rows.lowerBound * points.columns, squaredLengths: squaredLengths[rows],
                index: index + rows.lowerBound, best: distance + rows.lowerBound, rival: rival)
            }
            for row in rows {
              unsafe distance[row] = max(0, squaredLengths[row] - 2 * distance[row])
            }
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
