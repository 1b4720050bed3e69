internal import ArgumentParser
internal import Clustering
internal import CommandSupport
internal import Foundation
internal import Numerics
internal import ShardIO

// N items, P width of the quantiser's space, M levels, K codes of a level.

/// The options of quantisers whose levels are clustered one by one by the Euclidean distance.
struct ClusteringOptions: QuantizerOptions {
  @OptionGroup(title: "Codes") var codes: CodebookOptions
  @OptionGroup(title: "k-means") var search: SearchOptions

  static var fields: [OptionField<Self>] {
    CodebookOptions.fields.map { $0.lifted(\.codes) }
      + SearchOptions.fields.map { $0.lifted(\.search) }
  }

  func validate() throws { try search.validate(for: codes.sizes) }

  /// The search of a level, from 0.
  func kMeans(level: Int, _ learning: Learning) -> KMeansOptions {
    search.kMeans(level: level, size: codes.sizes[level], seed: learning.seed)
  }
}

/// Product quantisation: each level clusters its own part of the coordinates (Jégou, Douze and Schmid 2011).
enum PQ: QuantizerRecipe {
  typealias Options = ClusteringOptions

  static let name = "pq"
  static let abstract = "Product codes: each level clusters its own part of the coordinates."

  static func fit(
    _ vectors: consuming Matrix, _ options: Options, _ learning: Learning
  ) throws(PipelineError) -> TokenizedItems {
    try fitProduct(vectors, options, learning)
  }
}

/// Product quantisation after a learned rotation: the non-parametric one of Ge, He, Ke and Sun (2013).
///
/// From an allocation of the axes that balances the product of the variances of the parts, codes and rotation are
/// improved in turn.
enum OPQ: QuantizerRecipe {
  typealias Options = ClusteringOptions

  static let name = "opq"
  static let abstract = "Product codes after a learned rotation of the coordinates."

  static func fit(
    _ vectors: consuming Matrix, _ options: Options, _ learning: Learning
  ) throws(PipelineError) -> TokenizedItems {
    try fitProduct(vectors, options, learning, rotation: learnedRotation)
  }
}

/// Clusters one part of the coordinates for each level, after a rotation where there is one.
///
/// Code vectors are given with zeros in the other parts, so that an item is the sum of its code vectors as with residual
/// codes.
private func fitProduct(
  _ vectors: Matrix, _ options: ClusteringOptions, _ learning: Learning,
  rotation learned: ((Matrix, [Range<Int>], ClusteringOptions, Learning) -> Matrix)? = nil
) throws(PipelineError) -> TokenizedItems {
  let (sizes, threads) = (options.codes.sizes, learning.threads)
  let space = QuantizerSpace(of: vectors, options.codes, threads: threads)
  let width = space.vectors.columns
  guard sizes.count <= width else {
    throw .fewerCoordinatesThanLevels(learning.data, width: width, levelCount: sizes.count)
  }
  var items = space.emptyItems(sizes, sizes.map { _ in .l2 }, threads: threads)
  let parts = equalParts(width, sizes.count)
  let rotation = learned?(space.vectors, parts, options, learning)
  let rotated = rotation.map { matrixProduct(space.vectors, $0, threads: threads) } ?? space.vectors
  for (level, part) in parts.enumerated() {
    learning.progress("level \(level + 1)")
    let found = KMeans(
      rotated.columns(part), options: options.kMeans(level: level, learning), threads: threads)
    let codebook = found.centroids.placed(at: part.lowerBound, width: width)
    let unrotated = rotation.map { matrixProduct(codebook, $0, transposed: true) } ?? codebook
    items.append(found, codebook: space.expand(unrotated), residual: 0)
  }
  return items.encoded(vectors, space, threads: threads)
}

/// The coordinates of each level: neighbouring ones, as equal in number as possible.
func equalParts(_ width: Int, _ count: Int) -> [Range<Int>] {
  (0..<count).map { $0 * width / count..<($0 + 1) * width / count }
}

/// Rounds of the search for a rotation, and the k-means iterations in each.
private let rotationRounds = 12
private let roundIterations = 2

/// A rotation `[P, P]` after which the parts can be clustered with a small error.
private func learnedRotation(
  _ vectors: Matrix, _ parts: [Range<Int>], _ options: ClusteringOptions, _ learning: Learning
) -> Matrix {
  let threads = learning.threads
  var rotation = allocatedAxes(vectors, parts)
  var codebooks = [Matrix?](repeating: nil, count: parts.count)
  for _ in 0..<rotationRounds {
    let rotated = matrixProduct(vectors, rotation, threads: threads)
    var approximation = Matrix(rows: vectors.rows, columns: vectors.columns)
    for (level, part) in parts.enumerated() {
      var search = options.kMeans(level: level, learning)
      search.start = codebooks[level]
      search.iterationCount = roundIterations
      search.restartCount = 1
      let found = KMeans(rotated.columns(part), options: search, threads: threads)
      codebooks[level] = found.centroids
      approximation.setColumns(part, found.centroids, rows: found.nearest.indices)
    }
    rotation = nearestRotation(from: vectors, to: approximation, threads: threads)
  }
  return rotation
}

/// The permutation that gives each part about the same product of variances: axes go, widest first, to the part with
/// the smallest product that has room.
private func allocatedAxes(_ vectors: Matrix, _ parts: [Range<Int>]) -> Matrix {
  let width = vectors.columns
  var variances = [Double](repeating: 0, count: width)
  for (index, value) in vectors.values.enumerated() {
    variances[index % width] += Double(value) * Double(value)
  }
  var logarithms = parts.map { _ in 0.0 }
  var filled = parts.map(\.lowerBound)
  var permutation = Matrix(rows: width, columns: width)
  for axis in (0..<width).sorted(by: { (-variances[$0], $0) < (-variances[$1], $1) }) {
    let open = parts.indices.filter { filled[$0] < parts[$0].upperBound }
    guard let part = open.min(by: { (logarithms[$0], $0) < (logarithms[$1], $1) }) else { break }
    permutation.values[axis * width + filled[part]] = 1
    filled[part] += 1
    logarithms[part] += log(variances[axis] / Double(vectors.rows) + 1e-12)
  }
  return permutation
}

extension Matrix {
  /// Some neighbouring columns.
  fileprivate func columns(_ range: Range<Int>) -> Matrix {
    var part = Matrix(rows: rows, columns: range.count)
    for row in 0..<rows {
      part.values.replaceSubrange(
        row * range.count..<(row + 1) * range.count,
        with: values[row * columns + range.lowerBound..<row * columns + range.upperBound])
    }
    return part
  }

  /// The columns in a wider matrix of zeros.
  fileprivate func placed(at column: Int, width: Int) -> Matrix {
    var placed = Matrix(rows: rows, columns: width)
    for row in 0..<rows {
      placed.values.replaceSubrange(
        row * width + column..<row * width + column + columns, with: self[row: row])
    }
    return placed
  }

  /// Sets some columns of each row to a row of a narrower table.
  fileprivate mutating func setColumns(_ range: Range<Int>, _ table: Matrix, rows: [UInt32]) {
    for (row, index) in rows.enumerated() {
      values.replaceSubrange(
        row * columns + range.lowerBound..<row * columns + range.upperBound,
        with: table[row: Int(index)])
    }
  }
}
