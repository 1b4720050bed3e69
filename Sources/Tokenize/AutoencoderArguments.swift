public import ArgumentParser
public import Numerics
internal import Quantizers
internal import ShardIO
internal import Tape

/// The options that say how `--quantizer rq-vae` learns; nil where the default holds.
struct AutoencoderArguments: ParsableArguments {
  @Flag(
    help: """
      Have k-means on the vectors give the first code, and the autoencoder the codes of what that leaves; the options of k-means \
      are for that level then.
      """)
  var coarse = false

  @Option(
    help:
      "Widths of the encoder's hidden layers; the decoder has them in reverse. (default: 512,256)",
    transform: LayerWidths.init(parsing:))
  var hidden: LayerWidths?

  @Option(help: "Width of the latent vectors that codes are chosen for. (default: 64)")
  var latent: Int?

  @Option(help: "Largest number of passes over the items. (default: 100)")
  var epochs: Int?

  @Option(
    help: "Epochs without a smaller loss after which learning ends; 0 for never. (default: 10)")
  var patience: Int?

  @Option(help: "Items of a step. (default: 1024)")
  var batchSize: Int?

  @Option(help: "Adam's step size. (default: 0.001)")
  var learningRate: Float?

  @Option(help: "Weight of the latent vectors' commitment to their codes. (default: 0.25)")
  var commitment: Float?

  @Option(
    help: """
      Weight of a loss that pushes apart items of a step that differ and have equal codes; 0 for none. (default: 0)
      """)
  var uniqueness: Float?

  @Option(
    help: """
      Weight of a loss that has the first code tell the category, the first two codes the one below it, and so \
      on; 0 for none. (default: 0)
      """)
  var supervision: Float?

  @Option(
    help: """
      Weight of a loss that draws what the first code stands for towards the mean vector of the item's category, \
      what the first two stand for towards that of the one below it, and so on; 0 for none. (default: 0)
      """)
  var tagAlignment: Float?

  @Option(
    help: """
      Inputs of the layers' products while they are learned: float32, or bfloat16 (about twice as fast where the       processor has it). (default: float32)
      """)
  var precision: ProductPrecision?

  @Option(
    help: """
      How gradients get past the choice of codes: straight-through, or rotation (turned and scaled as the choice \
      does). (default: straight-through)
      """, transform: QuantizerGradient.init(parsing:))
  var gradient: QuantizerGradient?

  @Option(
    help: """
      Decay of moving averages that the code vectors follow, for example 0.99; 0 learns them by gradient. (default: 0)
      """)
  var codebookDecay: Float?

  /// The options that were given, by name.
  private var given: [String] {
    let options: [(name: String, value: Any?)] = [
      ("hidden", hidden), ("latent", latent), ("epochs", epochs), ("patience", patience),
      ("batch-size", batchSize), ("learning-rate", learningRate), ("commitment", commitment),
      ("uniqueness", uniqueness), ("supervision", supervision),
      ("tag-alignment", tagAlignment), ("gradient", gradient), ("codebook-decay", codebookDecay),
      ("coarse", coarse ? true : nil), ("precision", precision),
    ]
    return options.filter { $0.value != nil }.map(\.name)
  }

  /// Refuses options that have no use or cannot work.
  ///
  /// - Throws: `ValidationError` that names the option.
  func validate(for method: QuantizerMethod) throws {
    guard method == .autoencoder else {
      guard let name = given.first else { return }
      throw ValidationError("'--\(name)' needs '--quantizer rq-vae'.")
    }
    guard precision?.isAvailable ?? true else {
      throw ValidationError("'--precision bfloat16' needs a processor with AVX-512 and bfloat16.")
    }
    for (name, value, range) in [
      ("latent", latent, 1...65_536), ("epochs", epochs, 1...100_000),
      ("patience", patience, 0...100_000), ("batch-size", batchSize, 1...16_384),
    ] {
      guard let value, !range.contains(value) else { continue }
      throw ValidationError(
        "'--\(name)' must be from \(range.lowerBound) to \(range.upperBound), not \(value).")
    }
    if let learningRate, !(learningRate > 0 && learningRate <= 1) {
      throw ValidationError("'--learning-rate' must be in (0, 1], not \(learningRate).")
    }
    for (name, value) in [
      ("commitment", commitment), ("uniqueness", uniqueness), ("supervision", supervision),
      ("tag-alignment", tagAlignment),
    ] {
      guard let value, !(value >= 0 && value <= 1000) else { continue }
      throw ValidationError("'--\(name)' must be in [0, 1000], not \(value).")
    }
    if let codebookDecay, !(codebookDecay >= 0 && codebookDecay < 1) {
      throw ValidationError("'--codebook-decay' must be in [0, 1), not \(codebookDecay).")
    }
  }

  /// Sets what was given, and the defaults of the rest.
  func apply(to options: inout AutoencoderOptions) {
    options.hiddenWidths = hidden?.values ?? options.hiddenWidths
    options.latentWidth = latent ?? options.latentWidth
    options.epochCount = epochs ?? options.epochCount
    options.patience = patience ?? 10
    options.batchSize = batchSize ?? options.batchSize
    options.learningRate = learningRate ?? options.learningRate
    options.commitment = commitment ?? options.commitment
    options.uniqueness = uniqueness ?? options.uniqueness
    options.supervision = supervision ?? options.supervision
    options.tagAlignment = tagAlignment ?? options.tagAlignment
    options.precision = precision ?? options.precision
    options.passing = gradient ?? options.passing
    if let codebookDecay, codebookDecay > 0 {
      options.update = .movingAverage(decay: codebookDecay)
    }
  }
}

extension AutoencoderOptions {
  /// The options as the manifest has them.
  var configuration: [String: JSONValue] {
    var members: [String: JSONValue] = [
      "hidden": .array(hiddenWidths.map { JSONValue($0) }),
      "latent": JSONValue(latentWidth),
      "epochs": JSONValue(epochCount),
      "patience": JSONValue(patience),
      "batchSize": JSONValue(batchSize),
      "learningRate": JSONValue(Double(learningRate)),
      "commitment": JSONValue(Double(commitment)),
      "uniqueness": JSONValue(Double(uniqueness)),
      "supervision": JSONValue(Double(supervision)),
      "tagAlignment": JSONValue(Double(tagAlignment)),
      "precision": .string(precision.rawValue),
      "gradient": .string(passing.rawValue),
      "codebookDecay": 0,
    ]
    if case .movingAverage(let decay) = update {
      members["codebookDecay"] = JSONValue(Double(decay))
    }
    return members
  }
}

/// The widths of layers, from a list such as `512,256`.
struct LayerWidths: Sendable, Equatable {
  var values: [Int]

  /// Reads what the user wrote.
  ///
  /// - Throws: `ValidationError` that names the part that is wrong.
  init(parsing text: String) throws {
    values = try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let width = Int(part), (1...65_536).contains(width) else {
        throw ValidationError("'--hidden' lists widths from 1 to 65536, not '\(part.prefix(40))'.")
      }
      return width
    }
  }
}

extension ProductPrecision: ExpressibleByArgument {}

extension QuantizerGradient {
  /// Reads what the user wrote.
  ///
  /// - Throws: `ValidationError` that lists what there is.
  init(parsing text: String) throws {
    guard let gradient = QuantizerGradient(rawValue: text) else {
      throw ValidationError(
        "'--gradient' is straight-through or rotation, not '\(text.prefix(40))'.")
    }
    self = gradient
  }
}
