public import Numerics
public import ShardIO
internal import Tape
public import Training

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
  /// How the losses went.
  public let epochs: [AutoencoderEpoch]

  /// Learns encoder, decoder and codebooks.
  ///
  /// - Parameters:
  ///   - points: shape `[N, D]`, N > 0, centred and not all zero.
  ///   - options: how to learn.
  ///   - tags: what the codes are to tell of the points, where `options.needsTags`.
  ///   - start: layers of the same widths to start from; random ones if nil.
  ///   - threads: the largest number of threads.
  ///   - checkpoints: where learning goes on from and is saved to; nil for neither.
  ///   - progress: called after each epoch with its number from 1 and its losses.
  /// - Throws: `PipelineError`: `.internalError` when a loss or a parameter is no finite number; `.temporaryFailure` when the program
  ///   was asked to stop; what reading and writing checkpoints throws.
  /// - Complexity: O(N · (parameters + ΣK · Z)) an epoch.
  public init(
    _ points: Matrix, options: AutoencoderOptions, tags: AutoencoderTags? = nil,
    start: ResidualAutoencoder? = nil, threads: Int, checkpoints: Checkpoints? = nil,
    progress: (Int, AutoencoderEpoch) -> Void = { _, _ in }
  ) throws(PipelineError) {
    let model = AutoencoderModel(points, options, tags: tags, threads: threads)
    model.initialize(start)
    let loop = TrainingLoop(
      step: TrainingStep(model, model.stepSettings),
      examples: AutoencoderExamples(count: points.rows, random: options.random),
      validation: AutoencoderValidation(count: points.rows, weights: model.lossWeights),
      schedule: model.schedule)
    let outcome = try loop.run(isQuiet: true, checkpoints: checkpoints) { line in
      progress(Int(line["epoch"]?.integerValue ?? 0), AutoencoderEpoch(line))
    }
    epochs = try AutoencoderEpoch.epochs(log: outcome.log)
    encoder = model.denseLayers(model.layers.encoder, scalesInput: true)
    decoder = model.denseLayers(model.layers.decoder, scalesInput: false)
    codebooks = options.levelSizes.indices.map { model.codebooks[level: $0] }
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

extension AutoencoderModel {
  /// How a step is made.
  var stepSettings: TrainingStep<AutoencoderModel>.Settings {
    var settings = TrainingStep<AutoencoderModel>.Settings()
    settings.optimizer.rate = options.learningRate
    settings.precision = options.precision
    settings.microBatchTokens = Self.microBatchRows
    settings.threads = threads
    return settings
  }

  /// How long learning goes on.
  var schedule: TrainingSchedule {
    var schedule = TrainingSchedule()
    schedule.batchSize = options.batchSize
    schedule.epochs = options.epochCount
    schedule.patience = options.patience > 0 ? options.patience : .max
    schedule.keepsLast = true
    schedule.learningRate = options.learningRate
    return schedule
  }
}
