import Testing

@testable import Clustering
@testable import Numerics

/// Points of normal numbers.
private func cloud(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
  let random = CounterRandom(seed: seed, stream: 0)
  return Matrix(
    rows: rows, columns: columns,
    values: (0..<rows * columns).map { Float(random.normal(UInt64($0))) })
}

/// Points in heaps of about the same size around the given centres.
private func heaps(_ rows: Int, around centres: Matrix, spread: Float) -> Matrix {
  var points = cloud(rows, centres.columns, seed: 41)
  for row in 0..<rows {
    for column in 0..<centres.columns {
      let index = row * centres.columns + column
      points.values[index] =
        spread * points.values[index]
        + centres.values[row % centres.rows * centres.columns + column]
    }
  }
  return points
}

/// Ways in which centroids move from one search to the next.
private enum Motion: CaseIterable {
  case nowhere, everywhereABit, everywhere, steadily, fewFar, onePerSearch, ontoOneAnother
  case besideOneAnother, awayAndBack, lostAndFound
}

private func moved(_ centroids: Matrix, _ motion: Motion, step: Int, start: Matrix) -> Matrix {
  var moved = centroids
  let noise = cloud(centroids.rows, centroids.columns, seed: UInt64(100 + step))
  func add(_ share: Float, to row: Int) {
    for index in row * centroids.columns..<(row + 1) * centroids.columns {
      moved.values[index] += share * noise.values[index]
    }
  }
  switch motion {
  case .nowhere: break
  case .everywhereABit: (0..<centroids.rows).forEach { add(0.002, to: $0) }
  case .everywhere: (0..<centroids.rows).forEach { add(0.05, to: $0) }
  case .steadily:
    // Half of the way to the place of the next centroid and beyond, in eight steps.
    for index in moved.values.indices {
      let next = start.values[(index + start.columns) % start.values.count]
      moved.values[index] += (next - start.values[index]) * 0.12
    }
  case .fewFar: (0..<centroids.rows).forEach { add($0 % 17 == step ? 3 : 0, to: $0) }
  case .onePerSearch: add(0.3, to: step)
  case .ontoOneAnother:
    for row in 0..<2 {
      moved.setRow(60 - row - 2 * step, to: centroids[row: row + 4 * step])
      moved.setRow(row + 2 + 4 * step, to: centroids[row: 58 - row - 2 * step])
    }
  case .besideOneAnother:
    for row in 0..<10 where step % 2 == 0 {
      moved.setRow(row + step, to: start[row: 50 - row])
      add(0.5, to: row + step)
    }
    if step % 2 == 1 { (0..<centroids.rows).forEach { add(0.05, to: $0) } }
  case .awayAndBack:
    (0..<centroids.rows).forEach { add(0.5, to: $0) }
    if step % 2 == 1 { moved = start }
  case .lostAndFound:
    moved = start
    if step % 2 == 0 { moved.values[5 * start.columns] = .nan }
  }
  return moved
}

struct `Centroids that move` {
  @Test(arguments: Motion.allCases)
  private func `have the same points as after a search from nothing`(motion: Motion) {
    let start = cloud(64, 40, seed: 42)
    for spread in [Float(0.3), 1.5] {
      let points = heaps(2_000, around: start, spread: spread)
      for threads in [1, 2] {
        let around = PointCloud(points, threads: threads)
        var centroids = start
        var bounds = CentroidBounds(around, centroids)
        for step in 0..<8 {
          centroids = moved(centroids, motion, step: step, start: start)
          bounds.follow(around, to: centroids)
          #expect(bounds.nearest(around) == around.nearest(among: centroids))
        }
      }
    }
  }

  @Test(arguments: [1, 2, 33, 300])
  func `may be few or many`(count: Int) {
    let points = PointCloud(cloud(700, 35, seed: 43), threads: 2)
    var centroids = cloud(count, 35, seed: 44)
    var bounds = CentroidBounds(points, centroids)
    for step in 0..<5 {
      for index in centroids.values.indices where index % 3 == step % 3 {
        centroids.values[index] *= 1.01
      }
      bounds.follow(points, to: centroids)
      #expect(bounds.nearest(points) == points.nearest(among: centroids))
    }
  }

  @Test func `are compared with all points where they moved far`() {
    let start = cloud(64, 40, seed: 42)
    let points = PointCloud(heaps(4_096, around: start, spread: 0.3), threads: 2)
    let bounds = CentroidBounds(points, start)
    var lengths = [Float](repeating: 0, count: 64)
    #expect(bounds.chosenMovers(lengths, points) == [])
    lengths[3] = 50
    lengths[60] = 50
    let movers = bounds.chosenMovers(lengths, points)
    #expect(movers?.count == 16 && movers?.contains(3) == true && movers?.contains(60) == true)
    #expect(bounds.chosenMovers([Float](repeating: 50, count: 64), points) == nil)
  }
}
