internal import Clustering
internal import Dataset
internal import Numerics

// N texts, C features, D width of a vector.

/// Makes vectors from texts without any model: TF-IDF of words and pieces of words, times a matrix that was fitted to
/// some texts.
///
/// A text has the same vector, to the last bit, whatever other texts are encoded with it.
struct TextEncoder: Sendable, Equatable {
  let vocabulary: TextVocabulary
  /// Shape `[C, D]`.
  let projection: Matrix
  /// What is subtracted after the projection, shape `[D]`.
  let offset: [Float]

  /// The length of a vector, D.
  var width: Int { offset.count }

  /// An encoder from its parts.
  init(vocabulary: TextVocabulary, projection: Matrix, offset: [Float]) {
    self.vocabulary = vocabulary
    self.projection = projection
    self.offset = offset
  }

  /// Encodes texts.
  ///
  /// - Returns: one vector a text, of length 1.
  func encode(_ texts: [String], threads: Int) -> ItemVectors {
    encode(vocabulary.matrix(TextFeatures(texts, threads: threads)), threads: threads)
  }

  private func encode(_ features: SparseMatrix, threads: Int) -> ItemVectors {
    var vectors = features.times(projection, threads: threads)
    for row in 0..<vectors.rows {
      let range = row * width..<(row + 1) * width
      for (column, place) in range.enumerated() { vectors.values[place] -= offset[column] }
      let norm = vectors.values[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > 0 { for place in range { vectors.values[place] /= norm } }
    }
    return ItemVectors(values: vectors.values, width: width)
  }
}

extension TextEncoder {
  /// The directions drawn beyond D, and the products with X Xᵀ.
  private static let surplus = 16
  private static let passCount = 3
  private static let stream: UInt64 = 0x54_4558_54

  /// Fits an encoder to texts by a randomised singular value decomposition (Halko, Martinsson and Tropp 2011).
  ///
  /// The features X `[N, C]` are multiplied by random directions and three times by X Xᵀ; between the products the columns
  /// are made orthonormal and centred by a principal component analysis. The projection gives the leading left singular
  /// vectors of the centred X times their singular values, so that inner products are those of the TF-IDF rows as far as
  /// D dimensions can tell.
  ///
  /// - Parameters:
  ///   - texts: N texts.
  ///   - width: D.
  ///   - seed: draws the directions.
  ///   - threads: the largest number of threads; the bits do not depend on it.
  ///
  /// There is none (nil) if no two texts have a word in common, or all texts are alike.
  init?(fitting texts: [String], width: Int, seed: UInt64, threads: Int) {
    let counts = TextFeatures(texts, threads: threads)
    let vocabulary = TextVocabulary(counts)
    let features = vocabulary.matrix(counts)
    guard features.columns > 0, texts.count > 1 else { return nil }
    let transposed = features.transposed
    let count = width + Self.surplus
    let random = CounterRandom(seed: seed, stream: Self.stream)
    var directions = Matrix(rows: features.columns, columns: count)
    for place in directions.values.indices {
      directions.values[place] = Float(random.normal(UInt64(place)))
    }
    for _ in 0..<Self.passCount {
      let scores = features.times(directions, threads: threads)
      let components = PrincipalComponents(scores, count: count, threads: threads)
      var basis = components.project(scores, threads: threads)
      basis.scaleColumns(by: components.scales(rows: scores.rows) { 1 / $0 })
      directions = transposed.times(basis, threads: threads)
    }
    // The scores stretch by the square of the singular values; half of that is taken back.
    let scores = features.times(directions, threads: threads)
    let components = PrincipalComponents(scores, count: width, threads: threads)
    let scales = components.scales(rows: scores.rows) { 1 / $0.squareRoot() }
    guard scales.contains(where: { $0 != 0 }) else { return nil }
    func turned(_ matrix: Matrix) -> Matrix {
      var result = components.withoutMean.project(matrix, threads: threads)
      result.scaleColumns(by: scales)
      return result
    }
    self.init(
      vocabulary: vocabulary, projection: turned(directions),
      offset: turned(Matrix(rows: 1, columns: count, values: components.mean)).values)
  }
}

extension PrincipalComponents {
  /// A function of the length of each component over all rows; 0 for directions that only rounding has made.
  fileprivate func scales(rows: Int, _ scale: (Double) -> Double) -> [Float] {
    let largest = (variances.first ?? 0) * Double(rows)
    return variances.map { variance in
      let square = variance * Double(rows)
      return square > largest * 1e-10 ? Float(scale(square.squareRoot())) : 0
    }
  }
}

extension Matrix {
  fileprivate mutating func scaleColumns(by scales: [Float]) {
    for place in values.indices { values[place] *= scales[place % columns] }
  }
}
