internal import Clustering
internal import Dataset
internal import Numerics

/// Vectors for items that have none, made from their texts in the space of the vectors that are given.
///
/// All texts get vectors by a ``TextEncoder``; a ridge regression learns from the items with both how the given vectors
/// follow from those, and is applied to the items with a text alone. What comes out is scaled to the mean length of the
/// given vectors, because a regression answers with too little where it knows little.
struct VectorCompletion {
  /// Turns texts into what the regression learns from.
  var encoder: TextEncoder
  var threads: Int

  /// The least number of items with a vector and a text from which anything is learnt.
  static let minimumSampleCount = 10

  /// What became of the vectors.
  struct Result {
    var vectors: ItemVectors
    /// The share of the given vectors' variance that their texts explain, each predicted from all others.
    var explainedShare: Double
  }

  /// Fills in the vectors of some items.
  ///
  /// - Parameters:
  ///   - given: the vectors of all items; those of `missing` are not looked at.
  ///   - texts: the texts of all items, not empty for `missing`.
  ///   - missing: the items without a vector, ascending.
  /// - Returns: the vectors of all items; nil if there are too few items to learn from.
  func complete(_ given: ItemVectors, texts: [String], missing: [Int]) -> Result? {
    let isMissing = Set(missing)
    let known = texts.indices.filter { !isMissing.contains($0) && !texts[$0].isEmpty }
    guard known.count >= Self.minimumSampleCount else { return nil }
    let encoded = encoder.encode(texts, threads: threads)
    let targets = rows(known, of: given)
    let fit = RidgeRegression(
      features: rows(known, of: encoded), targets: targets, threads: threads)
    let predicted = fit.predict(rows(missing, of: encoded), threads: threads)
    let length = (0..<targets.rows).reduce(0) { $0 + self.length(targets[row: $1]) }
    let mean = length / Float(targets.rows)
    var vectors = given
    var first: [String: Int] = [:]
    for (place, item) in missing.enumerated() {
      // Equal texts have equal vectors to the last bit.
      let place = first[texts[item], default: place]
      first[texts[item]] = place
      let row = predicted[row: place]
      let own = self.length(row)
      let scale = own > 0 ? mean / own : 0
      vectors.values.replaceSubrange(
        item * given.width..<(item + 1) * given.width, with: row.map { $0 * scale })
    }
    return Result(vectors: vectors, explainedShare: fit.explainedShare)
  }

  private func rows(_ items: [Int], of vectors: ItemVectors) -> Matrix {
    let width = vectors.width
    var values: [Float] = []
    values.reserveCapacity(items.count * width)
    for item in items { values += vectors.values[item * width..<(item + 1) * width] }
    return Matrix(rows: items.count, columns: width, values: values)
  }

  /// In Double, because the square of a large number leaves the range of Float.
  private func length(_ row: ArraySlice<Float>) -> Float {
    Float(row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
  }
}
