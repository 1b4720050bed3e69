internal import Clustering
internal import Dataset
internal import Numerics

/// Makes vectors from texts without any model: TF-IDF of words and pieces of words, then a randomised singular value
/// decomposition (Halko, Martinsson and Tropp 2011).
///
/// The features X `[N, C]` are multiplied by random directions and three times by X Xᵀ; between the products the columns
/// are made orthonormal and centred by a principal component analysis. What comes out are the leading left singular
/// vectors of the centred X times their singular values, so that inner products are those of the TF-IDF rows as far as
/// `width` dimensions can tell; rows are then scaled to length 1.
struct TextEncoder {
  /// The length of a vector.
  var width: Int
  var seed: UInt64
  var threads: Int

  /// The directions drawn beyond `width`, and the products with X Xᵀ.
  private static let surplus = 16
  private static let passCount = 3
  private static let stream: UInt64 = 0x54_4558_54

  /// Encodes texts.
  ///
  /// - Returns: one vector a text; nil if no two texts have a word in common, or all texts are alike.
  func encode(_ texts: [String]) -> ItemVectors? {
    let features = TextFeatures(texts, threads: threads).matrix
    guard features.columns > 0, texts.count > 1 else { return nil }
    let transposed = features.transposed
    let count = width + Self.surplus
    let random = CounterRandom(seed: seed, stream: Self.stream)
    var directions = Matrix(rows: features.columns, columns: count)
    for place in directions.values.indices {
      directions.values[place] = Float(random.normal(UInt64(place)))
    }
    var scores = features.times(directions, threads: threads)
    for _ in 0..<Self.passCount {
      let basis = scaledComponents(scores, count: count, power: 1)
      scores = features.times(transposed.times(basis, threads: threads), threads: threads)
    }
    // The scores now stretch by the square of the singular values; half of that is taken back.
    var vectors = scaledComponents(scores, count: width, power: 0.5)
    guard vectors.values.contains(where: { $0 != 0 }) else { return nil }
    normalize(&vectors)
    copyEqual(texts, &vectors)
    return ItemVectors(values: vectors.values, width: width)
  }

  /// The coordinates along the principal components, each divided by a power of its length.
  private func scaledComponents(_ matrix: Matrix, count: Int, power: Double) -> Matrix {
    let components = PrincipalComponents(matrix, count: count, threads: threads)
    var projected = components.project(matrix, threads: threads)
    let largest = (components.variances.first ?? 0) * Double(matrix.rows)
    let scales = components.variances.map { variance in
      let norm = (variance * Double(matrix.rows)).squareRoot()
      // Directions that only rounding has made are left out.
      let isReal = norm * norm > largest * 1e-10
      return isReal ? Float(power == 1 ? 1 / norm : 1 / norm.squareRoot()) : 0
    }
    for place in projected.values.indices { projected.values[place] *= scales[place % count] }
    return projected
  }

  /// Gives equal texts equal vectors to the last bit; in products of matrices the place of a row tells in the last digits.
  private func copyEqual(_ texts: [String], _ vectors: inout Matrix) {
    var first: [String: Int] = [:]
    for (row, text) in texts.enumerated() {
      guard let source = first[text] else {
        first[text] = row
        continue
      }
      vectors.values.replaceSubrange(
        row * width..<(row + 1) * width, with: vectors.values[source * width..<(source + 1) * width]
      )
    }
  }

  private func normalize(_ matrix: inout Matrix) {
    for row in 0..<matrix.rows {
      let range = row * width..<(row + 1) * width
      let norm = matrix.values[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > 0 { for place in range { matrix.values[place] /= norm } }
    }
  }
}
