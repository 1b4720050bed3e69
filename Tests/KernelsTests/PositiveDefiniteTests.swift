import Clustering
import Numerics
import Testing

struct `Positive definite matrices` {
  /// A Gram matrix of random rows with a ridge, its diagonal scaled to 1, shape `[N, N]`.
  private func gram(_ size: Int) -> Matrix {
    let random = CounterRandom(seed: 3, stream: 1)
    let width = 40
    let rows = (0..<size * width).map { random.normal(UInt64($0)) }
    var products = (0..<size * size).map { place in
      let (row, column) = (place / size, place % size)
      return (0..<width).reduce(row == column ? 20.0 : 0) {
        $0 + rows[row * width + $1] * rows[column * width + $1]
      }
    }
    let scales = (0..<size).map { 1 / products[$0 * (size + 1)].squareRoot() }
    for place in products.indices { products[place] *= scales[place / size] * scales[place % size] }
    return Matrix(rows: size, columns: size, values: products.map { Float($0) })
  }

  @Test(arguments: [1, 7, 256, 520])
  func `a matrix times its inverse is the identity, for any number of threads`(_ size: Int) {
    let matrix = gram(size)
    let inverted = inverse(ofPositiveDefinite: matrix, threads: 1)
    var worst = 0.0
    for row in 0..<size {
      for column in stride(from: 0, to: size, by: 31) {
        let product = (0..<size).reduce(0.0) {
          $0 + Double(matrix.values[row * size + $1]) * Double(inverted.values[$1 * size + column])
        }
        worst = max(worst, abs(product - (row == column ? 1 : 0)))
      }
    }
    #expect(worst < 1e-4)
    #expect(inverse(ofPositiveDefinite: matrix, threads: 2) == inverted)
  }

  /// With 10⁻⁵ on the diagonal the inverse of a matrix of ones is (1 − 1 / (10⁻⁵ + 3)) / 10⁻⁵ on its diagonal.
  @Test func `a block without full rank gets a little on its diagonal`() {
    let ones = Matrix(rows: 3, columns: 3, values: Array(repeating: 1, count: 9))
    let inverted = inverse(ofPositiveDefinite: ones, threads: 1)
    let expected = (1 - 1 / (1e-5 + 3)) / 1e-5
    #expect(abs(Double(inverted.values[0]) / expected - 1) < 1e-4)
  }

  @Test func `a small system by hand`() {
    // 4 x + 2 y = 10, 2 x + 3 y = 9: x = 1.5, y = 2. The upper triangle is not read.
    let found = solution(ofPositiveDefinite: [4, .nan, 2, 3], [10, 9])
    #expect(abs(found[0] - 1.5) < 1e-12 && abs(found[1] - 2) < 1e-12)
    #expect(solution(ofPositiveDefinite: [], []) == [])
  }
}
