import TestSupport
import Testing

@testable import Clustering
@testable import Numerics
@testable import Tape

/// A sum of code vectors a row, chosen level by level, as the definition says.
private struct Choice {
  /// The codes of each level.
  var codes: [[Int]] = []
  /// What is left after each level.
  var rests: [Grid] = []

  /// - Parameters:
  ///   - rows: what to quantise.
  ///   - codebooks: one a level.
  ///   - isAngular: whether the angle decides instead of the distance, one a level.
  init(_ rows: Grid, _ codebooks: [Grid], isAngular: [Bool]) {
    var rest = rows
    for (codebook, isAngular) in zip(codebooks, isAngular) {
      let chosen = (0..<rest.rows).map { row in
        let scores = (0..<codebook.rows).map { code in
          let length = codebook.dot(code, codebook, code)
          return isAngular
            ? rest.dot(row, codebook, code) / length.squareRoot()
            : rest.dot(row, codebook, code) - length / 2
        }
        return scores.indices.max { scores[$0] < scores[$1] } ?? 0
      }
      rest = rest + -1 * codebook.rows(chosen)
      codes.append(chosen)
      rests.append(rest)
    }
  }
}

/// Adds the row-wise `λ R x`: R turns z into the direction of q in their plane, λ = ‖q‖ / ‖z‖.
private func turned(_ x: Grid, from z: Grid, to q: Grid) -> Grid {
  let (a, b) = (z.normalizedRows, q.normalizedRows)
  let middle = (a + b).normalizedRows
  return Grid(x.rows, x.columns) { row, column in
    let scale = (q.dot(row, q, row) / z.dot(row, z, row)).squareRoot()
    return scale
      * (x[row, column] - 2 * middle[row, column] * middle.dot(row, x, row)
        + 2 * b[row, column] * a.dot(row, x, row))
  }
}

@Suite struct QuantizeTests {
  static let sizes = [5, 300, 3]

  private func codebooks(_ width: Int, isAngular: Bool) -> (LatentCodebooks, [Grid]) {
    let books = LatentCodebooks(
      sizes: Self.sizes, width: width, isAngular: Self.sizes.map { _ in isAngular })
    let grids = Self.sizes.enumerated().map {
      Grid.noise($0.element, width, seed: 40 + $0.offset, scale: 1 / Double($0.offset + 1))
    }
    for (level, grid) in grids.enumerated() {
      books[level: level] = Matrix(rows: grid.rows, columns: width, values: grid.floats)
    }
    books.refresh()
    return (books, grids)
  }

  // Among vectors of one coordinate all of one sign have the same angle.
  @Test(arguments: Shape.awkward.filter { $0.width > 1 }, [false, true])
  func `each level takes the nearest code to what the levels before left`(
    shape: Shape, isAngular: Bool
  ) throws {
    let (books, grids) = codebooks(shape.width, isAngular: isAngular)
    let rows = Grid.noise(shape.rows, shape.width, seed: 1)
    let bench = OperationBench([.tensor(rows)])
    let sums = CodeSums(books)
    let found = bench.tape.quantize(
      bench.tensor(0), books, into: sums, commitment: 1, passing: .rotation, partialCount: 2)
    let expected = Choice(rows, grids, isAngular: Self.sizes.map { _ in isAngular })
    #expect(found.codes.map { $0.map(Int.init) } == expected.codes)
    let outputs = found.partialSums + [found.sums]
    for (output, rest) in zip(outputs, expected.rests) {
      try ValueMismatch.require(
        output.array, equal: (rows + -1 * rest).values, tolerance: 2e-6)
    }
    for (level, rest) in expected.rests.enumerated() {
      let squares = (rest * rest).values.reduce(0, +)
      #expect(abs(sums.errors[level] - squares) < 1e-5 * squares + 1e-9)
      for code in 0..<Self.sizes[level] {
        let members = expected.codes[level].indices.filter { expected.codes[level][$0] == code }
        let row = books.firstRow(of: level) + code
        #expect(Int(sums.counts[row]) == members.count)
        let sum = (0..<shape.width).map { column in
          members.reduce(0.0) { $0 + rest[$1, column] }
        }
        for (column, value) in sum.enumerated() {
          #expect(abs(Double(sums.rests[row * shape.width + column]) - value) < 1e-5)
        }
      }
    }
  }

  @Test(arguments: Shape.awkward.dropFirst(), QuantizerGradient.allCases)
  func `the gradient passes the codes as its name says, and holds rows to their codes`(
    shape: Shape, passing: QuantizerGradient
  ) throws {
    let (books, grids) = codebooks(shape.width, isAngular: false)
    let rows = Grid.noise(shape.rows, shape.width, seed: 2)
    let bench = OperationBench([.tensor(rows)])
    let found = bench.tape.quantize(
      bench.tensor(0), books, into: CodeSums(books), commitment: 0.3, passing: passing,
      partialCount: 1)
    let weights = Grid.noise(shape.rows, shape.width, seed: 7)
    let firstWeights = Grid.noise(shape.rows, shape.width, seed: 8)
    found.partialSums[0].addGradient(firstWeights.floats)
    let gradients = bench.differentiate(found.sums, towards: weights.floats)
    // Codes, rotation and scale are constants of the backward pass.
    let chosen = Choice(rows, grids, isAngular: Self.sizes.map { _ in false })
    let sums = rows + -1 * chosen.rests[2]
    try requireGradients(of: [rows], equal: gradients, tolerance: 2e-5) { moved in
      let output =
        passing == .rotation ? turned(moved[0], from: rows, to: sums) : moved[0]
      let held = chosen.rests.reduce(0.0) { total, rest in
        let left = moved[0] + -1 * (rows + -1 * rest)
        return total + 0.3 * (left * left).values.reduce(0, +)
      }
      return (output * weights).values.reduce(0, +)
        + (moved[0] * firstWeights).values.reduce(0, +) + held
    }
  }

  @Test func `a row of zeros passes the gradient straight through a rotation`() {
    let (books, _) = codebooks(4, isAngular: false)
    let bench = OperationBench([.tensor(Grid(1, 4, [0, 0, 0, 0]))])
    let found = bench.tape.quantize(
      bench.tensor(0), books, into: CodeSums(books), commitment: 0, passing: .rotation)
    #expect(bench.differentiate(found.sums, towards: [1, 2, 3, 4]) == [[1, 2, 3, 4]])
  }

  @Test(arguments: Shape.awkward)
  func `squared errors and their gradient`(shape: Shape) throws {
    let target = Grid.noise(shape.rows, shape.width, seed: 3)
    let output = Grid.noise(shape.rows, shape.width, seed: 4)
    let bench = OperationBench([.tensor(output), .tensor(target)])
    let found = bench.tape.addSquaredError(bench.tensor(0), target: bench.tensor(1), factor: 0.7)
    let expected = { (output: Grid) in
      let rest = output + -1 * target
      return (rest * rest).values.reduce(0, +)
    }
    #expect(abs(found - expected(output)) < 1e-6 * expected(output))
    let zero = Array(repeating: Float(0), count: output.values.count)
    let gradient = bench.differentiate(bench.tensor(0), towards: zero)[0]
    try requireGradients(of: [output], equal: [gradient], tolerance: 1e-5) {
      0.7 * expected($0[0])
    }
  }
}
