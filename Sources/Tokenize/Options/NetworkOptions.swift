public import ArgumentParser
internal import CommandSupport
public import Numerics
internal import Quantizers
public import Tape

extension ProductPrecision: ExpressibleByArgument {}
extension QuantizerGradient: ExpressibleByArgument {}

/// How an autoencoder with residual codes learns.
struct NetworkOptions: ConfiguredOptions {
  @Option(
    help:
      "Widths of the encoder's hidden layers; the decoder has them in reverse. (default: 512,256)",
    transform: LayerWidths.init(parsing:))
  var hidden = LayerWidths([512, 256])

  @Option(help: "Width of the latent vectors that codes are chosen for.")
  var latent = 64

  @Option(help: "Largest number of passes over the items.")
  var epochs = 100

  @Option(help: "Epochs without a smaller loss after which learning ends; 0 for never.")
  var patience = 10

  @Option(help: "Items of a step.")
  var batchSize = 1024

  @Option(help: "Adam's step size.")
  var learningRate: Float = 1e-3

  @Option(help: "Weight of the latent vectors' commitment to their codes.")
  var commitment: Float = 0.25

  @Option(
    help: """
      Weight of a loss that pushes apart items of a step that differ and have equal codes; 0 for none.
      """)
  var uniqueness: Float = 0

  @Option(
    help: """
      Inputs of the layers' products while they are learned: float32, or bfloat16 (about twice as fast where the \
      processor has it).
      """)
  var precision = ProductPrecision.float32

  @Option(
    help: """
      How gradients get past the choice of codes: straight-through, or rotation (turned and scaled as the choice \
      does).
      """)
  var gradient = QuantizerGradient.straightThrough

  @Option(
    help: """
      Decay of moving averages that the code vectors follow, for example 0.99; 0 learns them by gradient.
      """)
  var codebookDecay: Float = 0

  static var fields: [OptionField<Self>] {
    [
      .list("hidden", \.hidden), .integer("latent", \.latent, 1...65_536),
      .integer("epochs", \.epochs, 1...100_000), .integer("patience", \.patience, 0...100_000),
      .integer("batchSize", \.batchSize, 1...16_384),
      .number("learningRate", \.learningRate, 1e-12...1),
      .number("commitment", \.commitment, 0...1000), .number("uniqueness", \.uniqueness, 0...1000),
      .choice("precision", \.precision), .choice("gradient", \.gradient),
      .probability("codebookDecay", \.codebookDecay),
    ]
  }

  /// Refuses values out of range, and products that this processor does not have.
  func validate() throws {
    try validateRanges()
    guard precision.isAvailable else {
      throw ValidationError("'--precision bfloat16' needs a processor with AVX-512 and bfloat16.")
    }
  }

  /// The options as the network takes them.
  ///
  /// - Parameters:
  ///   - levelSizes: the codes of the levels that the network chooses.
  ///   - distances: what makes these the nearest, one a level.
  ///   - seed: the seed of the run.
  /// - Returns: the options.
  func resolved(
    levelSizes: [Int], distances: [CodeDistance], seed: UInt64
  ) -> AutoencoderOptions {
    var options = AutoencoderOptions(
      levelSizes: levelSizes, random: CounterRandom(seed: seed, stream: 1 << 32))
    options.isAngular = distances.map { $0 == .cosine }
    options.hiddenWidths = hidden.values
    options.latentWidth = latent
    options.epochCount = epochs
    options.patience = patience
    options.batchSize = batchSize
    options.learningRate = learningRate
    options.commitment = commitment
    options.uniqueness = uniqueness
    options.precision = precision
    options.passing = gradient
    if codebookDecay > 0 { options.update = .movingAverage(decay: codebookDecay) }
    return options
  }
}

/// What the codes of an autoencoder are taught about the categories of the items (HiD-VAE).
struct CategoryOptions: ConfiguredOptions {
  @Option(
    help: """
      Weight of a loss that has the first code tell the category, the first two codes the one below it, and so \
      on; 0 for none.
      """)
  var supervision: Float = 0

  @Option(
    help: """
      Weight of a loss that draws what the first code stands for towards the mean vector of the item's category, \
      what the first two stand for towards that of the one below it, and so on; 0 for none.
      """)
  var tagAlignment: Float = 0

  static var fields: [OptionField<Self>] {
    [
      .number("supervision", \.supervision, 0...1000),
      .number("tagAlignment", \.tagAlignment, 0...1000),
    ]
  }

  func validate() throws { try validateRanges() }
}
