public import Numerics

// N samples, C features, D targets.

/// The linear map from features to targets with the least squared error and a penalty on its size (Hoerl and Kennard 1970).
///
/// The features are turned to their principal axes first, where every axis has a coefficient of its own. The penalty is
/// the one of a few whose predictions of each sample from all the others (leave-one-out, in closed form) are best.
public struct RidgeRegression: Sendable {
  private let axes: PrincipalComponents
  /// For each principal axis its part of each target, shape `[C, D]`.
  private let coefficients: Matrix
  private let targetMean: [Float]
  /// The penalty chosen, as a share of the mean variance of the features.
  public let penalty: Double
  /// The share of the targets' variance that predictions of each sample from all the others explain; at most 1, and below 0
  /// where the mean of the others would do better.
  public let explainedShare: Double

  /// The penalties tried.
  public static let penalties = [0.001, 0.01, 0.1, 1, 10]

  /// Fits the map.
  ///
  /// - Parameters:
  ///   - features: shape `[N, C]`, N > 1.
  ///   - targets: shape `[N, D]`.
  ///   - threads: the largest number of threads; the bits of the result do not depend on it.
  /// - Complexity: O(N · C · (C + 5 D)) plus O(C³).
  public init(features: Matrix, targets: Matrix, threads: Int) {
    precondition(features.rows == targets.rows, "\(features.rows) and \(targets.rows) samples")
    precondition(features.rows > 1, "one sample has no leave-one-out error")
    let axes = PrincipalComponents(features, count: features.columns, threads: threads)
    let scores = axes.project(features, threads: threads)
    let mean = columnMeans(targets, threads: threads)
    var centred = targets
    subtract(mean, fromRowsOf: &centred, threads: threads)
    var products = Matrix(rows: features.columns, columns: targets.columns)
    unsafe matrixMultiply(
      features.columns, targets.columns, features.rows, scores.values, features.columns,
      transposeA: true, centred.values, targets.columns, &products.values, targets.columns)
    let total = centred.values.reduce(0) { $0 + Double($1) * Double($1) }
    let fits = Self.penalties.map { penalty in
      let scales = Self.scales(axes, sampleCount: features.rows, penalty: penalty)
      var scaled = products
      for place in scaled.values.indices {
        scaled.values[place] *= Float(scales[place / targets.columns])
      }
      let predicted = matrixProduct(scores, scaled, threads: threads)
      let error = Self.leaveOneOutError(scores, scales, centred, predicted)
      return (penalty: penalty, coefficients: scaled, error: error)
    }
    // The first of equal ones, so that the choice is stated.
    let best = fits.dropFirst().reduce(fits[0]) { $1.error < $0.error ? $1 : $0 }
    self.axes = axes
    coefficients = best.coefficients
    targetMean = mean
    penalty = best.penalty
    explainedShare = total > 0 ? 1 - best.error / total : 0
  }

  /// What the map makes of other features.
  ///
  /// - Parameters:
  ///   - features: shape `[N, C]`.
  ///   - threads: the largest number of threads.
  /// - Returns: shape `[N, D]`.
  public func predict(_ features: Matrix, threads: Int) -> Matrix {
    let scores = axes.project(features, threads: threads)
    var predicted = matrixProduct(scores, coefficients, threads: threads)
    subtract(targetMean.map { -$0 }, fromRowsOf: &predicted, threads: threads)
    return predicted
  }

  /// For each axis 1 / (sum of squares + penalty); 0 for an axis along which nothing varies.
  private static func scales(
    _ axes: PrincipalComponents, sampleCount: Int, penalty: Double
  ) -> [Double] {
    let mean = axes.totalVariance / Double(axes.variances.count)
    return axes.variances.map { variance in
      let size = Double(sampleCount) * (variance + penalty * mean)
      return variance > 0 && size > 0 ? 1 / size : 0
    }
  }

  /// The sum of the squared errors of predicting each sample from all the others.
  ///
  /// Leaving a sample out of a linear fit divides its error by 1 minus its leverage (Allen 1974).
  private static func leaveOneOutError(
    _ scores: Matrix, _ scales: [Double], _ centred: Matrix, _ predicted: Matrix
  ) -> Double {
    var sum = 0.0
    for row in 0..<scores.rows {
      let leverage = zip(scores[row: row], scales).reduce(1 / Double(scores.rows)) {
        $0 + Double($1.0) * Double($1.0) * $1.1
      }
      let squared = zip(centred[row: row], predicted[row: row]).reduce(0.0) {
        let difference = Double($1.0) - Double($1.1)
        return $0 + difference * difference
      }
      let rest = max(1 - leverage, 1e-6)
      sum += squared / (rest * rest)
    }
    return sum
  }
}
