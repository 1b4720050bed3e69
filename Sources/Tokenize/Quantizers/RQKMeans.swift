internal import ArgumentParser
internal import Clustering
internal import CommandSupport
internal import Numerics
internal import ShardIO

// N items, P width of the quantiser's space, M levels, K codes of a level.

/// Residual k-means: each level clusters what the levels before left.
enum RQKMeans: QuantizerRecipe {
  static let name = "rq-kmeans"
  static let abstract = "Residual k-means: each level clusters what the levels before left."

  struct Options: QuantizerOptions {
    @OptionGroup(title: "Codes") var codes: CodebookOptions
    @OptionGroup(title: "Codes") var distances: DistanceOptions
    @OptionGroup(title: "k-means") var search: SearchOptions

    static var fields: [OptionField<Self>] {
      CodebookOptions.fields.map { $0.lifted(\.codes) }
        + DistanceOptions.fields.map { $0.lifted(\.distances) }
        + SearchOptions.fields.map { $0.lifted(\.search) }
    }

    func validate() throws {
      try distances.validate(with: codes)
      try search.validate(for: codes.sizes)
    }
  }

  static func fit(
    _ vectors: consuming Matrix, _ options: Options, _ learning: Learning
  ) throws(PipelineError) -> TokenizedItems {
    fitResidual(
      vectors, options.codes, options.distances.byLevel(options.codes), options.search, learning)
  }
}

/// Clusters level by level what the levels before left over.
///
/// - Parameters:
///   - vectors: shape `[N, D]`; used up.
///   - codes: the levels, and the space that they are learned in.
///   - distances: one a level.
///   - search: how each level is looked for.
///   - learning: seed, threads and start.
/// - Returns: the codes.
func fitResidual(
  _ vectors: consuming Matrix, _ codes: CodebookOptions, _ distances: [CodeDistance],
  _ search: SearchOptions, _ learning: Learning
) -> TokenizedItems {
  guard codes.reducedWidth(vectors.columns) != nil else {
    // The vectors become the residuals in place: no second copy of them.
    var space = QuantizerSpace(centering: consume vectors, threads: learning.threads)
    return fitResidual(&space, codes, distances, search, learning)
  }
  var space = QuantizerSpace(of: copy vectors, codes, threads: learning.threads)
  return fitResidual(&space, codes, distances, search, learning)
    .encoded(vectors, space, threads: learning.threads)
}

/// The levels in a space, in which what no level explains is left.
private func fitResidual(
  _ space: inout QuantizerSpace, _ codes: CodebookOptions, _ distances: [CodeDistance],
  _ search: SearchOptions, _ learning: Learning
) -> TokenizedItems {
  let threads = learning.threads
  var items = space.emptyItems(codes.sizes, distances, threads: threads)
  for (level, size) in codes.sizes.enumerated() {
    learning.progress("level \(level + 1)")
    var search = search.kMeans(level: level, size: size, seed: learning.seed)
    search.start = learning.start.flatMap { space.start($0, level: level, size: size) }
    // What was moved away would come back under another number.
    search.isRelocating = search.start == nil
    let isAngular = distances[level] == .cosine
    search.isSpherical = isAngular
    if isAngular { search.start = search.start.map(normalizedRows) }
    let found = KMeans(
      isAngular ? normalizedRows(space.vectors) : space.vectors, options: search, threads: threads)
    let codebook = isAngular ? scaled(found, space.vectors, threads: threads) : found.centroids
    subtract(found.nearest.indices, of: codebook, from: &space.vectors, threads: threads)
    items.append(
      found, codebook: space.expand(codebook),
      residual: meanSquaredLength(space.vectors, threads: threads))
  }
  return items
}

/// Directions at the length that explains most of the vectors assigned to them.
private func scaled(_ found: KMeans, _ vectors: Matrix, threads: Int) -> Matrix {
  let means = clusterMeans(
    vectors, found.nearest.indices, clusterCount: found.centroids.rows, threads: threads)
  var codebook = found.centroids
  for code in 0..<codebook.rows {
    let length = zip(means[row: code], codebook[row: code]).reduce(Float(0)) { $0 + $1.0 * $1.1 }
    for index in code * codebook.columns..<(code + 1) * codebook.columns {
      codebook.values[index] *= max(0, length)
    }
  }
  return codebook
}
