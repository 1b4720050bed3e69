internal import Clustering
internal import CommandSupport
internal import Numerics
internal import Page
internal import Quantizers
internal import ShardIO
internal import Training

// N items, D width of their vectors, P width of the quantiser's space, Z of the latent space, M levels, K codes of a level.

/// Learns an autoencoder with residual codes, and gives the codes vectors among the item vectors.
///
/// A choice of codes is one among latent vectors, and what a code stands for depends on the codes before it. The code
/// vectors that the stages exchange are therefore the means, level by level, of what the levels before left of the item
/// vectors with a code: after the levels before, no others leave less. A code without items gets zeros. A coarse first
/// level has the code vectors of its k-means.
///
/// Parameters and errors are those of ``quantize``.
func fitAutoencoder(
  _ vectors: Matrix, _ options: QuantizerOptions, threads: Int, _ checkpoints: Checkpoints?,
  _ progress: (String) -> Void
) throws(PipelineError) -> TokenizedItems {
  let coarse =
    options.hasCoarseLevel ? try CoarseLevel(vectors, options, threads: threads, progress) : nil
  let firstLevel = coarse == nil ? 0 : 1
  let space = QuantizerSpace(of: coarse?.rest ?? vectors, options, threads: threads)
  var learning = options.autoencoder
  learning.levelSizes = Array(options.levelSizes[firstLevel...])
  learning.isAngular = options.distances[firstLevel...].map { $0 == .cosine }
  // Until there is something to save, a signal ends the program at once.
  if checkpoints != nil { StopRequest.watch() }
  defer { if checkpoints != nil { StopRequest.endWatch() } }
  let found = try ResidualAutoencoder(
    space.vectors, options: learning, tags: options.tags,
    start: options.start.flatMap { space.autoencoder($0, firstLevel: firstLevel) },
    threads: threads, checkpoints: checkpoints
  ) { epoch, losses in progress("epoch \(epoch), loss \(decimal(losses.total, 4))") }
  var network = space.expand(found)
  if coarse != nil {
    // Encoders subtract nothing between the levels.
    network = network.moved(by: space.center.map { -$0 })
    network.firstLevel = firstLevel
  }
  let center = coarse?.level.center ?? space.center
  let first = coarse?.level.codebooks ?? []
  let encoder = CodeEncoder(
    codebooks: first
      + learning.levelSizes.map { Matrix(rows: $0, columns: vectors.columns) },
    center: center, distances: options.distances, network: network)
  let codes = encoder.encode(vectors, threads: threads).codes
  var items = TokenizedItems(
    codes, levelSizes: options.levelSizes, vectors, center: center, first: first, threads: threads)
  items.fits = coarse?.level.fits ?? []
  items.distances = options.distances
  let explained = coarse == nil ? 0 : items.variance - items.residuals[0]
  items.visibleShare = (explained + space.visibleVariance) / items.variance
  items.epochs = found.epochs
  items.network = network
  items.decoderError = items.encoder.decoderError(of: codes, vectors, threads: threads)
    .map { $0 / items.variance }
  return items
}

/// A first level that clusters the vectors themselves, before the levels of an autoencoder.
private struct CoarseLevel {
  /// The codes, with their code vectors.
  let level: TokenizedItems
  /// What the level leaves of the vectors, shape `[N, D]`.
  let rest: Matrix

  init(
    _ vectors: Matrix, _ options: QuantizerOptions, threads: Int, _ progress: (String) -> Void
  ) throws(PipelineError) {
    var search = options
    search.method = .residual
    search.levelSizes = [options.levelSizes[0]]
    search.distances = [options.distances[0]]
    // Distances to the code vectors are to be those that encoders see.
    search.isWhitened = false
    level = try quantize(copy vectors, search, threads: threads, progress: progress)
    var rest = vectors
    subtract(level.center, fromRowsOf: &rest, threads: threads)
    subtract(level.codes.map(UInt32.init), of: level.codebooks[0], from: &rest, threads: threads)
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
