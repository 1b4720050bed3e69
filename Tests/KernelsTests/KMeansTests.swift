import Testing

@testable import Clustering
@testable import Numerics

/// Points in −1..<1 that look random.
private func cloud(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
  let random = CounterRandom(seed: seed, stream: 0)
  return Matrix(
    rows: rows, columns: columns,
    values: (0..<rows * columns).map { Float(2 * random.uniform(UInt64($0)) - 1) })
}

/// Points around well separated centres; point i belongs to centre i mod `centres`.
private func plantedClusters(_ rows: Int, centres: Int, columns: Int) -> Matrix {
  var points = cloud(rows, columns, seed: 5)
  let centre = cloud(centres, columns, seed: 6)
  for row in 0..<rows {
    for column in 0..<columns {
      let index = row * columns + column
      points.values[index] =
        0.02 * points.values[index] + 10 * centre.values[row % centres * columns + column]
    }
  }
  return points
}

private func squaredDistance(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Double {
  zip(x, y).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
}

/// Lloyd's algorithm as the textbook has it, in Double, from given centroids; no cluster may become empty.
private func naiveLloyd(
  _ points: Matrix, from start: Matrix, iterations: Int
) -> (centroids: [[Double]], indices: [Int]) {
  var centroids = (0..<start.rows).map { start[row: $0].map(Double.init) }
  func assigned() -> [Int] {
    (0..<points.rows).map { row in
      let distances = centroids.map { centroid in
        zip(points[row: row], centroid).reduce(0) {
          $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1)
        }
      }
      return distances.indices.min { distances[$0] < distances[$1] } ?? 0
    }
  }
  for _ in 0..<iterations {
    let indices = assigned()
    for cluster in centroids.indices {
      let members = indices.indices.filter { indices[$0] == cluster }
      for column in 0..<points.columns {
        let sum = members.reduce(0) { $0 + Double(points.values[$1 * points.columns + column]) }
        centroids[cluster][column] = sum / Double(members.count)
      }
    }
  }
  return (centroids, assigned())
}

private func options(_ clusters: Int, _ iterations: Int = 25, seed: UInt64 = 1) -> KMeansOptions {
  KMeansOptions(
    clusterCount: clusters, iterationCount: iterations,
    random: CounterRandom(seed: seed, stream: 0))
}

struct `Nearest centroids` {
  @Test(arguments: [(0, 3, 4), (1, 1, 1), (513, 7, 9), (64, 257, 16), (700, 600, 33)])
  func `equal the smallest distance in Double`(points: Int, centroids: Int, columns: Int) {
    let x = cloud(points, columns, seed: 2)
    let c = cloud(centroids, columns, seed: 3)
    let nearest = NearestCentroids(of: x, among: c, threads: 2)
    for row in 0..<points {
      let expected = (0..<centroids).map { squaredDistance(x[row: row], c[row: $0]) }.min() ?? 0
      let found = squaredDistance(x[row: row], c[row: Int(nearest.indices[row])])
      #expect(found - expected < 1e-5)
      #expect(abs(Double(nearest.distances[row]) - expected) < 1e-4)
    }
  }

  @Test func `a point's centroid does not depend on its neighbours`() {
    let x = cloud(1_100, 20, seed: 21)
    let c = cloud(300, 20, seed: 22)
    let all = NearestCentroids(of: x, among: c, threads: 2)
    for row in [0, 1, 511, 512, 1_030, 1_099] {
      let alone = NearestCentroids(of: x.gathering([row]), among: c, threads: 1)
      #expect(alone.indices == [all.indices[row]] && alone.distances == [all.distances[row]])
    }
  }

  @Test func `the smallest index wins among equal centroids`() {
    let points = Matrix(rows: 2, columns: 2, values: [1, 2, -3, 4])
    for copies in [2, 15, 16, 17, 40, 300] {
      let centroids = Matrix(
        rows: copies, columns: 2, values: (0..<copies).flatMap { _ in [Float(1), 1] })
      #expect(NearestCentroids(of: points, among: centroids, threads: 1).indices == [0, 0])
    }
  }
}

struct `k-means` {
  @Test func `one step from the same start is the textbook's`() {
    let points = cloud(400, 6, seed: 9)
    for iterations in [0, 1, 2, 5] {
      var settings = options(8, iterations)
      settings.isRelocating = false
      let start = startingCentroids(points, options: settings, threads: 1)
      let expected = naiveLloyd(points, from: start, iterations: iterations)
      let found = KMeans(points, options: settings, threads: 2)
      #expect(found.nearest.indices.map(Int.init) == expected.indices)
      let values = expected.centroids.flatMap { $0 }
      #expect(zip(found.centroids.values, values).allSatisfy { abs(Double($0.0) - $0.1) < 1e-6 })
    }
  }

  @Test(arguments: [200, 4_500])
  func `the start has distinct points`(clusters: Int) {
    let points = cloud(5_000, 4, seed: 30)
    let start = startingCentroids(points, options: options(clusters), threads: 2)
    #expect(Set((0..<clusters).map { Array(start[row: $0]) }).count == clusters)
    #expect(start == startingCentroids(points, options: options(clusters), threads: 1))
  }

  @Test func `planted clusters are recovered`() {
    let points = plantedClusters(3_000, centres: 30, columns: 12)
    let found = KMeans(points, options: options(30), threads: 2)
    for row in 0..<points.rows {
      #expect(found.nearest.indices[row] == found.nearest.indices[row % 30])
    }
    #expect(Set(found.nearest.indices).count == 30)
    #expect(found.counts == [Int](repeating: 100, count: 30))
  }

  @Test func `relocation leaves a local minimum that Lloyd's algorithm cannot`() {
    // Clusters at 0, 100, 200 and 210; two centroids start in the first, one between the last two.
    var points = cloud(400, 1, seed: 5)
    for row in 0..<400 { points.values[row] += [0, 100, 200, 210][row % 4] }
    var settings = options(4)
    settings.start = Matrix(rows: 4, columns: 1, values: [-0.5, 0.5, 100, 205])
    let relocated = KMeans(points, options: settings, threads: 2)
    settings.isRelocating = false
    let stuck = KMeans(points, options: settings, threads: 2)
    #expect(relocated.counts == [100, 100, 100, 100] && relocated.relocationCount > 0)
    #expect(stuck.relocationCount == 0 && stuck.squaredError > 10 * relocated.squaredError)
  }

  @Test func `the best of several starts is no worse than the first`() {
    let points = cloud(600, 8, seed: 12)
    var settings = options(20, 8)
    let first = KMeans(points, options: settings, threads: 1)
    settings.restartCount = 5
    let best = KMeans(points, options: settings, threads: 1)
    #expect(best.squaredError < first.squaredError)
  }

  @Test func `balanced clusters are of more equal size`() {
    // Half of the points lie in a heap, so plain k-means has large clusters there and small ones around.
    var points = cloud(3_000, 6, seed: 13)
    for row in 0..<1_500 {
      for column in 0..<6 { points.values[row * 6 + column] *= 0.2 }
    }
    var settings = options(50)
    let plain = KMeans(points, options: settings, threads: 2)
    settings.isBalanced = true
    let balanced = KMeans(points, options: settings, threads: 2)
    let spread = { (found: KMeans) in found.counts.reduce(0) { $0 + $1 * $1 } }
    #expect(spread(balanced) < spread(plain))
    #expect(balanced.squaredError < 1.2 * plain.squaredError)
  }

  @Test func `a sample finds planted clusters for all points`() {
    let points = plantedClusters(10_000, centres: 10, columns: 6)
    var settings = options(10)
    settings.sampleSize = 500
    let found = KMeans(points, options: settings, threads: 2)
    #expect(found.counts == [Int](repeating: 1_000, count: 10))
  }

  @Test func `it stops when nothing moves`() {
    let points = plantedClusters(300, centres: 3, columns: 4)
    #expect(KMeans(points, options: options(3, 100), threads: 1).iterationCount < 10)
  }

  @Test func `no cluster is empty while there are distinct points`() {
    // The start sees a sample of 4,096 points, so it misses most of the few points that lie off the heap.
    var points = Matrix(rows: 20_000, columns: 3)
    for row in 0..<50 { points.values[row * 400 * 3] = Float(row + 1) }
    let found = KMeans(points, options: options(51, 5), threads: 1)
    #expect(found.revivalCount > 0)
    #expect(found.counts.allSatisfy { $0 > 0 })
    #expect(found.nearest.distances.allSatisfy { $0 == 0 })
  }

  @Test func `equal points fill one cluster`() {
    let points = Matrix(rows: 40, columns: 2, values: [Float](repeating: 0.3, count: 80))
    let found = KMeans(points, options: options(4), threads: 1)
    #expect(found.counts.filter { $0 > 0 } == [40])
    #expect(found.revivalCount == 0)
  }

  @Test func `one and two threads, and a second run, give the same bits; another seed does not`() {
    let points = cloud(9_000, 10, seed: 4)
    let one = KMeans(points, options: options(300, 6), threads: 1)
    #expect(one == KMeans(points, options: options(300, 6), threads: 2))
    #expect(one == KMeans(points, options: options(300, 6), threads: 1))
    #expect(one != KMeans(points, options: options(300, 6, seed: 2), threads: 1))
  }

  @Test func `subtraction leaves the residual of each point`() {
    var points = cloud(5_000, 3, seed: 7)
    let found = KMeans(points, options: options(5), threads: 1)
    let before = points
    subtract(found.nearest.indices, of: found.centroids, from: &points, threads: 2)
    for row in [0, 4_095, 4_096, 4_999] {
      let centroid = found.centroids[row: Int(found.nearest.indices[row])]
      let expected = zip(before[row: row], centroid).map { $0 - $1 }
      #expect(Array(points[row: row]) == expected)
    }
  }
}

struct `Weighted draws` {
  @Test func `are distinct and only where there is a weight`() {
    let drawn = drawByWeight([0, 3, 0, 0.5, 1, 0], count: 3) { _ in 0.9 }
    #expect(drawn.sorted() == [1, 3, 4])
  }

  @Test func `end when the weights are used up`() {
    #expect(drawByWeight([0, 1, 0], count: 4) { _ in 0.2 } == [1])
    #expect(drawByWeight([0, 0], count: 1) { _ in 0.2 }.isEmpty)
  }

  @Test func `follow the weights`() {
    // Cumulative 1/4, 3/4, 1: the quantiles 0.2, 0.5 and 0.8 fall on the three in order.
    for (quantile, expected) in [(0.2, 0), (0.5, 1), (0.8, 2)] {
      #expect(drawByWeight([1, 2, 1], count: 1) { _ in quantile } == [expected])
    }
  }
}
