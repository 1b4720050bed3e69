import Testing

@testable import Clustering
@testable import Numerics

struct `Means of clusters` {
  @Test func `that are followed equal those of all points, and centroids without points stay`() {
    let random = CounterRandom(seed: 8, stream: 0)
    let points = Matrix(
      rows: 3_000, columns: 7,
      values: (0..<21_000).map { Float(random.normal(UInt64($0))) })
    for threads in [1, 2] {
      let cloud = PointCloud(points, threads: threads)
      var clusters = (0..<3_000).map { UInt32($0 % 20) }
      var means = ClusterMeans()
      for step in 0..<6 {
        // Cluster 19 loses its points, others some; a centroid that was moved elsewhere comes back.
        for point in 0..<3_000 where point % 20 == 19 || (point + step) % 97 == 0 {
          clusters[point] = UInt32((point + step) % 5)
        }
        var followed = Matrix(rows: 20, columns: 7, values: [Float](repeating: 5, count: 140))
        var expected = followed
        let members = ClusterMembers(clusters, clusterCount: 20)
        means.move(&followed, cloud, members, to: clusters)
        moveToMeans(&expected, points, members, threads: 1)
        #expect(followed == expected)
        #expect(followed[row: 19].allSatisfy { $0 == 5 })
      }
    }
  }
}
