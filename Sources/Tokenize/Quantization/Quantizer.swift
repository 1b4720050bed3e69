internal import Clustering
internal import Numerics
internal import Quantizers
internal import ShardIO
internal import Training

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
  /// Residual codes of the latent vectors of an autoencoder that is learned with them.
  case autoencoder = "rq-vae"
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
  /// One a level; only rq-kmeans and rq-vae know others than l2.
  var distances: [CodeDistance]
  /// The number of k-means searches a level; the best one counts.
  var restartCount = 1
  /// The items that most iterations look at; 0 for all.
  var sampleSize = 0
  /// The items of an iteration of mini-batch k-means; 0 for iterations over all.
  var searchBatchSize = 0
  /// Whether codes are moved towards equal use.
  var isBalanced = false
  /// Whether the components are brought to a variance of 1 before.
  var isWhitened = false
  /// An earlier tokenizer to start from, with the same width; levels of another size start afresh.
  var start: CodeEncoder?
  /// Whether k-means gives the first codes of rq-vae, and the autoencoder those of what it leaves.
  var hasCoarseLevel = false
  /// How rq-vae learns; distances and level sizes are those above.
  var autoencoder: AutoencoderOptions
  /// What the codes of rq-vae are to tell of the items, row = item.
  var tags: AutoencoderTags?

  init(levelSizes: [Int], componentCount: Int, iterationCount: Int, seed: UInt64) {
    self.levelSizes = levelSizes
    self.componentCount = componentCount
    self.iterationCount = iterationCount
    self.seed = seed
    distances = levelSizes.map { _ in .l2 }
    autoencoder = AutoencoderOptions(
      levelSizes: levelSizes, random: CounterRandom(seed: seed, stream: 1 << 32))
  }

  /// The steps that are told to the progress: levels or epochs.
  var stepCount: Int { method == .autoencoder ? autoencoder.epochCount : levelSizes.count }

  /// How the codes of a level are looked for.
  func search(level: Int) -> KMeansOptions {
    var search = KMeansOptions(
      clusterCount: levelSizes[level], iterationCount: iterationCount,
      random: CounterRandom(seed: seed, stream: UInt64(level)))
    search.restartCount = restartCount
    search.sampleSize = sampleSize
    search.batchSize = searchBatchSize
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
///   - checkpoints: where the learning of an autoencoder goes on from and is saved to; nil for neither.
///   - progress: called at each step of learning with words about it.
/// - Returns: codes and codebooks in the space of the vectors, also when the search ran on principal components. The
///   codes are those that the items' ``TokenizedItems/encoder`` gives.
/// - Throws: `PipelineError` where an autoencoder diverges, or is stopped, and what reading and writing checkpoints throws.
func quantize(
  _ vectors: consuming Matrix, _ options: QuantizerOptions, threads: Int,
  checkpoints: Checkpoints? = nil, progress: (String) -> Void = { _ in }
) throws(PipelineError) -> TokenizedItems {
  if options.method == .autoencoder {
    return try fitAutoencoder(vectors, options, threads: threads, checkpoints, progress)
  }
  guard options.reducedWidth(vectors.columns) != nil || options.method != .residual else {
    // The vectors become the residuals in place: no second copy of them.
    var space = QuantizerSpace(centering: consume vectors, threads: threads)
    return fitResidual(&space, options, threads, progress)
  }
  var space = QuantizerSpace(of: copy vectors, options, threads: threads)
  var items =
    switch options.method {
    case .residual, .autoencoder: fitResidual(&space, options, threads, progress)
    case .product, .optimizedProduct: fitProduct(&space, options, threads, progress)
    case .parallel: fitParallel(&space, options, threads, progress)
    }
  items.isParallel = options.method == .parallel
  items.network = space.network(items.codebooks)
  // Distances in the space of the vectors are the same up to rounding; the stored codebooks decide.
  let encoding = items.encoder.encode(vectors, threads: threads)
  items.codes = encoding.codes
  items.visibleShare = space.visibleVariance / encoding.variance
  items.variance = encoding.variance
  items.residuals = encoding.residuals
  return items
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
