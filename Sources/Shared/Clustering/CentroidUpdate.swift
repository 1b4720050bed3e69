internal import CKernels
public import Numerics

// N points, K clusters, D their width.

/// The points of each cluster, in order.
struct ClusterMembers: Sendable {
  /// Where each cluster begins in ``points``, shape `[K + 1]`.
  let offsets: [Int]
  /// Rows of points, cluster by cluster, ascending within a cluster, shape `[N]`.
  let points: [UInt32]

  /// Sorts points by cluster.
  init(_ clusters: [UInt32], clusterCount: Int) {
    var next = [Int](repeating: 0, count: clusterCount + 1)
    for cluster in clusters { next[Int(cluster) + 1] += 1 }
    for cluster in 0..<clusterCount { next[cluster + 1] += next[cluster] }
    offsets = next
    var sorted = [UInt32](repeating: 0, count: clusters.count)
    for (point, cluster) in clusters.enumerated() {
      sorted[next[Int(cluster)]] = UInt32(point)
      next[Int(cluster)] += 1
    }
    points = sorted
  }

  /// The number of points in a cluster.
  func count(_ cluster: Int) -> Int { offsets[cluster + 1] - offsets[cluster] }

  /// The clusters without points.
  var empty: [Int] { (0..<offsets.count - 1).filter { count($0) == 0 } }
}

/// The means of the points of each cluster; zero for clusters without points.
///
/// - Parameters:
///   - points: shape `[N, D]`.
///   - indices: the cluster of each point, below `clusterCount`, shape `[N]`.
///   - clusterCount: the number of clusters K.
///   - threads: the largest number of threads.
/// - Returns: shape `[K, D]`.
public func clusterMeans(
  _ points: Matrix, _ indices: [UInt32], clusterCount: Int, threads: Int
) -> Matrix {
  precondition(points.rows == indices.count, "one cluster a point")
  var means = Matrix(rows: clusterCount, columns: points.columns)
  let members = ClusterMembers(indices, clusterCount: clusterCount)
  moveToMeans(&means, points, members, threads: threads)
  return means
}

/// Moves every centroid that has points to their mean; the others stay.
///
/// The points of a cluster are added up in Double in pieces of 2,048, and the pieces in order, so that the result
/// does not depend on the number of threads. With `isAsked` (shape `[K]`) only some centroids move.
func moveToMeans(
  _ centroids: inout Matrix, _ points: Matrix, _ members: ClusterMembers, threads: Int,
  isAsked: [Bool]? = nil
) {
  let columns = points.columns
  let clusters = (0..<centroids.rows).filter { members.count($0) > 0 && isAsked?[$0] != false }
  var pieces: [(cluster: Int, range: Range<Int>)] = []
  for cluster in clusters {
    let end = members.offsets[cluster + 1]
    for first in stride(from: members.offsets[cluster], to: end, by: 2048) {
      pieces.append((cluster, first..<min(first + 2048, end)))
    }
  }
  let work = pieces
  var sums = [Double](repeating: 0, count: work.count * columns)
  unsafe points.values.withUnsafeBufferPointer { source in
    unsafe members.points.withUnsafeBufferPointer { rows in
      unsafe sums.withUnsafeMutableBufferPointer { sums in
        nonisolated(unsafe) let (source, rows, sums) = unsafe (source, rows, sums)
        parallelFor(work.count, threads: threads) { piece in
          guard let x = unsafe source.baseAddress, let row = unsafe rows.baseAddress,
            let sum = unsafe sums.baseAddress
          else { return }
          let range = work[piece].range
          unsafe h2rec_add_member_rows(
            x, row + range.lowerBound, range.count, columns, sum + piece * columns)
        }
      }
    }
  }
  var piece = 0
  for cluster in clusters {
    var total = Array(sums[piece * columns..<(piece + 1) * columns])
    piece += 1
    while piece < work.count, work[piece].cluster == cluster {
      for column in 0..<columns { total[column] += sums[piece * columns + column] }
      piece += 1
    }
    let scale = 1 / Double(members.count(cluster))
    for column in 0..<columns {
      centroids.values[cluster * columns + column] = Float(total[column] * scale)
    }
  }
}

/// The means of the points of each cluster from one iteration to the next.
///
/// Only clusters that got or lost points are added up again.
struct ClusterMeans: Sendable {
  /// The cluster of each point when the means were last taken, shape `[N]`; empty before.
  private var indices: [UInt32] = []
  /// Shape `[K, D]`.
  private var means = Matrix(rows: 0, columns: 0)

  /// Moves every centroid that has points to their mean, as ``moveToMeans(_:_:_:threads:isAsked:)`` does; the others stay.
  ///
  /// - Parameters:
  ///   - centroids: shape `[K, D]`.
  ///   - cloud: the points, the same at each call.
  ///   - members: the points of each cluster.
  ///   - indices: the cluster of each point, shape `[N]`.
  mutating func move(
    _ centroids: inout Matrix, _ cloud: PointCloud, _ members: ClusterMembers, to indices: [UInt32]
  ) {
    var isStale = [Bool](repeating: self.indices.isEmpty, count: centroids.rows)
    if self.indices.isEmpty { means = centroids }
    for (old, new) in zip(self.indices, indices) where old != new {
      isStale[Int(old)] = true
      isStale[Int(new)] = true
    }
    self.indices = indices
    moveToMeans(&means, cloud.points, members, threads: cloud.threads, isAsked: isStale)
    for cluster in 0..<centroids.rows where members.count(cluster) > 0 {
      centroids.setRow(cluster, to: means[row: cluster])
    }
  }
}
