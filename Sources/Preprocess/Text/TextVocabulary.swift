internal import Glibc
internal import Numerics

/// The features that vectors are made from, and what each weighs: ln((1 + N) / (1 + df)).
///
/// A feature that only one text has says nothing about likeness and is left out; of more than ``largestCount``, those of
/// most texts stay.
struct TextVocabulary: Sendable, Equatable {
  /// The bucket of each feature, ascending.
  let buckets: [UInt32]
  /// The weight of each feature.
  let weights: [Float]

  /// The most features.
  static let largestCount = 1 << 17

  /// The vocabulary of the texts that were counted.
  init(_ features: TextFeatures, limit: Int = largestCount) {
    var frequencies = [Int](repeating: 0, count: TextFeatures.bucketCount)
    for row in features.rows {
      for feature in row { frequencies[Int(feature.bucket)] += 1 }
    }
    var found = frequencies.indices.filter { frequencies[$0] > 1 }
    if found.count > limit {
      found.sort { (frequencies[$1], $0) < (frequencies[$0], $1) }
      found = found.prefix(limit).sorted()
    }
    let textCount = features.rows.count
    buckets = found.map { UInt32($0) }
    weights = found.map { Float(log(Double(1 + textCount) / Double(1 + frequencies[$0]))) }
  }

  /// A vocabulary from its parts.
  init(buckets: [UInt32], weights: [Float]) {
    self.buckets = buckets
    self.weights = weights
  }

  /// Texts as rows of weights (1 + ln tf) · ``weights``, of length 1; what the vocabulary lacks is left out.
  func matrix(_ features: TextFeatures) -> SparseMatrix {
    var columns = [UInt32](repeating: .max, count: TextFeatures.bucketCount)
    for (column, bucket) in buckets.enumerated() { columns[Int(bucket)] = UInt32(column) }
    var offsets = [0]
    var indices: [UInt32] = []
    var values: [Float] = []
    for row in features.rows {
      let first = values.count
      for feature in row where columns[Int(feature.bucket)] != .max {
        let column = columns[Int(feature.bucket)]
        indices.append(column)
        values.append((1 + Float(log(Double(feature.count)))) * weights[Int(column)])
      }
      let norm = values[first...].reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > 0 { for place in first..<values.count { values[place] /= norm } }
      offsets.append(values.count)
    }
    return SparseMatrix(
      columns: buckets.count, offsets: offsets, indices: indices, values: values)
  }
}
