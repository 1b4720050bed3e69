internal import Clustering
internal import Numerics

// N items, P width of the quantiser's space, M levels, K codes of a level.

/// Clusters level by level what the levels before left over (residual k-means).
///
/// - Parameters:
///   - space: the vectors; what no level explains is left in it.
///   - options: what to learn.
///   - threads: the largest number of threads; the result does not depend on it.
///   - progress: called before each level.
/// - Returns: the codes; variance and residuals are those of the quantiser's space.
func fitResidual(
  _ space: inout QuantizerSpace, _ options: QuantizerOptions, _ threads: Int,
  _ progress: (String) -> Void
) -> TokenizedItems {
  var items = space.emptyItems(options, threads: threads)
  for (level, size) in options.levelSizes.enumerated() {
    progress("level \(level + 1)")
    var search = options.search(level: level)
    search.start = options.start.flatMap { space.start($0, level: level, size: size) }
    // What was moved away would come back under another number.
    search.isRelocating = search.start == nil
    let isAngular = options.distances[level] == .cosine
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

/// Clusters the whole vectors once for each level, from different starts (parallel vector quantisation).
///
/// Parameters and result are those of ``fitResidual``; a vector stands for the mean of its code vectors.
func fitParallel(
  _ space: inout QuantizerSpace, _ options: QuantizerOptions, _ threads: Int,
  _ progress: (String) -> Void
) -> TokenizedItems {
  var items = space.emptyItems(options, threads: threads)
  for level in options.levelSizes.indices {
    progress("level \(level + 1)")
    let found = KMeans(space.vectors, options: options.search(level: level), threads: threads)
    items.append(found, codebook: space.expand(found.centroids), residual: 0)
  }
  return items
}
