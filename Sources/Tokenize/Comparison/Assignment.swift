// n rows, m columns.

/// The best way to give each row a column of its own.
///
/// Up to ``exactLimit`` columns by the Hungarian method with potentials (Kuhn 1955, in the form of Jonker and
/// Volgenant), exactly; above, pairs are taken greedily by weight.
struct Assignment: Sendable, Equatable {
  /// The largest number of columns for which the total weight is the largest possible.
  static let exactLimit = 2048

  /// The column of each row.
  let columns: [Int]

  /// A row and a column.
  struct Pair: Hashable, Sendable {
    var row: Int
    var column: Int
  }

  /// Looks for the largest total weight of a permutation.
  ///
  /// - Parameters:
  ///   - count: the number of rows and of columns.
  ///   - weights: not negative; absent pairs weigh nothing.
  init(count: Int, weights: [Pair: Int]) {
    guard count <= Self.exactLimit else {
      self.init(columns: greedyAssignment(count, weights))
      return
    }
    var costs = [Int](repeating: 0, count: count * count)
    for (pair, weight) in weights { costs[pair.row * count + pair.column] = -weight }
    self.init(costs: costs, columnCount: count)
  }

  /// Looks for the smallest total cost.
  ///
  /// - Parameters:
  ///   - costs: shape `[n, m]`, row-major.
  ///   - columnCount: m, at least n.
  /// - Complexity: O(n² · m).
  init(costs: [Int], columnCount: Int) {
    self.init(columns: costs.isEmpty ? [] : exactAssignment(costs, columnCount))
  }

  private init(columns: [Int]) { self.columns = columns }
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

/// Adds rows one by one, each along a shortest augmenting path of reduced costs.
private func exactAssignment(_ costs: [Int], _ columnCount: Int) -> [Int] {
  let rowCount = costs.count / columnCount
  precondition(rowCount <= columnCount, "\(rowCount) rows for \(columnCount) columns")
  var rowPotential = [Int](repeating: 0, count: rowCount + 1)
  var columnPotential = [Int](repeating: 0, count: columnCount + 1)
  // Rows and columns are 1-based here; column 0 stands for the row that looks for a place.
  var rowOf = [Int](repeating: 0, count: columnCount + 1)
  var previous = [Int](repeating: 0, count: columnCount + 1)
  for row in 1...rowCount {
    rowOf[0] = row
    var column = 0
    var slack = [Int](repeating: .max, count: columnCount + 1)
    var isUsed = [Bool](repeating: false, count: columnCount + 1)
    repeat {
      isUsed[column] = true
      let current = rowOf[column]
      var (step, next) = (Int.max, 0)
      for other in 1...columnCount where !isUsed[other] {
        let reduced =
          costs[(current - 1) * columnCount + other - 1] - rowPotential[current]
          - columnPotential[other]
        if reduced < slack[other] {
          slack[other] = reduced
          previous[other] = column
        }
        if slack[other] < step { (step, next) = (slack[other], other) }
      }
      for other in 0...columnCount {
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
  var columns = [Int](repeating: 0, count: rowCount)
  for column in 1...columnCount where rowOf[column] > 0 { columns[rowOf[column] - 1] = column - 1 }
  return columns
}
