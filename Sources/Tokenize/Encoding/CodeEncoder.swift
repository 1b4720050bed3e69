internal import Clustering
internal import Dataset
internal import Numerics
internal import Quantizers
internal import ShardIO

// N items, D width of their vectors, M levels.

/// What makes a code vector the nearest one.
enum CodeDistance: String, Sendable, CaseIterable {
  /// The Euclidean distance.
  case l2
  /// The angle.
  case cosine
}

/// A frozen tokenizer: gives any vector its codes.
struct CodeEncoder: Sendable, Equatable {
  /// One `[K, D]` matrix a level.
  let codebooks: [Matrix]
  let center: [Float]
  /// One a level.
  let distances: [CodeDistance]
  /// Whether every level sees the whole vector and a vector is the mean of its code vectors; else a level sees what the
  /// levels before left, and a vector is the sum.
  let isParallel: Bool
  /// The network whose latent vectors decide; nil where the vectors themselves do.
  let network: CodeNetwork?

  init(
    codebooks: [Matrix], center: [Float], distances: [CodeDistance]? = nil,
    isParallel: Bool = false, network: CodeNetwork? = nil
  ) {
    self.codebooks = codebooks
    self.center = center
    self.distances = distances ?? codebooks.map { _ in .l2 }
    self.isParallel = isParallel
    self.network = network
  }

  /// What came of some vectors.
  struct Encoding: Sendable, Equatable {
    /// Shape `[N, M]`.
    var codes: [UInt16]
    /// Squared distance of each vector from what its codes stand for, shape `[N]`.
    var errors: [Double]
    /// Mean squared length of the centred vectors.
    var variance: Double
    /// Mean squared length of what is left after each level.
    var residuals: [Double]
  }

  /// Takes the nearest code vector of each level.
  ///
  /// - Parameters:
  ///   - vectors: shape `[N, D]`, N > 0.
  ///   - threads: the largest number of threads; the result does not depend on it.
  /// - Returns: the codes; those of a vector do not depend on the other vectors.
  /// - Complexity: O(N · ΣK · D) time; copies 65,536 vectors at a time.
  func encode(_ vectors: Matrix, threads: Int) -> Encoding {
    var encoding = Encoding(
      codes: [], errors: [], variance: 0, residuals: codebooks.map { _ in 0 })
    for first in stride(from: 0, to: vectors.rows, by: Self.chunkRows) {
      append(vectors, first..<min(first + Self.chunkRows, vectors.rows), to: &encoding, threads)
    }
    encoding.variance /= Double(vectors.rows)
    for level in encoding.residuals.indices {
      encoding.residuals[level] /= Double(vectors.rows)
    }
    return encoding
  }

  /// The nearest code vectors of a level for what is left of some vectors.
  private func nearest(
    _ rest: Matrix, _ codebook: Matrix, level: Int, threads: Int
  ) -> [UInt32] {
    switch distances[level] {
    case .l2: NearestCentroids(of: rest, among: codebook, threads: threads).indices
    case .cosine:
      NearestCentroids(
        of: normalizedRows(rest), among: normalizedRows(codebook), threads: threads
      ).indices
    }
  }

  private static let chunkRows = 65_536

  private func append(
    _ vectors: Matrix, _ rows: Range<Int>, to encoding: inout Encoding, _ threads: Int
  ) {
    let columns = vectors.columns
    var rest = Matrix(
      rows: rows.count, columns: columns,
      values: Array(vectors.values[rows.lowerBound * columns..<rows.upperBound * columns]))
    subtract(center, fromRowsOf: &rest, threads: threads)
    let whole = isParallel ? rest : nil
    var latent: Matrix?
    let count = Double(rows.count)
    encoding.variance += count * meanSquaredLength(rest, threads: threads)
    var codes = [UInt16](repeating: 0, count: rows.count * codebooks.count)
    for level in codebooks.indices {
      if level == network?.firstLevel {
        latent = network?.encoder.apply(to: rest, threads: threads)
      }
      let chosen = network?.codebook(level: level) ?? codebooks[level]
      let indices = nearest(latent ?? whole ?? rest, chosen, level: level, threads: threads)
      if latent != nil, !isParallel { latent?.subtract(indices, of: chosen, threads: threads) }
      for (row, code) in indices.enumerated() {
        codes[row * codebooks.count + level] = UInt16(code)
      }
      if let whole {
        rest = whole.subtractingMean(of: codebooks[...level], codes, levelCount: codebooks.count)
      } else {
        subtract(indices, of: codebooks[level], from: &rest, threads: threads)
      }
      encoding.residuals[level] += count * meanSquaredLength(rest, threads: threads)
    }
    encoding.codes += codes
    encoding.errors += squaredLengths(rest, threads: threads).map(Double.init)
  }
}

extension Matrix {
  /// Takes from each row the row of a table.
  fileprivate mutating func subtract(_ indices: [UInt32], of table: Matrix, threads: Int) {
    Clustering.subtract(indices, of: table, from: &self, threads: threads)
  }

  /// What is left of vectors when the mean of their first code vectors is taken away.
  fileprivate func subtractingMean(
    of codebooks: ArraySlice<Matrix>, _ codes: [UInt16], levelCount: Int
  ) -> Matrix {
    var rest = self
    let share = 1 / Float(codebooks.count)
    for row in 0..<rows {
      for (level, codebook) in codebooks.enumerated() {
        let code = Int(codes[row * levelCount + level])
        for column in 0..<columns {
          rest.values[row * columns + column] -= share * codebook.values[code * columns + column]
        }
      }
    }
    return rest
  }
}

extension CodeEncoder {
  /// What a manifest says of a tokenizer besides its tables.
  private enum Key {
    static let distance = "distance"
    static let isParallel = "parallelCodes"
  }

  /// What a later run needs to know to encode with these codebooks, as a manifest has it.
  var configuration: [String: JSONValue] {
    [
      Key.distance: .array(distances.map { .string($0.rawValue) }),
      Key.isParallel: .bool(isParallel),
    ]
  }

  /// The tokenizer of an earlier run.
  ///
  /// - Parameters:
  ///   - codes: its codebooks.
  ///   - configuration: its ``configuration``; what it does not say is residual and Euclidean.
  ///   - network: its network, where it has one.
  init(
    _ codes: ItemCodes, configuration: [String: JSONValue] = [:], network: CodeNetwork? = nil
  ) {
    let names = configuration[Key.distance]?.arrayValue ?? []
    let distances = codes.levelSizes.indices.map { level in
      names.indices.contains(level)
        ? CodeDistance(rawValue: names[level].stringValue ?? "") ?? .l2 : .l2
    }
    self.init(
      codebooks: codes.codebookMatrices, center: codes.center, distances: distances,
      isParallel: configuration[Key.isParallel] == true, network: network)
  }
}
