import Testing

@testable import Clustering
@testable import Numerics

/// Points of normal numbers.
private func cloud(_ rows: Int, _ columns: Int, seed: UInt64, scale: Float = 1) -> Matrix {
  let random = CounterRandom(seed: seed, stream: 0)
  return Matrix(
    rows: rows, columns: columns,
    values: (0..<rows * columns).map { scale * Float(random.normal(UInt64($0))) })
}

/// Centroids that differ from one another in the last bits of a few numbers only, every third one twice.
private func crowd(_ rows: Int, _ columns: Int) -> Matrix {
  var crowd = Matrix(rows: rows, columns: columns)
  let middle = cloud(1, columns, seed: 31)
  for row in 0..<rows {
    crowd.setRow(row, to: middle[row: 0])
    guard row % 3 > 0 else { continue }
    for column in stride(from: row % 7, to: columns, by: 5) {
      crowd.values[row * columns + column] *= 1 + Float(row % 5) * 0x1p-22
    }
  }
  return crowd
}

private func search(
  _ points: Matrix, _ centroids: Matrix, _ product: CentroidTable.Product?, threads: Int = 2
) -> NearestCentroids {
  NearestCentroids(
    of: points, squaredLengths: squaredLengths(points, threads: 1), among: centroids,
    threads: threads, product: product)
}

/// What this processor can screen with.
private let products = CentroidTable.Product.allCases.filter {
  $0 != .bfloat16 || BFloat16Multiply.shared != nil
}

struct `Screened centroids` {
  @Test(arguments: [
    (600, 1, 40), (40, 5, 1), (40, 17, 385), (520, 256, 64), (300, 257, 33), (1_100, 600, 48),
  ])
  func `are those found by looking at all of them`(points: Int, centroids: Int, columns: Int) {
    for scale in [Float(1), 1e-20, 1e18, 1e20] {
      let x = cloud(points, columns, seed: 2, scale: scale)
      let c = cloud(centroids, columns, seed: 3, scale: scale)
      let all = search(x, c, CentroidTable.Product.none)
      for product in products {
        #expect(search(x, c, product) == all)
        #expect(search(x, c, product, threads: 1) == all)
      }
      #expect(search(x, c, nil) == all)
    }
  }

  @Test(arguments: [3, 64, 100])
  func `may be equal, or nearly`(columns: Int) {
    let near = crowd(300, columns)
    for points in [cloud(200, columns, seed: 4), near] {
      let all = search(points, near, CentroidTable.Product.none)
      for product in products { #expect(search(points, near, product) == all) }
    }
  }

  @Test func `may differ in length by far`() {
    var centroids = cloud(300, 64, seed: 5)
    for index in centroids.values.indices { centroids.values[index] *= Float(index / 64) * 10 }
    let points = cloud(400, 64, seed: 6, scale: 300)
    let all = search(points, centroids, CentroidTable.Product.none)
    #expect(Set(all.indices).count > 20)
    for product in products { #expect(search(points, centroids, product) == all) }
  }

  @Test func `are nearest but for rounding`() {
    let points = cloud(300, 96, seed: 7)
    let centroids = cloud(256, 96, seed: 8)
    for product in products {
      let found = search(points, centroids, product)
      for row in 0..<points.rows {
        let distances = (0..<centroids.rows).map { candidate in
          zip(points[row: row], centroids[row: candidate]).reduce(0.0) {
            $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1))
          }
        }
        let smallest = distances.min() ?? 0
        #expect(distances[Int(found.indices[row])] <= smallest * (1 + 1e-5))
        #expect(abs(Double(found.distances[row]) - smallest) <= smallest * 1e-5)
      }
    }
  }

  @Test func `of points that are no numbers are the first, and others are not disturbed`() {
    let clean = cloud(530, 64, seed: 9)
    let centroids = cloud(256, 64, seed: 10)
    var broken = clean
    broken.values[3 * 64 + 5] = .nan
    broken.values[520 * 64] = .infinity
    for product in products {
      let expected = search(clean, centroids, product)
      let found = search(broken, centroids, product)
      #expect(found.indices[3] == 0 && found.distances[3] == 0)
      for row in 0..<530 where row != 3 && row != 520 {
        #expect(found.indices[row] == expected.indices[row])
      }
      #expect(found == search(broken, centroids, CentroidTable.Product.none))
    }
  }

  @Test func `that are no numbers are not taken`() {
    let points = cloud(100, 64, seed: 11)
    var centroids = cloud(256, 64, seed: 12)
    let taken = search(points, centroids, nil).indices[0]
    centroids.values[Int(taken) * 64 + 1] = .nan
    centroids.values[64 * 200] = .infinity
    for product in products {
      let found = search(points, centroids, product)
      #expect(!found.indices.contains(taken) && !found.indices.contains(200))
      #expect(found == search(points, centroids, CentroidTable.Product.none))
    }
  }
}
