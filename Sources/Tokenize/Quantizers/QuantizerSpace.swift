internal import Clustering
internal import Numerics
internal import Quantizers

// N items, D width of their vectors, P width of the quantiser's space, M levels, K codes of a level.

/// The space in which codes are learned: the centred vectors, their leading principal components, or those whitened.
struct QuantizerSpace {
  /// Shape `[N, P]`.
  var vectors: Matrix
  let center: [Float]
  /// The mean squared length of the centred vectors that is left in this space, before it is whitened.
  let visibleVariance: Double
  private let components: PrincipalComponents?
  /// What whitened components are multiplied by to be components again, shape `[P]`; nil where they are not whitened.
  private let deviations: [Float]?

  init(centering vectors: consuming Matrix, threads: Int) {
    center = columnMeans(copy vectors, threads: threads)
    components = nil
    deviations = nil
    var centred = consume vectors
    subtract(center, fromRowsOf: &centred, threads: threads)
    visibleVariance = meanSquaredLength(centred, threads: threads)
    self.vectors = centred
  }

  init(projecting vectors: Matrix, count: Int, isWhitened: Bool, threads: Int) {
    let found = PrincipalComponents(vectors, count: count, threads: threads)
    center = found.mean
    components = found
    visibleVariance = found.variances.reduce(0, +)
    // Directions without variance hold rounding errors; a small part of the mean variance keeps them small.
    let least = 1e-4 * found.totalVariance / Double(vectors.columns)
    deviations =
      isWhitened ? found.variances.map { Float(($0 + least).squareRoot()) } : nil
    self.vectors = found.project(vectors, threads: threads)
    if let deviations { self.vectors.scaleColumns(deviations.map { 1 / $0 }) }
  }

  /// The space that options ask for.
  init(of vectors: Matrix, _ options: CodebookOptions, threads: Int) {
    if let width = options.reducedWidth(vectors.columns) {
      self.init(projecting: vectors, count: width, isWhitened: options.whiten, threads: threads)
    } else {
      self.init(centering: vectors, threads: threads)
    }
  }

  /// Vectors of this space in the space of the item vectors, shape `[K, D]`.
  func expand(_ vectors: Matrix) -> Matrix {
    guard let components else { return vectors }
    var vectors = vectors
    if let deviations { vectors.scaleColumns(deviations) }
    return components.expand(vectors)
  }

  /// Vectors in the space of the item vectors, as they are in this space; the inverse of ``expand(_:)``.
  func coordinates(_ vectors: Matrix) -> Matrix {
    guard let components else { return vectors }
    var coordinates = components.coordinates(vectors)
    if let deviations { coordinates.scaleColumns(deviations.map { 1 / $0 }) }
    return coordinates
  }

  /// Rows that act on vectors of this space as rows that act on item vectors, shape `[K, D]`.
  func expandMap(_ map: Matrix) -> Matrix {
    guard let components else { return map }
    var map = map
    if let deviations { map.scaleColumns(deviations.map { 1 / $0 }) }
    return components.expand(map)
  }

  /// The inverse of ``expandMap(_:)``.
  func mapCoordinates(_ map: Matrix) -> Matrix {
    guard let components else { return map }
    var coordinates = components.coordinates(map)
    if let deviations { coordinates.scaleColumns(deviations) }
    return coordinates
  }

  /// The way into a whitened space and back, with code vectors of the space of the item vectors; nil where distances in both
  /// are the same.
  func network(_ codebooks: [Matrix]) -> CodeNetwork? {
    guard deviations != nil else { return nil }
    var identity = Matrix(rows: vectors.columns, columns: vectors.columns)
    for index in 0..<identity.rows { identity.values[index * identity.rows + index] = 1 }
    let map = { (weight: Matrix) in
      DenseLayers([
        DenseLayer(weight: weight, bias: Array(repeating: 0, count: weight.rows))
      ])
    }
    return CodeNetwork(
      encoder: map(expandMap(identity)), decoder: map(expand(identity).transposed),
      codebooks: codebooks.map(coordinates))
  }

  /// Code vectors of a level of an earlier tokenizer, in this space.
  ///
  /// The first level makes good for the move of the centre.
  func start(_ earlier: CodeEncoder, level: Int, size: Int) -> Matrix? {
    guard level < earlier.codebooks.count, earlier.codebooks[level].rows == size,
      earlier.center.count == center.count
    else { return nil }
    var codebook = earlier.codebooks[level]
    if level == 0 {
      let move = zip(center, earlier.center).map { $0 - $1 }
      subtract(move, fromRowsOf: &codebook, threads: 1)
    }
    return coordinates(codebook)
  }

  /// Codes without any level yet.
  ///
  /// - Parameters:
  ///   - levelSizes: the number of codes of each level.
  ///   - distances: one a level.
  ///   - threads: the largest number of threads.
  /// - Returns: the items, all with code 0.
  func emptyItems(
    _ levelSizes: [Int], _ distances: [CodeDistance], threads: Int
  ) -> TokenizedItems {
    let count = vectors.rows * levelSizes.count
    return TokenizedItems(
      levelSizes: levelSizes, codes: [UInt16](repeating: 0, count: count), codebooks: [],
      center: center, variance: meanSquaredLength(vectors, threads: threads), residuals: [],
      distances: distances)
  }
}

extension TokenizedItems {
  /// Adds the next level.
  mutating func append(_ found: KMeans, codebook: Matrix, residual: Double) {
    let level = codebooks.count
    for (item, code) in found.nearest.indices.enumerated() {
      codes[item * levelSizes.count + level] = UInt16(code)
    }
    codebooks.append(codebook)
    residuals.append(residual)
    fits.append(
      LevelFit(
        iterationCount: found.iterationCount, revivalCount: found.revivalCount,
        relocationCount: found.relocationCount))
  }

  /// Takes the codes that the encoder gives: distances in the space of the vectors are the same as in that of the
  /// search up to rounding, and the stored codebooks decide.
  ///
  /// - Parameters:
  ///   - vectors: the item vectors, row = item.
  ///   - space: the space of the search.
  ///   - threads: the largest number of threads.
  /// - Returns: the items with these codes and their errors.
  func encoded(_ vectors: Matrix, _ space: QuantizerSpace, threads: Int) -> TokenizedItems {
    var items = self
    items.network = space.network(codebooks)
    let encoding = items.encoder.encode(vectors, threads: threads)
    items.codes = encoding.codes
    items.visibleShare = space.visibleVariance / encoding.variance
    items.variance = encoding.variance
    items.residuals = encoding.residuals
    return items
  }
}

extension Matrix {
  /// Rows and columns exchanged.
  var transposed: Matrix {
    var result = Matrix(rows: columns, columns: rows)
    for row in 0..<rows {
      for column in 0..<columns {
        result.values[column * rows + row] = values[row * columns + column]
      }
    }
    return result
  }

  /// Multiplies each column by a number.
  fileprivate mutating func scaleColumns(_ factors: [Float]) {
    for row in 0..<rows {
      for (column, factor) in factors.enumerated() { values[row * columns + column] *= factor }
    }
  }
}
