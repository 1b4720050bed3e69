public import Numerics

// K clusters, D the width of the points.

extension KMeans {
  /// Moves clusters that are of little use into clusters that gain from two centroids.
  ///
  /// Lloyd's algorithm cannot carry a centroid from one region to another, so on the residuals of text vectors it
  /// leaves many clusters around a few outliers and single clusters for thousands of points. As in the enhanced LBG
  /// algorithm (Patanè and Russo 2001), the clusters with the smallest errors are paired with those with the largest;
  /// a pair moves if splitting the large one saves more than giving the points of the small one to the nearest
  /// other centroid costs.
  ///
  /// - Parameters:
  ///   - cloud: the points; ``nearest`` holds for them and for the centroids before their last move.
  ///   - members: the points of each cluster, whose means the centroids are.
  ///   - candidateCount: the number of pairs to look at.
  ///   - isBalanced: whether costs and savings count in proportion to the sizes of the clusters, so that points come
  ///     to be spread more evenly.
  ///   - random: the random numbers of the splits.
  /// - Returns: the number of clusters moved.
  mutating func relocate(
    _ cloud: PointCloud, _ members: ClusterMembers, candidateCount: Int, isBalanced: Bool,
    _ random: CounterRandom
  ) -> Int {
    let clusterCount = centroids.rows
    var errors = [Double](repeating: 0, count: clusterCount)
    for (cluster, distance) in zip(nearest.indices, nearest.distances) {
      errors[Int(cluster)] += Double(distance)
    }
    let order = (0..<clusterCount).sorted { (errors[$0], $0) < (errors[$1], $1) }
    let removals = removals(
      of: Array(order.prefix(candidateCount)), others: Array(order.dropFirst(candidateCount)),
      members, threads: cloud.threads)
    let splits = splits(
      of: Array(order.suffix(candidateCount).reversed()), cloud, members, random)
    var moved = 0
    for (removal, split) in zip(removals, splits) {
      let weights =
        isBalanced
        ? (Double(members.count(split.cluster)), Double(members.count(removal.cluster))) : (1, 1)
      guard weights.0 * split.saving > weights.1 * removal.cost else { break }
      centroids.setRow(removal.cluster, to: split.centroids[row: 0])
      centroids.setRow(split.cluster, to: split.centroids[row: 1])
      moved += 1
    }
    return moved
  }

  /// What it costs to give the points of a cluster to another one, cheapest first.
  ///
  /// Merging n points around one mean with m points around another adds n · m / (n + m) times the squared distance of
  /// the means to the error (Ward 1963).
  private func removals(
    of clusters: [Int], others: [Int], _ members: ClusterMembers, threads: Int
  ) -> [(cluster: Int, cost: Double)] {
    let near = NearestCentroids(
      of: centroids.gathering(clusters), among: centroids.gathering(others), threads: threads)
    let removals = clusters.indices.map { index in
      let own = Double(members.count(clusters[index]))
      let other = Double(members.count(others[Int(near.indices[index])]))
      let share = own > 0 ? own * other / (own + other) : 0
      return (cluster: clusters[index], cost: share * Double(near.distances[index]))
    }
    return removals.sorted { ($0.cost, $0.cluster) < ($1.cost, $1.cluster) }
  }

  /// Clusters cut in two by k-means on a sample of their points, largest saving first.
  private func splits(
    of clusters: [Int], _ cloud: PointCloud, _ members: ClusterMembers, _ random: CounterRandom
  ) -> [(cluster: Int, saving: Double, centroids: Matrix)] {
    let splits = parallelMap(clusters.count, threads: cloud.threads) {
      (index) -> (cluster: Int, saving: Double, centroids: Matrix) in
      let cluster = clusters[index]
      let size = members.count(cluster)
      let sampled = min(size, splitSampleSize)
      let rows = (0..<sampled).map {
        Int(members.points[members.offsets[cluster] + $0 * size / sampled])
      }
      let points = cloud.points.gathering(rows)
      guard sampled > 1 else { return (cluster, 0.0, points) }
      let whole = NearestCentroids(
        of: points, among: centroids.gathering([cluster]), threads: 1)
      let halves = KMeans(
        points,
        options: KMeansOptions(
          clusterCount: 2, iterationCount: 4, random: random.substream(UInt64(cluster))),
        threads: 1)
      let before = whole.distances.reduce(0) { $0 + Double($1) }
      let saving = (before - halves.squaredError) * Double(size) / Double(sampled)
      return (cluster: cluster, saving: saving, centroids: halves.centroids)
    }
    return splits.sorted { ($1.saving, $0.cluster) < ($0.saving, $1.cluster) }
  }
}

/// The points of a cluster that are looked at to cut it in two.
private let splitSampleSize = 256

extension Matrix {
  /// Some rows, in the order asked for.
  ///
  /// - Parameter rows: numbers of rows; may repeat.
  /// - Returns: shape `[rows.count, columns]`.
  public func gathering(_ rows: [Int]) -> Matrix {
    var gathered = Matrix(rows: rows.count, columns: columns)
    for (target, row) in rows.enumerated() { gathered.setRow(target, to: self[row: row]) }
    return gathered
  }

  /// Replaces a row.
  mutating func setRow(_ row: Int, to values: ArraySlice<Float>) {
    self.values.replaceSubrange(row * columns..<(row + 1) * columns, with: values)
  }
}
