internal import CKernels
package import Numerics

// N points, K clusters, D their width.

/// Draws the first centroids: k-means++ (Arthur and Vassilvitskii 2007) on a sample of at most
/// max(4,096, 32 · K) points.
///
/// Each centroid is a point, drawn in proportion to its squared distance from the centroids so far. Up to 256
/// clusters are drawn one by one; more are drawn in 256 rounds of several, as in k-means‖ (Bahmani et al. 2012).
func startingCentroids(_ points: Matrix, options: KMeansOptions, threads: Int) -> Matrix {
  let sample = samplePoints(
    points, count: min(points.rows, max(4096, 32 * options.clusterCount)), options.random)
  var weights = [Float](repeating: .greatestFiniteMagnitude, count: sample.rows)
  var chosen: [Int] = []
  let rounds = min(256, options.clusterCount)
  for round in 0..<rounds {
    let count = options.clusterCount * (round + 1) / rounds - options.clusterCount * round / rounds
    let index = UInt64(round) << 20
    var drawn = round == 0 ? [options.random.integer(below: sample.rows, 1)] : []
    if round == 0 { lowerDistances(&weights, sample, to: drawn, threads: threads) }
    let others = drawByWeight(weights, count: count - drawn.count) {
      options.random.uniform(2 + index + UInt64($0))
    }
    lowerDistances(&weights, sample, to: others, threads: threads)
    drawn += others
    chosen += drawn
  }
  var centroids = Matrix(rows: options.clusterCount, columns: points.columns)
  for cluster in 0..<options.clusterCount {
    // Where fewer points are distinct than clusters wanted, the rest repeat the first one and stay empty.
    let row = sample[row: cluster < chosen.count ? chosen[cluster] : chosen[0]]
    let target = cluster * points.columns
    centroids.values.replaceSubrange(target..<target + points.columns, with: row)
  }
  return centroids
}

/// Distinct rows, one from each of `count` equal parts of the matrix.
package func samplePoints(_ points: Matrix, count: Int, _ random: CounterRandom) -> Matrix {
  guard count < points.rows else { return points }
  var sample = Matrix(rows: count, columns: points.columns)
  for part in 0..<count {
    let first = points.rows * part / count
    let length = points.rows * (part + 1) / count - first
    let row = first + random.integer(below: length, UInt64(part) | 1 << 63)
    let target = part * points.columns
    sample.values.replaceSubrange(target..<target + points.columns, with: points[row: row])
  }
  return sample
}

/// Lowers each point's squared distance to that of the nearest of some new centroids.
private func lowerDistances(
  _ distances: inout [Float], _ points: Matrix, to centroids: [Int], threads: Int
) {
  guard centroids.count < productThreshold else {
    let nearest = NearestCentroids(
      of: points, among: points.gathering(centroids), threads: threads)
    for (point, distance) in nearest.distances.enumerated() {
      distances[point] = min(distances[point], distance)
    }
    // The product is rounded; a centroid must not be drawn again.
    for centroid in centroids { distances[centroid] = 0 }
    return
  }
  let columns = points.columns
  let block = 1024
  unsafe distances.withUnsafeMutableBufferPointer { distances in
    unsafe points.values.withUnsafeBufferPointer { source in
      nonisolated(unsafe) let (source, distances) = unsafe (source, distances)
      parallelFor((points.rows + block - 1) / block, threads: threads) { index in
        guard let x = unsafe source.baseAddress, let best = unsafe distances.baseAddress else {
          return
        }
        let first = index * block
        for centroid in centroids {
          unsafe h2rec_keep_smallest_distance(
            x + first * columns, x + centroid * columns, min(block, points.rows - first), columns,
            best + first)
        }
      }
    }
  }
}

/// From this many new centroids on, a matrix product is faster than differences.
private let productThreshold = 16

/// Draws distinct indices in proportion to their weights.
///
/// The range of the cumulative weight is cut into `count` equal parts and one number is drawn from each; an index
/// that is hit twice gives way to the next one with a weight.
///
/// - Parameters:
///   - weights: not negative.
///   - count: how many to draw.
///   - uniform: the n-th random number in `0..<1`.
/// - Returns: the indices, fewer than `count` where fewer have a weight.
func drawByWeight(_ weights: [Float], count: Int, uniform: (Int) -> Double) -> [Int] {
  var cumulative = [Double](repeating: 0, count: weights.count)
  var total = 0.0
  for (index, weight) in weights.enumerated() {
    total += Double(weight)
    cumulative[index] = total
  }
  guard total > 0 else { return [] }
  var taken = [Bool](repeating: false, count: weights.count)
  var drawn: [Int] = []
  for part in 0..<count {
    let target = (Double(part) + uniform(part)) / Double(count) * total
    let start = firstIndex(above: target, in: cumulative)
    let isFree = { (index: Int) in weights[index] > 0 && !taken[index] }
    guard
      let index = (start..<weights.count).first(where: isFree) ?? (0..<start).first(where: isFree)
    else { break }
    taken[index] = true
    drawn.append(index)
  }
  return drawn
}

/// The first index whose number is above the target; the last index if none is.
private func firstIndex(above target: Double, in ascending: [Double]) -> Int {
  var (low, high) = (0, ascending.count - 1)
  while low < high {
    let middle = (low + high) / 2
    if ascending[middle] > target { high = middle } else { low = middle + 1 }
  }
  return low
}
