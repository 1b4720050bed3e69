import Testing

@testable import Clustering
@testable import Numerics

/// Numbers in −1..<1 that look random and are the same everywhere.
private func noise(_ count: Int, seed: UInt64) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int64(bitPattern: state) >> 40) / 8_388_608
  }
}

/// Vectors whose coordinates have standard deviations that fall with the column, mixed by shearing.
private func anisotropic(rows: Int, columns: Int, seed: UInt64) -> Matrix {
  var matrix = Matrix(rows: rows, columns: columns, values: noise(rows * columns, seed: seed))
  for row in 0..<rows {
    for column in 0..<columns {
      let index = row * columns + column
      matrix.values[index] = matrix.values[index] / Float(1 + column) + 3
      if column > 0 { matrix.values[index] += 0.5 * matrix.values[index - 1] }
    }
  }
  return matrix
}

/// Mean and covariance in Double, written as the definition.
private func reference(_ matrix: Matrix) -> (mean: [Double], covariance: [[Double]]) {
  let count = Double(matrix.rows)
  let rows = (0..<matrix.rows).map { matrix[row: $0].map(Double.init) }
  let mean = (0..<matrix.columns).map { column in rows.reduce(0) { $0 + $1[column] } / count }
  let covariance = (0..<matrix.columns).map { i in
    (0..<matrix.columns).map { j in
      rows.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / count
    }
  }
  return (mean, covariance)
}

struct `Principal components` {
  @Test(arguments: [(5, 1), (40, 7), (300, 9), (2500, 17)])
  func `the rows are the leading eigenvectors of the covariance`(rows: Int, columns: Int) {
    let matrix = anisotropic(rows: rows, columns: columns, seed: 11)
    let expected = reference(matrix)
    let components = PrincipalComponents(matrix, count: columns, threads: 2)
    for column in 0..<columns {
      #expect(abs(Double(components.mean[column]) - expected.mean[column]) < 1e-5)
    }
    for row in 0..<columns {
      let vector = components.basis[row: row].map(Double.init)
      for i in 0..<columns {
        let product = (0..<columns).reduce(0) { $0 + expected.covariance[i][$1] * vector[$1] }
        #expect(abs(product - components.variances[row] * vector[i]) < 1e-5)
      }
    }
    let trace = (0..<columns).reduce(0) { $0 + expected.covariance[$1][$1] }
    #expect(abs(components.variances.reduce(0, +) - trace) < 1e-5 * trace)
  }

  @Test
  func `the rows are orthonormal, their variances descend, their largest component is positive`() {
    let components = PrincipalComponents(
      anisotropic(rows: 200, columns: 12, seed: 3), count: 6, threads: 1)
    #expect(components.basis.rows == 6)
    for i in 0..<6 {
      let x = components.basis[row: i].map(Double.init)
      for j in 0...i {
        let y = components.basis[row: j].map(Double.init)
        let product = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-6)
      }
      #expect(i == 0 || components.variances[i] <= components.variances[i - 1])
      #expect((x.max() ?? 0) >= -(x.min() ?? 0))
    }
  }

  @Test func `more components than the rank are filled with orthonormal directions`() {
    let line = Matrix(rows: 3, columns: 4, values: [1, 2, 0, 0, 2, 4, 0, 0, 3, 6, 0, 0])
    let components = PrincipalComponents(line, count: 4, threads: 1)
    #expect(abs(components.variances[0] - 10.0 / 3) < 1e-6)
    #expect(components.variances[1...].allSatisfy { $0 < 1e-9 })
    let projected = components.project(line)
    #expect(abs(projected.values[0] + 5.0.squareRoot().float) < 1e-5)
    #expect(abs(projected.values[4]) < 1e-6)
  }

  @Test func `projection keeps the distance to the mean when all components are kept`() {
    let matrix = anisotropic(rows: 1500, columns: 8, seed: 5)
    let components = PrincipalComponents(matrix, count: 8, threads: 2)
    let projected = components.project(matrix, threads: 2)
    for row in [0, 1, 1023, 1024, 1499] {
      let centred = zip(matrix[row: row], components.mean).map { Double($0 - $1) }
      let expected = centred.reduce(0) { $0 + $1 * $1 }
      let found = projected[row: row].reduce(0.0) { $0 + Double($1) * Double($1) }
      #expect(abs(found - expected) < 1e-4 * expected)
    }
  }

  @Test func `one and two threads give the same bits`() {
    let matrix = anisotropic(rows: 20_000, columns: 24, seed: 8)
    let one = PrincipalComponents(matrix, count: 10, threads: 1)
    let two = PrincipalComponents(matrix, count: 10, threads: 2)
    #expect(one == two)
    #expect(one.project(matrix, threads: 1) == two.project(matrix, threads: 2))
  }
}

extension Double {
  fileprivate var float: Float { Float(self) }
}
