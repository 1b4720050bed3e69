import Testing

@testable import Clustering
@testable import Numerics

struct `Nearest rotation` {
  private let points: Matrix = {
    let random = CounterRandom(seed: 4, stream: 4)
    return Matrix(
      rows: 1_500, columns: 5, values: (0..<7_500).map { Float(random.normal(UInt64($0))) })
  }()

  @Test func `finds the rotation that was applied`() {
    // A turn by 0.7 in the plane of axes 0 and 3, and a swap of axes 1 and 2.
    let (c, s) = (Float(0.764842187), Float(0.644217687))
    let rotation = Matrix(
      rows: 5, columns: 5,
      values: [c, 0, 0, s, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, -s, 0, 0, c, 0, 0, 0, 0, 0, 1])
    let target = matrixProduct(points, rotation, threads: 2)
    let found = nearestRotation(from: points, to: target, threads: 2)
    #expect(zip(found.values, rotation.values).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(found == nearestRotation(from: points, to: target, threads: 1))
  }

  @Test func `is orthogonal whatever the target`() {
    var target = points
    for index in target.values.indices { target.values[index] *= target.values[index] }
    let found = nearestRotation(from: points, to: target, threads: 1)
    let square = matrixProduct(found, found, transposed: true)
    for row in 0..<5 {
      for column in 0..<5 {
        #expect(abs(square.values[row * 5 + column] - (row == column ? 1 : 0)) < 1e-5)
      }
    }
  }

  @Test(arguments: [(3, 4, 2), (1_030, 7, 9), (0, 3, 3)])
  func `products equal the definition in Double`(rows: Int, inner: Int, columns: Int) {
    let random = CounterRandom(seed: 5, stream: 5)
    let left = Matrix(
      rows: rows, columns: inner,
      values: (0..<rows * inner).map { Float(random.normal(UInt64($0))) })
    let right = Matrix(
      rows: inner, columns: columns,
      values: (0..<inner * columns).map { Float(random.normal(UInt64(100_000 + $0))) })
    let found = matrixProduct(left, right, threads: 2)
    for row in stride(from: 0, to: rows, by: 100) {
      for column in 0..<columns {
        let expected = (0..<inner).reduce(0.0) {
          $0 + Double(left.values[row * inner + $1]) * Double(right.values[$1 * columns + column])
        }
        #expect(abs(Double(found.values[row * columns + column]) - expected) < 1e-5)
      }
    }
  }
}
