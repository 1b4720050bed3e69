internal import Kernels

// N items, D width of their vectors, P width of the quantiser's space, Z of the latent space, M levels, K codes of a level.

/// Learns an autoencoder with residual codes, and gives the codes vectors among the item vectors.
///
/// A choice of codes is one among latent vectors, and what a code stands for depends on the codes before it. The code
/// vectors that the stages exchange are therefore the means, level by level, of what the levels before left of the item
/// vectors with a code: after the levels before, no others leave less. A code without items gets zeros.
///
/// Parameters are those of ``quantize``.
func fitAutoencoder(
  _ vectors: Matrix, _ options: QuantizerOptions, threads: Int, _ progress: (String) -> Void
) -> TokenizedItems {
  let space = QuantizerSpace(of: vectors, options, threads: threads)
  var learning = options.autoencoder
  learning.levelSizes = options.levelSizes
  learning.isAngular = options.distances.map { $0 == .cosine }
  let found = ResidualAutoencoder(
    space.vectors, options: learning, tags: options.tags,
    start: options.start.flatMap(space.network), threads: threads
  ) { epoch, losses in progress("epoch \(epoch), loss \(decimal(losses.total, 4))") }
  let network = space.expand(found)
  let encoder = CodeEncoder(
    codebooks: options.levelSizes.map { Matrix(rows: $0, columns: vectors.columns) },
    center: space.center, distances: options.distances, network: network)
  let codes = encoder.encode(vectors, threads: threads).codes
  var items = TokenizedItems(codes, levelSizes: options.levelSizes, vectors, threads: threads)
  items.distances = options.distances
  items.visibleShare = space.visibleVariance / items.variance
  items.decoderError =
    network.error(of: codes, vectors, center: items.center, threads: threads) / items.variance
  items.epochs = found.epochs
  items.network = network
  return items
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

  /// The network of an earlier tokenizer as an autoencoder of this space; nil where it has none.
  ///
  /// The outer layers make good for the move of the centre.
  func network(_ earlier: CodeEncoder) -> ResidualAutoencoder? {
    guard var encoder = earlier.network?.encoder, var decoder = earlier.network?.decoder,
      let codebooks = earlier.network?.codebooks, earlier.center.count == center.count
    else { return nil }
    let move = zip(center, earlier.center).map { $0 - $1 }
    let first = encoder.layers[0]
    for output in first.bias.indices {
      encoder.layers[0].bias[output] += zip(first.weight[row: output], move)
        .reduce(0) { $0 + $1.0 * $1.1 }
    }
    encoder.layers[0].weight = mapCoordinates(first.weight)
    let last = decoder.layers.count - 1
    let bias = zip(decoder.layers[last].bias, move).map { $0 - $1 }
    decoder.layers[last] = DenseLayer(
      weight: coordinates(decoder.layers[last].weight.transposed).transposed,
      bias: coordinates(Matrix(row: bias)).values)
    return ResidualAutoencoder(encoder: encoder, decoder: decoder, codebooks: codebooks)
  }
}

extension Matrix {
  /// A matrix of one row.
  fileprivate init(row: [Float]) {
    self.init(rows: 1, columns: row.count, values: row)
  }
}
