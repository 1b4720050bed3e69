// n rows and columns.

/// The permutation with the largest total weight.
///
/// Up to ``exactLimit`` rows by the Hungarian method with potentials (Kuhn 1955, in the form of Jonker and Volgenant),
/// exactly; above, pairs are taken greedily by weight.
struct Assignment: Sendable, Equatable {
  /// The largest problem that is solved exactly.
  static let exactLimit = 2048

  /// The column of each row.
  let columns: [Int]

  /// Solves an assignment problem.
  ///
  /// - Parameters:
  ///   - count: n.
  ///   - weights: not negative; absent pairs weigh nothing. Among equal solutions small columns go to small rows.
  init(count: Int, weights: [Pair: Int]) {
    columns =
      count <= Self.exactLimit
      ? exactAssignment(count, weights) : greedyAssignment(count, weights)
  }

  /// A row and a column.
  struct Pair: Hashable, Sendable {
    var row: Int
    var column: Int
  }
}

private func greedyAssignment(_ count: Int, _ weights: [Assignment.Pair: Int]) -> [Int] {
  let ordered = weights.sorted {
    (-$0.value, $0.key.row, $0.key.column) < (-$1.value, $1.key.row, $1.key.column)
  }
  var columns = [Int?](repeating: nil, count: count)
  var isTaken = [Bool](repeating: false, count: count)
  for (pair, weight) in ordered
  where weight > 0 && columns[pair.row] == nil && !isTaken[pair.column] {
    columns[pair.row] = pair.column
    isTaken[pair.column] = true
  }
  var free = (0..<count).filter { !isTaken[$0] }.makeIterator()
  return columns.map { $0 ?? free.next() ?? 0 }
}

/// Adds rows one by one, each along a shortest augmenting path of reduced costs, in O(n³).
private func exactAssignment(_ count: Int, _ weights: [Assignment.Pair: Int]) -> [Int] {
  var costs = [Int](repeating: 0, count: count * count)
  for (pair, weight) in weights { costs[pair.row * count + pair.column] = -weight }
  var rowPotential = [Int](repeating: 0, count: count + 1)
  var columnPotential = [Int](repeating: 0, count: count + 1)
  // Columns are 1-based here; column 0 stands for the row that looks for a place.
  var rowOf = [Int](repeating: 0, count: count + 1)
  var previous = [Int](repeating: 0, count: count + 1)
  for row in 1...max(1, count) where count > 0 {
    rowOf[0] = row
    var column = 0
    var slack = [Int](repeating: .max, count: count + 1)
    var isUsed = [Bool](repeating: false, count: count + 1)
    repeat {
      isUsed[column] = true
      let current = rowOf[column]
      var (step, next) = (Int.max, 0)
      for other in 1...count where !isUsed[other] {
        let reduced =
          costs[(current - 1) * count + other - 1] - rowPotential[current] - columnPotential[other]
        if reduced < slack[other] {
          slack[other] = reduced
          previous[other] = column
        }
        if slack[other] < step { (step, next) = (slack[other], other) }
      }
      for other in 0...count {
        if isUsed[other] {
          rowPotential[rowOf[other]] += step
          columnPotential[other] -= step
        } else if other > 0 {
          slack[other] -= step
        }
      }
      column = next
    } while rowOf[column] != 0
    repeat {
      rowOf[column] = rowOf[previous[column]]
      column = previous[column]
    } while column != 0
  }
  var columns = [Int](repeating: 0, count: count)
  for column in 1...max(1, count) where count > 0 { columns[rowOf[column] - 1] = column - 1 }
  return columns
}
