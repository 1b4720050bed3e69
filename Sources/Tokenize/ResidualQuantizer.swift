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
}

extension QuantizerOptions {
  /// How the codes of a level are looked for.
  fileprivate func search(level: Int) -> KMeansOptions {
    var search = KMeansOptions(
      clusterCount: levelSizes[level], iterationCount: iterationCount,
      random: CounterRandom(seed: seed, stream: UInt64(level)))
    search.restartCount = restartCount
    search.sampleSize = sampleSize
    search.isBalanced = isBalanced
    return search
  }
}

/// How the search of one level went.
struct LevelFit: Sendable, Equatable {
  var iterationCount: Int
  var revivalCount: Int
  var relocationCount: Int
  /// Mean squared length of what the levels so far leave of the vectors.
  var residual: Double
}

/// Item vectors as sums of one code vector a level.
struct ResidualCodes: Sendable, Equatable {
  var levelSizes: [Int]
  /// The code of each item at each level, shape `[N, M]`.
  var codes: [UInt16]
  /// One `[K, D]` matrix a level, in the space of the vectors minus ``center``.
  var codebooks: [Matrix]
  /// The mean of the vectors, shape `[D]`.
  var center: [Float]
  var levels: [LevelFit]
  /// Mean squared length of the centred vectors.
  var variance: Double
  /// The part of ``variance`` that the quantiser saw: all of it without principal components.
  var variancePreserved: Double

  /// Mean squared error of centre plus codes, as a share of the variance.
  var relativeError: Double {
    (variance - variancePreserved + (levels.last?.residual ?? variancePreserved)) / variance
  }
}

/// Learns codes level by level: each level clusters what the levels before it left over (k-means).
///
/// - Parameters:
///   - vectors: shape `[N, D]`, not all equal, N at least the largest level size; used up.
///   - options: what to learn.
///   - threads: the largest number of threads; the result does not depend on it.
///   - progress: called before each level with its number.
/// - Returns: codes and codebooks; the codebooks are in the space of the vectors, also when the search ran on
///   principal components.
func quantize(
  _ vectors: consuming Matrix, _ options: QuantizerOptions, threads: Int,
  progress: (Int) -> Void = { _ in }
) -> ResidualCodes {
  var space = QuantizerSpace(vectors, componentCount: options.componentCount, threads: threads)
  let itemCount = space.residuals.rows
  let levelCount = options.levelSizes.count
  var result = ResidualCodes(
    levelSizes: options.levelSizes, codes: [UInt16](repeating: 0, count: itemCount * levelCount),
    codebooks: [], center: space.center, levels: [], variance: space.variance,
    variancePreserved: meanSquaredLength(space.residuals, threads: threads))
  for level in 0..<levelCount {
    progress(level)
    let search = options.search(level: level)
    let clusters = KMeans(space.residuals, options: search, threads: threads)
    subtract(
      clusters.nearest.indices, of: clusters.centroids, from: &space.residuals, threads: threads)
    for (item, code) in clusters.nearest.indices.enumerated() {
      result.codes[item * levelCount + level] = UInt16(code)
    }
    result.codebooks.append(space.components?.expand(clusters.centroids) ?? clusters.centroids)
    result.levels.append(
      LevelFit(
        iterationCount: clusters.iterationCount, revivalCount: clusters.revivalCount,
        relocationCount: clusters.relocationCount,

        residual: meanSquaredLength(space.residuals, threads: threads)))
  }
  return result
}

/// The centred vectors, in all their coordinates or in the leading principal ones.
private struct QuantizerSpace {
  let center: [Float]
  let components: PrincipalComponents?
  let variance: Double
  /// Shape `[N, P]`.
  var residuals: Matrix

  init(_ vectors: consuming Matrix, componentCount: Int, threads: Int) {
    if componentCount > 0, componentCount < vectors.columns {
      let found = PrincipalComponents(copy vectors, count: componentCount, threads: threads)
      components = found
      center = found.mean
      variance = found.totalVariance
      residuals = found.project(vectors, threads: threads)
    } else {
      components = nil
      center = columnMeans(vectors, threads: threads)
      var centred = consume vectors
      subtract(center, fromRowsOf: &centred, threads: threads)
      variance = meanSquaredLength(centred, threads: threads)
      residuals = centred
    }
  }
}
