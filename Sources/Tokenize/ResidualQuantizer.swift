internal import Kernels

// N items, D width of their vectors, M levels, K codes of a level, P width of the quantiser's space.

/// What to learn.
struct QuantizerOptions: Sendable, Equatable {
  /// The number of codes of each level, coarsest first.
  var levelSizes: [Int]
  /// The number of principal components P the vectors are reduced to; 0 quantises them as they are.
  var componentCount: Int
  /// The largest number of k-means iterations a level.
  var iterationCount: Int
  var seed: UInt64
  /// The number of k-means searches a level; the best one counts.
  var restartCount = 1
  /// The items that most iterations look at; 0 for all.
  var sampleSize = 0
  /// Whether codes are moved towards equal use.
  var isBalanced = false
  /// An earlier tokenizer to start from, with the same width; levels of another size start afresh.
  var start: CodeEncoder?
}

/// Learns codes level by level: each level clusters what the levels before it left over (k-means).
///
/// - Parameters:
///   - vectors: shape `[N, D]`, not all equal, N at least the largest level size; used up.
///   - options: what to learn.
///   - threads: the largest number of threads; the result does not depend on it.
///   - progress: called before each level with its number.
/// - Returns: codes and codebooks in the space of the vectors, also when the search ran on principal components. The
///   codes are those that ``CodeEncoder`` gives.
func quantize(
  _ vectors: consuming Matrix, _ options: QuantizerOptions, threads: Int,
  progress: (Int) -> Void = { _ in }
) -> TokenizedItems {
  guard options.componentCount > 0, options.componentCount < vectors.columns else {
    let center = columnMeans(copy vectors, threads: threads)
    var centred = consume vectors
    subtract(center, fromRowsOf: &centred, threads: threads)
    var space = QuantizerSpace(residuals: centred, center: center, components: nil)
    return fit(&space, options, threads, progress)
  }
  let components = PrincipalComponents(
    copy vectors, count: options.componentCount, threads: threads)
  var space = QuantizerSpace(
    residuals: components.project(copy vectors, threads: threads), center: components.mean,
    components: components)
  var items = fit(&space, options, threads, progress)
  // Distances in the space of the vectors are the same up to rounding; the stored codebooks decide.
  let encoding = CodeEncoder(codebooks: items.codebooks, center: items.center)
    .encode(vectors, threads: threads)
  items.codes = encoding.codes
  items.visibleShare = items.variance / encoding.variance
  items.variance = encoding.variance
  items.residuals = encoding.residuals
  return items
}

/// The centred vectors, in all their coordinates or in the leading principal ones.
private struct QuantizerSpace {
  /// What is left of the vectors, shape `[N, P]`.
  var residuals: Matrix
  let center: [Float]
  let components: PrincipalComponents?

  /// Code vectors of a level of an earlier tokenizer, in this space.
  ///
  /// The first level makes good for the move of the centre.
  func start(_ earlier: CodeEncoder, level: Int, size: Int) -> Matrix? {
    guard level < earlier.codebooks.count, earlier.codebooks[level].rows == size,
      earlier.center.count == center.count
    else { return nil }
    var vectors = earlier.codebooks[level]
    if level == 0 {
      let move = zip(center, earlier.center).map { $0 - $1 }
      subtract(move, fromRowsOf: &vectors, threads: 1)
    }
    return components?.coordinates(vectors) ?? vectors
  }
}

/// Clusters level by level; variance and residuals are those of the quantiser's space.
private func fit(
  _ space: inout QuantizerSpace, _ options: QuantizerOptions, _ threads: Int,
  _ progress: (Int) -> Void
) -> TokenizedItems {
  let levelCount = options.levelSizes.count
  let count = space.residuals.rows * levelCount
  var items = TokenizedItems(
    levelSizes: options.levelSizes, codes: [UInt16](repeating: 0, count: count), codebooks: [],
    center: space.center, variance: meanSquaredLength(space.residuals, threads: threads),
    residuals: [])
  for (level, size) in options.levelSizes.enumerated() {
    progress(level)
    var search = KMeansOptions(
      clusterCount: size, iterationCount: options.iterationCount,
      random: CounterRandom(seed: options.seed, stream: UInt64(level)))
    search.restartCount = options.restartCount
    search.sampleSize = options.sampleSize
    search.isBalanced = options.isBalanced
    search.start = options.start.flatMap { space.start($0, level: level, size: size) }
    // What was moved away would come back under another number.
    search.isRelocating = search.start == nil
    let found = KMeans(space.residuals, options: search, threads: threads)
    subtract(found.nearest.indices, of: found.centroids, from: &space.residuals, threads: threads)
    for (item, code) in found.nearest.indices.enumerated() {
      items.codes[item * levelCount + level] = UInt16(code)
    }
    items.codebooks.append(space.components?.expand(found.centroids) ?? found.centroids)
    items.residuals.append(meanSquaredLength(space.residuals, threads: threads))
    items.fits.append(
      LevelFit(
        iterationCount: found.iterationCount, revivalCount: found.revivalCount,
        relocationCount: found.relocationCount))
  }
  return items
}
