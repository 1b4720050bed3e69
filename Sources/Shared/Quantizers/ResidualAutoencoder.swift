public import Numerics
internal import Tape

// N points, D their width, Z width of the latent space, M levels, K codes of a level.

/// An autoencoder whose latent vectors are sums of code vectors, one a level.
///
/// Known as RQ-VAE (Zeghidour and others 2021; Lee and others 2022).
///
/// The encoder is a stack of affine maps with max(x, 0) between them, the decoder its mirror image. The loss is
/// `mean (decoder(sums) − x)² + (1 + commitment) · Σ over the levels of mean (code − rest)²`, the means over rows and
/// coordinates and the points scaled to a variance of 1 a coordinate; codes and rests learn from the second part in
/// turn, with the other one fixed.
/// Three losses may be added: one that pushes apart different points with equal codes, one that has the first codes predict tags,
/// and one that draws what they stand for towards the vectors of the tags.
/// The result depends on points and options alone, not on the number of threads.
public struct ResidualAutoencoder: Sendable, Equatable {
  /// From points to latent vectors; takes points as they are.
  public let encoder: DenseLayers
  /// From sums of code vectors to points.
  public let decoder: DenseLayers
  /// One `[K, Z]` matrix a level.
  public let codebooks: [Matrix]
  /// How the losses went; where the last one is not finite, learning failed there and nothing here is of use.
  public let epochs: [AutoencoderEpoch]

  /// Learns encoder, decoder and codebooks.
  ///
  /// - Parameters:
  ///   - points: shape `[N, D]`, N > 0, centred and not all zero.
  ///   - options: how to learn.
  ///   - tags: what the codes are to tell of the points, where `options.needsTags`.
  ///   - start: layers of the same widths to start from; random ones if nil.
  ///   - threads: the largest number of threads.
  ///   - progress: called after each epoch with its number from 1 and its losses.
  /// - Complexity: O(N · (parameters + ΣK · Z)) an epoch.
  public init(
    _ points: Matrix, options: AutoencoderOptions, tags: AutoencoderTags? = nil,
    start: ResidualAutoencoder? = nil, threads: Int,
    progress: (Int, AutoencoderEpoch) -> Void = { _, _ in }
  ) {
    let trainer = AutoencoderTrainer(points, options, tags: tags, threads: threads)
    trainer.initialize(start)
    epochs = trainer.run(progress)
    encoder = trainer.layers(of: trainer.layout.encoder, scalesInput: true)
    decoder = trainer.layers(of: trainer.layout.decoder, scalesInput: false)
    codebooks = options.levelSizes.indices.map { trainer.codebooks[level: $0] }
  }

  /// An autoencoder from its parts.
  ///
  /// - Parameters:
  ///   - encoder: from points to latent vectors.
  ///   - decoder: from latent vectors to points.
  ///   - codebooks: one a level, as wide as the latent vectors.
  public init(encoder: DenseLayers, decoder: DenseLayers, codebooks: [Matrix]) {
    precondition(encoder.outputWidth == decoder.inputWidth, "widths")
    self.encoder = encoder
    self.decoder = decoder
    self.codebooks = codebooks
    epochs = []
  }
}

/// Where the layers of an autoencoder are in the parameter block.
struct AutoencoderLayout {
  struct Layer {
    var weight: Parameter
    var bias: Parameter
  }

  private(set) var encoder: [Layer] = []
  private(set) var decoder: [Layer] = []
  /// What predicts the tags, one for each level of tags.
  private(set) var heads: [Layer] = []
  /// What takes the vectors of the tags to the latent space, one for each level of tags.
  private(set) var projections: [Layer] = []
  private(set) var count = 0

  init(pointWidth: Int, options: AutoencoderOptions, tagCounts: [Int]) {
    let widths = [pointWidth] + options.hiddenWidths + [options.latentWidth]
    encoder = zip(widths, widths.dropFirst()).map { append($0, $1) }
    decoder = zip(widths.reversed(), widths.reversed().dropFirst()).map { append($0, $1) }
    if options.supervision > 0 { heads = tagCounts.map { append(options.latentWidth, $0) } }
    if options.tagAlignment > 0 {
      projections = tagCounts.map { _ in append(pointWidth, options.latentWidth) }
    }
  }

  private mutating func append(_ input: Int, _ output: Int) -> Layer {
    let weight = Parameter(offset: count, rows: output, columns: input)
    count += (weight.count + 15) & ~15
    let bias = Parameter(offset: count, rows: 1, columns: output)
    count += (output + 15) & ~15
    return Layer(weight: weight, bias: bias)
  }
}
