internal import Foundation

// n items of one prefix, K codes of the last level.

/// Codes with the smallest total squared distance in which no code is used more often than it must be.
///
/// - Parameters:
///   - distances: squared distances, shape `[n, K]`.
///   - size: K.
/// - Returns: the code of each item.
func cheapestColumns(_ distances: [Float], _ size: Int) -> [Int] {
  let count = distances.count / size
  let copies = (count + size - 1) / size
  let largest = Double(distances.max() ?? 0)
  // Whole numbers with 30 bits keep the order of the distances and leave room for sums.
  let scale = largest > 0 ? Double(1 << 30) / largest : 0
  let costs = (0..<count).flatMap { item in
    (0..<size * copies).map { Int(Double(distances[item * size + $0 % size]) * scale) }
  }
  return Assignment(costs: costs, columnCount: size * copies).columns.map { $0 % size }
}

/// Codes by entropic optimal transport (Cuturi 2013) with equal shares of all codes, as LC-Rec does.
///
/// The temperature is 1/20 of the mean distance. An item gets the code with the largest share of it, so that items may
/// still collide.
///
/// - Parameters:
///   - distances: squared distances, shape `[n, K]`.
///   - size: K.
/// - Returns: the code of each item.
func sinkhornColumns(_ distances: [Float], _ size: Int) -> [Int] {
  let count = distances.count / size
  let mean = distances.reduce(0.0) { $0 + Double($1) } / Double(distances.count)
  guard mean > 0 else { return [Int](repeating: 0, count: count) }
  var plan = distances.map { exp(-Double($0) / (0.05 * mean)) + .leastNormalMagnitude }
  for _ in 0..<100 {
    for code in 0..<size {
      let sum = stride(from: code, to: plan.count, by: size).reduce(0.0) { $0 + plan[$1] }
      let factor = Double(count) / Double(size) / sum
      for index in stride(from: code, to: plan.count, by: size) { plan[index] *= factor }
    }
    for item in 0..<count {
      let row = item * size..<(item + 1) * size
      let sum = plan[row].reduce(0, +)
      for index in row { plan[index] /= sum }
    }
  }
  return (0..<count).map { item in
    let row = plan[item * size..<(item + 1) * size]
    return (row.indices.max { (plan[$0], -$0) < (plan[$1], -$1) } ?? row.startIndex) - item * size
  }
}
