/// A matrix of doubles for reference computations: slow, plain, written as the definitions are.
public struct Grid: Sendable, Equatable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The elements, row by row.
  public var values: [Double]

  /// A matrix from its elements, row by row.
  public init(_ rows: Int, _ columns: Int, _ values: [Double]) {
    precondition(values.count == rows * columns)
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// A matrix from the definition of its elements.
  public init(_ rows: Int, _ columns: Int, _ element: (_ row: Int, _ column: Int) -> Double) {
    var values: [Double] = []
    values.reserveCapacity(rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { values.append(element(row, column)) }
    }
    self.init(rows, columns, values)
  }

  /// A matrix from floats, row by row.
  public init(_ rows: Int, _ columns: Int, floats: [Float]) {
    self.init(rows, columns, floats.map(Double.init))
  }

  /// Uniform numbers in `-scale ..< scale` that a Float holds exactly and that a seed determines.
  public static func noise(_ rows: Int, _ columns: Int, seed: Int, scale: Double = 1) -> Grid {
    var generator = SeededGenerator(seed: seed)
    return Grid(rows, columns) { _, _ in
      Double(Float(Double.random(in: -scale..<scale, using: &generator)))
    }
  }

  /// One element.
  public subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

  /// The elements as floats.
  public var floats: [Float] { values.map { Float($0) } }

  /// The largest absolute value, 0 for an empty matrix.
  public var peak: Double { values.reduce(0) { max($0, abs($1)) } }

  /// The inner product of a row of this matrix and a row of another one of the same width.
  public func dot(_ row: Int, _ other: Grid, _ otherRow: Int) -> Double {
    precondition(columns == other.columns)
    var sum = 0.0
    let first = row * columns
    let otherFirst = otherRow * columns
    for column in 0..<columns { sum += values[first + column] * other.values[otherFirst + column] }
    return sum
  }

  /// The rows of some numbers.
  public func rows(_ indices: [Int]) -> Grid {
    Grid(indices.count, columns) { self[indices[$0], $1] }
  }

  /// The columns of a range.
  public func columns(_ range: Range<Int>) -> Grid {
    Grid(rows, range.count) { self[$0, range.lowerBound + $1] }
  }

  /// Rows and columns exchanged.
  public var transposed: Grid { Grid(columns, rows) { self[$1, $0] } }

  /// The sum, element by element.
  public static func + (a: Grid, b: Grid) -> Grid {
    precondition(a.rows == b.rows && a.columns == b.columns)
    return Grid(a.rows, a.columns, zip(a.values, b.values).map { $0 + $1 })
  }

  /// The product, element by element.
  public static func * (a: Grid, b: Grid) -> Grid {
    precondition(a.rows == b.rows && a.columns == b.columns)
    return Grid(a.rows, a.columns, zip(a.values, b.values).map { $0 * $1 })
  }

  /// Every element times a number.
  public static func * (factor: Double, a: Grid) -> Grid {
    Grid(a.rows, a.columns, a.values.map { factor * $0 })
  }
}
