internal import CKernels
public import Numerics

// N points, K clusters, D their width.

/// How to look for clusters.
public struct KMeansOptions: Sendable, Equatable {
  /// The number of clusters K, > 0.
  public var clusterCount: Int
  /// The largest number of iterations; Lloyd's algorithm ends earlier where nothing moves any more.
  public var iterationCount: Int
  /// The random numbers of the start, of samples and of revived clusters.
  public var random: CounterRandom
  /// The points that most iterations look at; 0 for all of them.
  ///
  /// The last two iterations look at all in any case.
  public var sampleSize = 0
  /// The number of searches from different starts, ≥ 1; the one with the smallest error counts.
  public var restartCount = 1
  /// Whether clusters are moved towards equal sizes, at the price of a larger error.
  public var isBalanced = false
  /// Whether clusters of little use are moved into large ones.
  public var isRelocating = true
  /// Whether centroids are kept at length 1, for points of length 1: clusters by angle (spherical k-means).
  public var isSpherical = false
  /// Where to start instead of k-means++, shape `[K, D]`.
  public var start: Matrix?

  /// The options of one search over all points.
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

/// Clusters of points by k-means: Lloyd's algorithm from a k-means++ start, with relocation of useless clusters.
///
/// A cluster that loses all its points is put on a point drawn in proportion to its squared distance from its
/// centroid, as k-means++ would; a cluster stays empty only if fewer than K points are distinct.
/// The result depends on points and options alone, not on the number of threads.
public struct KMeans: Sendable, Equatable {
  /// Shape `[K, D]`.
  public internal(set) var centroids: Matrix
  /// The nearest centroid of each point and the squared distance to it.
  public private(set) var nearest: NearestCentroids
  /// The number of points in each cluster, shape `[K]`.
  public private(set) var counts: [Int]
  /// The iterations done.
  public private(set) var iterationCount = 0
  /// How often an empty cluster was put on a point.
  public private(set) var revivalCount = 0
  /// How often a cluster of little use was moved into a large one.
  public private(set) var relocationCount = 0

  /// Looks for clusters.
  ///
  /// - Parameters:
  ///   - points: shape `[N, D]`, N > 0.
  ///   - options: how to look.
  ///   - threads: the largest number of threads.
  /// - Complexity: O(N · K · D) an iteration over all points.
  public init(_ points: Matrix, options: KMeansOptions, threads: Int) {
    precondition(points.rows > 0 && options.clusterCount > 0, "no points or no clusters")
    precondition(options.restartCount > 0, "no search at all")
    let cloud = PointCloud(points, threads: threads)
    var best = KMeans(cloud, options)
    for restart in 1..<options.restartCount {
      var other = options
      other.random = options.random.substream(UInt64(restart))
      let found = KMeans(cloud, other)
      if found.squaredError < best.squaredError { best = found }
    }
    self = best
  }

  /// The sum of the squared distances of the points to their centroids.
  public var squaredError: Double { nearest.distances.reduce(0) { $0 + Double($1) } }

  /// One search.
  private init(_ cloud: PointCloud, _ options: KMeansOptions) {
    centroids =
      options.start ?? startingCentroids(cloud.points, options: options, threads: cloud.threads)
    nearest = NearestCentroids()
    counts = []
    if (1..<cloud.points.rows).contains(options.sampleSize) {
      let sample = samplePoints(
        cloud.points, count: options.sampleSize, options.random.substream(1 << 41))
      improve(PointCloud(sample, threads: cloud.threads), options, options.iterationCount)
      improve(cloud, options, min(2, options.iterationCount))
    } else {
      improve(cloud, options, options.iterationCount)
    }
    rescue(cloud, options)
  }

  /// Lloyd's iterations, the first three quarters of them with relocation.
  private mutating func improve(
    _ cloud: PointCloud, _ options: KMeansOptions, _ limit: Int
  ) {
    var bounds = CentroidBounds(cloud, centroids)
    nearest = bounds.nearest(cloud)
    var means = ClusterMeans()
    var candidateCount = options.isRelocating ? options.clusterCount / 4 : 0
    for iteration in 0..<limit {
      let changed = move(
        cloud, options, iteration, &means,
        candidateCount: iteration < limit * 3 / 4 ? candidateCount : 0)
      // Most clusters find their place at once; then few pairs are worth a look.
      candidateCount = min(candidateCount, 2 * changed + 4)
      bounds.follow(cloud, to: centroids)
      let moved = bounds.nearest(cloud)
      let isSettled = changed == 0 && moved.indices == nearest.indices
      nearest = moved
      iterationCount += 1
      if isSettled { break }
    }
  }

  /// Gives clusters that ended without points some, and counts all.
  private mutating func rescue(_ cloud: PointCloud, _ options: KMeansOptions) {
    var members = ClusterMembers(nearest.indices, clusterCount: options.clusterCount)
    var means = ClusterMeans()
    for round in 0..<rescueLimit where !members.empty.isEmpty {
      guard move(cloud, options, options.iterationCount + round, &means) > 0 else { break }
      nearest = cloud.nearest(among: centroids)
      members = ClusterMembers(nearest.indices, clusterCount: options.clusterCount)
    }
    counts = (0..<options.clusterCount).map(members.count)
  }

  /// Moves centroids to the means of their points, and those without points onto points far from their centroids.
  ///
  /// - Returns: the number of clusters revived or, where none was empty, relocated.
  private mutating func move(
    _ cloud: PointCloud, _ options: KMeansOptions, _ iteration: Int, _ means: inout ClusterMeans,
    candidateCount: Int = 0
  ) -> Int {
    let members = ClusterMembers(nearest.indices, clusterCount: options.clusterCount)
    means.move(&centroids, cloud, members, to: nearest.indices)
    defer { if options.isSpherical { centroids = normalizedRows(centroids) } }
    let empty = members.empty
    guard !empty.isEmpty else {
      guard candidateCount > 0 else { return 0 }
      let moved = relocate(
        cloud, members, candidateCount: candidateCount, isBalanced: options.isBalanced,
        options.random.substream(UInt64(iteration) | 2 << 40))
      relocationCount += moved
      return moved
    }
    let stream = UInt64(iteration + 1) << 32
    let chosen = drawByWeight(nearest.distances, count: empty.count) {
      options.random.uniform(stream + UInt64($0))
    }
    for (cluster, point) in zip(empty, chosen) {
      let target = cluster * centroids.columns
      centroids.values.replaceSubrange(
        target..<target + centroids.columns, with: cloud.points[row: point])
    }
    revivalCount += chosen.count
    return chosen.count
  }
}

/// The rows of a matrix at length 1; rows of zeros stay.
///
/// - Parameter points: shape `[N, D]`.
/// - Returns: shape `[N, D]`.
public func normalizedRows(_ points: Matrix) -> Matrix {
  var unit = points
  for (row, square) in squaredLengths(points, threads: 1).enumerated() where square > 0 {
    let scale = 1 / square.squareRoot()
    for index in row * points.columns..<(row + 1) * points.columns { unit.values[index] *= scale }
  }
  return unit
}

/// How often clusters without points are put somewhere else after the last iteration.
private let rescueLimit = 10

/// Points with what every iteration needs of them.
struct PointCloud: Sendable {
  let points: Matrix
  let lengths: [Float]
  let threads: Int

  init(_ points: Matrix, threads: Int) {
    self.points = points
    self.threads = threads
    lengths = squaredLengths(points, threads: threads)
  }

  func nearest(among centroids: Matrix) -> NearestCentroids {
    NearestCentroids(
      of: points, squaredLengths: lengths, among: centroids, threads: threads)
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
