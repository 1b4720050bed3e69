internal import Kernels

// N items, D width of their vectors, M levels, K codes of a level, P width of the quantiser's space.

/// How codes are learned.
enum QuantizerMethod: String, Sendable, CaseIterable {
  /// Residual k-means: each level clusters what the levels before left.
  case residual = "rq-kmeans"
  /// Product quantisation: each level clusters its own part of the coordinates.
  case product = "pq"
  /// Product quantisation after a rotation that suits it.
  case optimizedProduct = "opq"
  /// Each level clusters the whole vectors, from a start of its own.
  case parallel = "vq"
}

/// What to learn.
struct QuantizerOptions: Sendable, Equatable {
  /// The number of codes of each level, coarsest first.
  var levelSizes: [Int]
  /// The number of principal components P the vectors are reduced to; 0 quantises them as they are.
  var componentCount: Int
  /// The largest number of k-means iterations a level.
  var iterationCount: Int
  var seed: UInt64
  var method = QuantizerMethod.residual
  /// One a level; only residual k-means knows others than l2.
  var distances: [CodeDistance]
  /// The number of k-means searches a level; the best one counts.
  var restartCount = 1
  /// The items that most iterations look at; 0 for all.
  var sampleSize = 0
  /// Whether codes are moved towards equal use.
  var isBalanced = false
  /// An earlier tokenizer to start from, with the same width; levels of another size start afresh.
  var start: CodeEncoder?

  init(levelSizes: [Int], componentCount: Int, iterationCount: Int, seed: UInt64) {
    self.levelSizes = levelSizes
    self.componentCount = componentCount
    self.iterationCount = iterationCount
    self.seed = seed
    distances = levelSizes.map { _ in .l2 }
  }

  /// How the codes of a level are looked for.
  func search(level: Int) -> KMeansOptions {
    var search = KMeansOptions(
      clusterCount: levelSizes[level], iterationCount: iterationCount,
      random: CounterRandom(seed: seed, stream: UInt64(level)))
    search.restartCount = restartCount
    search.sampleSize = sampleSize
    search.isBalanced = isBalanced
    return search
  }
}

/// Learns codes.
///
/// - Parameters:
///   - vectors: shape `[N, D]`, not all equal, N at least the largest level size; used up.
///   - options: what to learn.
///   - threads: the largest number of threads; the result does not depend on it.
///   - progress: called before each level with its number.
/// - Returns: codes and codebooks in the space of the vectors, also when the search ran on principal components. The
///   codes are those that the items' ``TokenizedItems/encoder`` gives.
func quantize(
  _ vectors: consuming Matrix, _ options: QuantizerOptions, threads: Int,
  progress: (Int) -> Void = { _ in }
) -> TokenizedItems {
  let isReduced = options.componentCount > 0 && options.componentCount < vectors.columns
  guard isReduced || options.method != .residual else {
    // The vectors become the residuals in place: no second copy of them.
    var space = QuantizerSpace(centering: consume vectors, threads: threads)
    return fitResidual(&space, options, threads, progress)
  }
  var space =
    isReduced
    ? QuantizerSpace(projecting: copy vectors, count: options.componentCount, threads: threads)
    : QuantizerSpace(centering: copy vectors, threads: threads)
  var items =
    switch options.method {
    case .residual: fitResidual(&space, options, threads, progress)
    case .product, .optimizedProduct: fitProduct(&space, options, threads, progress)
    case .parallel: fitParallel(&space, options, threads, progress)
    }
  items.isParallel = options.method == .parallel
  // Distances in the space of the vectors are the same up to rounding; the stored codebooks decide.
  let encoding = items.encoder.encode(vectors, threads: threads)
  items.codes = encoding.codes
  items.visibleShare = items.variance / encoding.variance
  items.variance = encoding.variance
  items.residuals = encoding.residuals
  return items
}

/// The centred vectors, in all their coordinates or in the leading principal ones.
struct QuantizerSpace {
  /// Shape `[N, P]`.
  var vectors: Matrix
  let center: [Float]
  private let components: PrincipalComponents?

  init(centering vectors: consuming Matrix, threads: Int) {
    center = columnMeans(copy vectors, threads: threads)
    components = nil
    var centred = consume vectors
    subtract(center, fromRowsOf: &centred, threads: threads)
    self.vectors = centred
  }

  init(projecting vectors: Matrix, count: Int, threads: Int) {
    let found = PrincipalComponents(vectors, count: count, threads: threads)
    center = found.mean
    self.vectors = found.project(vectors, threads: threads)
    components = found
  }

  /// Code vectors in the space of the item vectors, shape `[K, D]`.
  func expand(_ codebook: Matrix) -> Matrix { components?.expand(codebook) ?? codebook }

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
    return components?.coordinates(codebook) ?? codebook
  }

  /// Codes without any level yet.
  func emptyItems(_ options: QuantizerOptions, threads: Int) -> TokenizedItems {
    let count = vectors.rows * options.levelSizes.count
    return TokenizedItems(
      levelSizes: options.levelSizes, codes: [UInt16](repeating: 0, count: count), codebooks: [],
      center: center, variance: meanSquaredLength(vectors, threads: threads), residuals: [],
      distances: options.distances)
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
}
