internal import CKernels

// N points, K clusters, D their width.

/// How to look for clusters.
public struct KMeansOptions: Sendable, Equatable {
  /// The number of clusters K, > 0.
  public var clusterCount: Int
  /// The largest number of Lloyd's iterations; fewer where nothing moves any more.
  public var iterationCount: Int
  /// The random numbers of the start and of revived clusters.
  public var random: CounterRandom

  /// The options of one search.
  ///
  /// - Parameters:
  ///   - clusterCount: the number of clusters, > 0.
  ///   - iterationCount: the largest number of iterations, ≥ 0.
  ///   - random: the random numbers.
  public init(clusterCount: Int, iterationCount: Int, random: CounterRandom) {
    self.clusterCount = clusterCount
    self.iterationCount = iterationCount
    self.random = random
  }
}

/// Clusters of points by k-means: Lloyd's algorithm from a k-means++ start.
///
/// A cluster that loses all its points is put on a point drawn in proportion to its squared distance from its
/// centroid, as k-means++ would; a cluster stays empty only if fewer than K points are distinct.
/// The result depends on points and options alone, not on the number of threads.
public struct KMeans: Sendable, Equatable {
  /// Shape `[K, D]`.
  public private(set) var centroids: Matrix
  /// The nearest centroid of each point and the squared distance to it.
  public private(set) var nearest: NearestCentroids
  /// The number of points in each cluster, shape `[K]`.
  public private(set) var counts: [Int]
  /// The iterations done.
  public private(set) var iterationCount = 0
  /// How often an empty cluster was put on a point.
  public private(set) var revivalCount = 0

  /// Looks for clusters.
  ///
  /// - Parameters:
  ///   - points: shape `[N, D]`, N > 0.
  ///   - options: how to look.
  ///   - threads: the largest number of threads.
  /// - Complexity: O(N · K · D) an iteration.
  public init(_ points: Matrix, options: KMeansOptions, threads: Int) {
    precondition(points.rows > 0 && options.clusterCount > 0, "no points or no clusters")
    let lengths = squaredLengths(points, threads: threads)
    centroids = startingCentroids(points, options: options, threads: threads)
    nearest = NearestCentroids(
      of: points, squaredLengths: lengths, among: centroids, threads: threads)
    counts = []
    var members = ClusterMembers(nearest.indices, clusterCount: options.clusterCount)
    let rescues = 10
    for iteration in 0..<options.iterationCount + rescues {
      if iteration >= options.iterationCount, members.empty.isEmpty { break }
      moveToMeans(&centroids, points, members, threads: threads)
      let revived = revive(members.empty, points, options.random, iteration)
      let moved = NearestCentroids(
        of: points, squaredLengths: lengths, among: centroids, threads: threads)
      let isSettled = revived == 0 && moved.indices == nearest.indices
      nearest = moved
      iterationCount = iteration + 1
      if isSettled { break }
      members = ClusterMembers(nearest.indices, clusterCount: options.clusterCount)
    }
    counts = (0..<options.clusterCount).map(members.count)
  }

  /// Puts empty clusters on points that are far from their centroids.
  ///
  /// - Returns: the number of clusters revived; less than asked for where no point is off its centroid.
  private mutating func revive(
    _ empty: [Int], _ points: Matrix, _ random: CounterRandom, _ iteration: Int
  ) -> Int {
    guard !empty.isEmpty else { return 0 }
    let stream = UInt64(iteration + 1) << 32
    let chosen = drawByWeight(nearest.distances, count: empty.count) {
      random.uniform(stream + UInt64($0))
    }
    for (cluster, point) in zip(empty, chosen) {
      let target = cluster * centroids.columns
      centroids.values.replaceSubrange(
        target..<target + centroids.columns, with: points[row: point])
    }
    revivalCount += chosen.count
    return chosen.count
  }
}

/// Takes from each point the centroid of its cluster.
///
/// - Parameters:
///   - indices: rows of `centroids`, shape `[N]`.
///   - centroids: shape `[K, D]`.
///   - points: shape `[N, D]`; becomes `points − centroids[indices]`.
///   - threads: the largest number of threads.
public func subtract(
  _ indices: [UInt32], of centroids: Matrix, from points: inout Matrix, threads: Int
) {
  precondition(points.columns == centroids.columns && points.rows == indices.count, "shapes")
  precondition(indices.allSatisfy { Int($0) < centroids.rows }, "index beyond the centroids")
  let (rows, columns) = (points.rows, points.columns)
  unsafe points.values.withUnsafeMutableBufferPointer { points in
    nonisolated(unsafe) let points = unsafe points
    let block = 4096
    parallelFor((rows + block - 1) / block, threads: threads) { index in
      guard let x = unsafe points.baseAddress else { return }
      let first = index * block
      let part = Array(indices[first..<min(first + block, rows)])
      unsafe h2rec_subtract_indexed_rows(
        x + first * columns, centroids.values, part, part.count, columns)
    }
  }
}

/// The mean of the squared lengths of the rows, in Double.
///
/// - Parameters:
///   - points: shape `[N, D]`, N > 0.
///   - threads: the largest number of threads.
/// - Returns: `Σ ‖x‖² / N`.
public func meanSquaredLength(_ points: Matrix, threads: Int) -> Double {
  squaredLengths(points, threads: threads).reduce(0.0) { $0 + Double($1) } / Double(points.rows)
}
