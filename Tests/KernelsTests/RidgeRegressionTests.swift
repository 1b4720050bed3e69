import Clustering
import Numerics
import TestSupport
import Testing

struct `Ridge regression` {
  private func matrix(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    let random = CounterRandom(seed: seed, stream: 1)
    return Matrix(
      rows: rows, columns: columns,
      values: (0..<rows * columns).map { Float(random.normal(UInt64($0))) })
  }

  @Test func `a linear relation is found`() {
    let features = matrix(200, 3, seed: 1)
    let slopes: [[Float]] = [[1, -2], [0, 4], [0.5, 0]]
    var targets = Matrix(rows: 200, columns: 2)
    for row in 0..<200 {
      for target in 0..<2 {
        targets.values[row * 2 + target] =
          7 + (0..<3).reduce(0) { $0 + features.values[row * 3 + $1] * slopes[$1][target] }
      }
    }
    let fit = RidgeRegression(features: features, targets: targets, threads: 2)
    #expect(fit.penalty == 0.001)
    #expect(fit.explainedShare > 0.9999)
    let predicted = fit.predict(Matrix(rows: 1, columns: 3, values: [1, 2, 4]), threads: 1)
    #expect(abs(predicted.values[0] - 10) < 0.02 && abs(predicted.values[1] - 13) < 0.02)
  }

  @Test func `noise alone gets the largest penalty and explains nothing`() {
    let fit = RidgeRegression(
      features: matrix(40, 10, seed: 2), targets: matrix(40, 5, seed: 3), threads: 1)
    #expect(fit.penalty == 10)
    #expect(fit.explainedShare < 0.05)
  }

  /// One feature by hand: x = −1, 0, 1 and y = −1, 0, 4 about the mean 1; the penalty is p · 2/3 · 3 = 2 p.
  @Test func `errors are those of predicting each sample from the others`() {
    let fit = RidgeRegression(
      features: Matrix(rows: 3, columns: 1, values: [-1, 0, 1]),
      targets: Matrix(rows: 3, columns: 1, values: [-1, 0, 4]), threads: 1)
    // Σ x y = 5; the slope is 5 / (2 + 2 p), the leverage 1/3 + x² / (2 + 2 p). Errors for p = 0.01, 0.1, 1, 10 are
    // larger or smaller as the sums below say.
    func error(_ p: Double) -> Double {
      let size = 2 + 2 * p
      return zip([-1.0, 0, 1], [-2.0, -1, 3]).reduce(0) { sum, sample in
        let rest = (sample.1 - sample.0 * 5 / size) / (1 - 1 / 3.0 - sample.0 * sample.0 / size)
        return sum + rest * rest
      }
    }
    let errors = RidgeRegression.penalties.map(error)
    let best = errors.indices.min { errors[$0] < errors[$1] }
    #expect(fit.penalty == RidgeRegression.penalties[best ?? 0])
    #expect(abs(fit.explainedShare - (1 - (errors.min() ?? 0) / 14)) < 1e-5)
    let slope = 5 / (2 + 2 * fit.penalty)
    let predicted = fit.predict(Matrix(rows: 1, columns: 1, values: [2]), threads: 1)
    #expect(abs(Double(predicted.values[0]) - (1 + 2 * slope)) < 1e-5)
  }

  @Test func `the bits do not depend on the threads`() {
    let (features, targets) = (matrix(3000, 6, seed: 4), matrix(3000, 4, seed: 5))
    let one = RidgeRegression(features: features, targets: targets, threads: 1)
    let two = RidgeRegression(features: features, targets: targets, threads: 2)
    #expect(one.predict(features, threads: 1) == two.predict(features, threads: 2))
    #expect(one.explainedShare == two.explainedShare)
  }

  @Test func `features that do not vary leave the mean`() {
    let fit = RidgeRegression(
      features: Matrix(rows: 3, columns: 2, values: [1, 1, 1, 1, 1, 1]),
      targets: Matrix(rows: 3, columns: 1, values: [1, 2, 6]), threads: 1)
    #expect(fit.predict(Matrix(rows: 1, columns: 2, values: [5, 5]), threads: 1).values == [3])
    #expect(fit.explainedShare <= 0)
  }
}
