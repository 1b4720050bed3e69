internal import ArgumentParser
internal import Clustering
internal import CommandSupport
internal import Numerics
internal import Page
internal import Quantizers
internal import ShardIO
internal import Training

// N items, D width of their vectors, P width of the quantiser's space, Z of the latent space, M levels, K codes of a level.

/// RQ-VAE: residual codes of the latent vectors of an autoencoder that is learned with them.
enum RQVAE: QuantizerRecipe {
  static let name = "rq-vae"
  static let abstract = "RQ-VAE: residual codes of the latent vectors of an autoencoder."

  struct Options: QuantizerOptions {
    @OptionGroup(title: "Codes") var codes: CodebookOptions
    @OptionGroup(title: "Codes") var distances: DistanceOptions
    @OptionGroup(title: "Autoencoder") var network: NetworkOptions
    @OptionGroup(title: "Categories") var categories: CategoryOptions
    @OptionGroup(title: "Checkpoints") var saving: CheckpointOptions

    static var fields: [OptionField<Self>] {
      CodebookOptions.fields.map { $0.lifted(\.codes) }
        + DistanceOptions.fields.map { $0.lifted(\.distances) }
        + NetworkOptions.fields.map { $0.lifted(\.network) }
        + CategoryOptions.fields.map { $0.lifted(\.categories) }
    }

    func validate() throws { try distances.validate(with: codes) }

    var checkpointing: CheckpointOptions? { saving }
  }

  static func stepCount(_ options: Options) -> Int { options.network.epochs }

  static func fit(
    _ vectors: consuming Matrix, _ options: Options, _ learning: Learning
  ) throws(PipelineError) -> TokenizedItems {
    let distances = options.distances.byLevel(options.codes)
    var network = options.network.resolved(
      levelSizes: options.codes.sizes, distances: distances, seed: learning.seed)
    network.supervision = options.categories.supervision
    network.tagAlignment = options.categories.tagAlignment
    return try fitAutoencoder(vectors, network, options.codes, distances, learning)
  }
}

/// RQ-VAE behind a coarse level (CART): k-means on the vectors gives the first code, the autoencoder the codes of what
/// that leaves.
enum CoarseRQVAE: QuantizerRecipe {
  static let name = "coarse-rq-vae"
  static let abstract = "A first code by k-means, then RQ-VAE codes of what it leaves."

  struct Options: QuantizerOptions {
    @OptionGroup(title: "Codes") var codes: CodebookOptions
    @OptionGroup(title: "Codes") var distances: DistanceOptions
    @OptionGroup(title: "k-means of the first level") var search: SearchOptions
    @OptionGroup(title: "Autoencoder of the other levels") var network: NetworkOptions
    @OptionGroup(title: "Checkpoints") var saving: CheckpointOptions

    static var fields: [OptionField<Self>] {
      CodebookOptions.fields.map { $0.lifted(\.codes) }
        + DistanceOptions.fields.map { $0.lifted(\.distances) }
        + SearchOptions.fields.map { $0.lifted(\.search) }
        + NetworkOptions.fields.map { $0.lifted(\.network) }
    }

    func validate() throws {
      guard codes.sizes.count > 1 else {
        throw ValidationError("'coarse-rq-vae' needs two levels or more in '--codebooks'.")
      }
      try distances.validate(with: codes)
      try search.validate(for: Array(codes.sizes.prefix(1)))
    }

    var checkpointing: CheckpointOptions? { saving }
  }

  static func stepCount(_ options: Options) -> Int { options.network.epochs }

  static func fit(
    _ vectors: consuming Matrix, _ options: Options, _ learning: Learning
  ) throws(PipelineError) -> TokenizedItems {
    let distances = options.distances.byLevel(options.codes)
    let coarse = CoarseLevel(copy vectors, options, learning)
    let network = options.network.resolved(
      levelSizes: Array(options.codes.sizes.dropFirst()),
      distances: Array(distances.dropFirst()), seed: learning.seed)
    return try fitAutoencoder(
      vectors, network, options.codes, distances, learning, after: coarse)
  }
}

/// Learns an autoencoder with residual codes, and gives the codes vectors among the item vectors.
///
/// A choice of codes is one among latent vectors, and what a code stands for depends on the codes before it. The code
/// vectors that the stages exchange are therefore the means, level by level, of what the levels before left of the item
/// vectors with a code: after the levels before, no others leave less. A code without items gets zeros. A coarse first
/// level has the code vectors of its k-means.
///
/// - Parameters:
///   - vectors: shape `[N, D]`.
///   - network: how the network learns the levels that it chooses.
///   - codes: all levels, and the space that they are learned in.
///   - distances: one a level.
///   - learning: seed, threads, start, categories and checkpoints.
///   - coarse: the level before those of the network; nil for none.
/// - Returns: the codes.
/// - Throws: `PipelineError` as ``QuantizerRecipe/fit(_:_:_:)``.
private func fitAutoencoder(
  _ vectors: Matrix, _ network: AutoencoderOptions, _ codes: CodebookOptions,
  _ distances: [CodeDistance], _ learning: Learning, after coarse: CoarseLevel? = nil
) throws(PipelineError) -> TokenizedItems {
  let threads = learning.threads
  let firstLevel = coarse == nil ? 0 : 1
  let space = QuantizerSpace(of: coarse?.rest ?? vectors, codes, threads: threads)
  let tags = try tags(of: network, codes, learning)
  // Until there is something to save, a signal ends the program at once.
  if learning.checkpoints != nil { StopRequest.watch() }
  defer { if learning.checkpoints != nil { StopRequest.endWatch() } }
  let found = try ResidualAutoencoder(
    space.vectors, options: network, tags: tags,
    start: learning.start.flatMap { space.autoencoder($0, firstLevel: firstLevel) },
    threads: threads, checkpoints: learning.checkpoints
  ) { epoch, losses in
    learning.progress("epoch \(epoch), loss \(decimal(losses.total, 4))")
  }
  var expanded = space.expand(found)
  if coarse != nil {
    // Encoders subtract nothing between the levels.
    expanded = expanded.moved(by: space.center.map { -$0 })
    expanded.firstLevel = firstLevel
  }
  let center = coarse?.level.center ?? space.center
  let first = coarse?.level.codebooks ?? []
  let encoder = CodeEncoder(
    codebooks: first
      + network.levelSizes.map { Matrix(rows: $0, columns: vectors.columns) },
    center: center, distances: distances, network: expanded)
  var items = TokenizedItems(
    encoder.encode(vectors, threads: threads).codes, levelSizes: codes.sizes, vectors,
    center: center, first: first, threads: threads)
  items.fits = coarse?.level.fits ?? []
  items.distances = distances
  let explained = coarse == nil ? 0 : items.variance - items.residuals[0]
  items.visibleShare = (explained + space.visibleVariance) / items.variance
  items.epochs = found.epochs
  items.network = expanded
  items.decoderError = items.encoder.decoderError(of: items.codes, vectors, threads: threads)
    .map { $0 / items.variance }
  return items
}

/// What the codes are to tell of the items; nil where no loss wants it.
private func tags(
  of network: AutoencoderOptions, _ codes: CodebookOptions, _ learning: Learning
) throws(PipelineError) -> AutoencoderTags? {
  guard network.needsTags else { return nil }
  guard
    let tags = AutoencoderTags(categories: learning.categories, levelCount: codes.sizes.count)
  else { throw .noCategories(learning.data) }
  return tags
}

/// A first level that clusters the vectors themselves, before the levels of an autoencoder.
private struct CoarseLevel {
  /// The codes, with their code vectors.
  let level: TokenizedItems
  /// What the level leaves of the vectors, shape `[N, D]`.
  let rest: Matrix

  init(_ vectors: Matrix, _ options: CoarseRQVAE.Options, _ learning: Learning) {
    var codes = options.codes
    codes.codebooks.values = Array(codes.sizes.prefix(1))
    // Distances to the code vectors are to be those that encoders see.
    codes.whiten = false
    level = fitResidual(
      vectors, codes, options.distances.byLevel(codes), options.search, learning)
    var rest = vectors
    subtract(level.center, fromRowsOf: &rest, threads: learning.threads)
    subtract(
      level.codes.map(UInt32.init), of: level.codebooks[0], from: &rest, threads: learning.threads)
    self.rest = rest
  }
}

extension QuantizerSpace {
  /// An autoencoder of this space as one of the space of the item vectors.
  func expand(_ found: ResidualAutoencoder) -> CodeNetwork {
    var (encoder, decoder) = (found.encoder, found.decoder)
    encoder.layers[0].weight = expandMap(encoder.layers[0].weight)
    let last = decoder.layers.count - 1
    decoder.layers[last] = DenseLayer(
      weight: expand(decoder.layers[last].weight.transposed).transposed,
      bias: expand(Matrix(row: decoder.layers[last].bias)).values)
    return CodeNetwork(encoder: encoder, decoder: decoder, codebooks: found.codebooks)
  }

  /// The network of an earlier tokenizer as an autoencoder of this space; nil where it has none for the same levels.
  ///
  /// The outer layers make good for the move of the centre.
  func autoencoder(_ earlier: CodeEncoder, firstLevel: Int) -> ResidualAutoencoder? {
    guard var network = earlier.network, network.firstLevel == firstLevel,
      earlier.center.count == center.count
    else { return nil }
    let earlierCenter = firstLevel == 0 ? earlier.center : center.map { _ in 0 }
    network = network.moved(by: zip(center, earlierCenter).map { $0 - $1 })
    network.encoder.layers[0].weight = mapCoordinates(network.encoder.layers[0].weight)
    let last = network.decoder.layers.count - 1
    let layer = network.decoder.layers[last]
    network.decoder.layers[last] = DenseLayer(
      weight: coordinates(layer.weight.transposed).transposed,
      bias: coordinates(Matrix(row: layer.bias)).values)
    return ResidualAutoencoder(
      encoder: network.encoder, decoder: network.decoder, codebooks: network.codebooks)
  }
}

extension Matrix {
  /// A matrix of one row.
  fileprivate init(row: [Float]) {
    self.init(rows: 1, columns: row.count, values: row)
  }
}
