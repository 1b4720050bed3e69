internal import CKernels
internal import Numerics

// N points, K centroids, D their width.

/// The nearest centroids of points while the centroids move.
///
/// Of each point it is known how far away all centroids but the nearest are at least. When centroids move, that
/// shrinks by the longest of their moves; while the nearest one stays closer, no other can be nearest, and the point
/// need not be compared (Hamerly 2010). A few centroids that move far are compared with all points instead, so that they do
/// not spoil the bound. Result and distances are those of ``NearestCentroids``, bit by bit. Centroids that
/// are no numbers leave no bound at all.
struct CentroidBounds: Sendable {
  /// The nearest centroids, shape `[N]`.
  private var indices: [UInt32]
  /// x·c − ‖c‖²/2 for the nearest centroid, shape `[N]`.
  private var scores: [Float]
  /// At most the distance to any other centroid, shape `[N]`.
  private var others: [Float]
  /// The centroids of the last search.
  private var centroids: Matrix

  /// Compares all points with all centroids.
  init(_ cloud: PointCloud, _ centroids: Matrix) {
    indices = [UInt32](repeating: 0, count: cloud.points.rows)
    scores = [Float](repeating: 0, count: cloud.points.rows)
    others = scores
    self.centroids = centroids
    search(cloud, CentroidTable(centroids), after: nil)
  }

  /// What was found last.
  func nearest(_ cloud: PointCloud) -> NearestCentroids {
    NearestCentroids(
      indices: indices, distances: zip(cloud.lengths, scores).map { max(0, $0 - 2 * $1) })
  }

  /// Follows the centroids to where they are now.
  mutating func follow(_ cloud: PointCloud, to moved: Matrix) {
    let lengths = moveLengths(to: moved)
    let movement = chosenMovers(lengths, cloud).map { CentroidMovement(lengths, movers: $0, moved) }
    centroids = moved
    search(cloud, CentroidTable(moved), after: movement)
  }

  /// At least how far each centroid moved; 0 for those that are where they were.
  private func moveLengths(to moved: Matrix) -> [Float] {
    var steps = moved
    for index in steps.values.indices { steps.values[index] -= centroids.values[index] }
    return squaredLengths(steps, threads: 1).enumerated().map { row, square in
      steps[row: row].allSatisfy { $0 == 0 } ? 0 : upperLength(square, steps.columns)
    }
  }

  /// The centroids to compare with all points, chosen so that there is least to do; nil where it is best to compare all.
  ///
  /// The work is guessed from some of the points, in units of a comparison of all points with all centroids.
  func chosenMovers(_ moves: [Float], _ cloud: PointCloud) -> [Int]? {
    guard moves.count >= 32 else { return nil }
    let order = moves.indices.sorted { (moves[$1], $0) < (moves[$0], $1) }
    let sample = stride(from: 0, to: indices.count, by: max(1, indices.count / 4096))
    let slacks = sample.map {
      others[$0] - max(0, cloud.lengths[$0] - 2 * scores[$0]).squareRoot()
    }
    var (least, chosen): (Float, Int?) = (0.9, nil)
    for count in stride(from: 0, to: moves.count / 2, by: 16) {
      let openCount = slacks.count { !($0 > moves[order[count]]) }
      let work =
        1.1 * Float(openCount) / Float(slacks.count)
        + (count > 0 ? 0.1 + Float(count) / Float(moves.count) : 0)
      if work < least { (least, chosen) = (work, count) }
    }
    return chosen.map { order.prefix($0).sorted() }
  }

  /// Looks for the nearest centroids, after a movement only where they may have changed.
  private mutating func search(
    _ cloud: PointCloud, _ table: CentroidTable, after movement: CentroidMovement?
  ) {
    let points = cloud.points
    unsafe points.values.withUnsafeBufferPointer { source in
      unsafe indices.withUnsafeMutableBufferPointer { indices in
        unsafe scores.withUnsafeMutableBufferPointer { scores in
          unsafe others.withUnsafeMutableBufferPointer { others in
            // Blocks write disjoint rows.
            nonisolated(unsafe) let state = unsafe (source, indices, scores, others)
            let size = CentroidTable.pointBlock
            parallelFor((points.rows + size - 1) / size, threads: cloud.threads) { number in
              guard let x = unsafe state.0.baseAddress, let index = unsafe state.1.baseAddress,
                let score = unsafe state.2.baseAddress, let other = unsafe state.3.baseAddress
              else { return }
              let first = number * size
              let block = unsafe PointBlock(
                squaredLengths: cloud.lengths[first..<min(first + size, points.rows)],
                columns: points.columns, points: x + first * points.columns, index: index + first,
                score: score + first, other: other + first)
              if let movement { block.follow(movement, table) } else { block.search(table) }
            }
          }
        }
      }
    }
  }
}

/// How far centroids moved.
private struct CentroidMovement: Sendable {
  /// At least the length of each move, 0 where there was none, shape `[K]`.
  let lengths: [Float]
  /// Centroids that all points are compared with; nil for none.
  let movers: CentroidTable?
  /// At least the longest move of the others.
  let reach: Float

  init(_ lengths: [Float], movers: [Int], _ centroids: Matrix) {
    self.lengths = lengths
    self.movers =
      movers.isEmpty
      ? nil : CentroidTable(centroids.gathering(movers), names: movers.map(UInt32.init))
    let isFar = Set(movers)
    reach = lengths.indices.reduce(0) { isFar.contains($1) ? $0 : max($0, lengths[$1]) }
  }
}

/// Some points and what is known of their nearest centroids.
@safe private struct PointBlock {
  let squaredLengths: ArraySlice<Float>
  let columns: Int
  let points: UnsafePointer<Float>
  let index: UnsafeMutablePointer<UInt32>
  let score: UnsafeMutablePointer<Float>
  let other: UnsafeMutablePointer<Float>

  /// Compares all points with all centroids.
  func search(_ table: CentroidTable) {
    unsafe table.searchAnew(
      points, squaredLengths: squaredLengths, index: index, best: score, rival: other)
    for (row, square) in squaredLengths.enumerated() {
      unsafe other[row] = lowerDistance(
        square, score: other[row], table.squaredDistanceError(squaredLength: square))
    }
  }

  /// Compares points with all centroids where the nearest one may be another than before.
  func follow(_ movement: CentroidMovement, _ table: CentroidTable) {
    let count = squaredLengths.count
    unsafe h2rec_renew_scores(
      points, count, columns, table.rows, table.biases, movement.lengths, index, score)
    var rivals = [Float](repeating: -.infinity, count: count)
    unsafe movement.movers?.search(
      points, squaredLengths: squaredLengths, index: index, best: score, rival: &rivals)
    var open: [Int] = []
    for (row, square) in squaredLengths.enumerated() {
      let error = table.squaredDistanceError(squaredLength: square)
      let own = unsafe (square - 2 * score[row] + 2 * error).squareRoot() * 1.000001
      let bound = unsafe min(
        (other[row] - movement.reach) * 0.999999,
        lowerDistance(square, score: rivals[row], error))
      if own < bound { unsafe other[row] = bound } else { open.append(row) }
    }
    if open.count == count { search(table) } else { search(table, for: open) }
  }

  /// Compares some of the points with all centroids.
  private func search(_ table: CentroidTable, for rows: [Int]) {
    guard !rows.isEmpty else { return }
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * (columns + 2)) {
      floats in
      guard let gathered = floats.baseAddress else { return }
      let scores = unsafe gathered + rows.count * columns
      for (place, row) in rows.enumerated() {
        unsafe (gathered + place * columns).update(from: points + row * columns, count: columns)
      }
      var found = [UInt32](repeating: 0, count: rows.count)
      unsafe found.withUnsafeMutableBufferPointer { found in
        guard let index = found.baseAddress else { return }
        unsafe PointBlock(
          squaredLengths: rows.map { squaredLengths[squaredLengths.startIndex + $0] }[...],
          columns: columns, points: gathered, index: index, score: scores,
          other: scores + rows.count
        ).search(table)
      }
      for (place, row) in rows.enumerated() {
        unsafe index[row] = found[place]
        unsafe score[row] = scores[place]
        unsafe other[row] = scores[rows.count + place]
      }
    }
  }
}

/// At most the distance to a centroid of at most this score (x·c − ‖c‖²/2).
private func lowerDistance(_ squaredLength: Float, score: Float, _ error: Float) -> Float {
  max(0, squaredLength - 2 * score - error).squareRoot() * 0.999999
}
