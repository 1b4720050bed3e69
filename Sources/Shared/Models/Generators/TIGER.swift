public import ArgumentParser
public import CommandSupport
internal import Dataset
internal import Layers
internal import Numerics
public import ShardIO
internal import Tape

/// TIGER (Rajput and others 2023): an encoder over the digits of a history, and a decoder that makes those of the next item.
public enum TIGER: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "tiger"
  /// One line of help.
  public static let abstract =
    "TIGER: generates the semantic ID of the next item, digit by digit (Rajput et al. 2023)."

  /// How items are found.
  public enum Score: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// The best prefixes of each length go on.
    case beam
    /// All prefixes do, so that every item has its likelihood; for small catalogues.
    case exact
  }

  /// The options of TIGER; the defaults of the network are the published sizes.
  public struct Options: ModelOptions {
    @Option(help: "Width of tokens and states.")
    package var dimension = 128

    @Option(help: "Most recent items of a history that are read.")
    package var maxLength = 20

    @Option(help: "Blocks of the encoder, and of the decoder.")
    package var layers = 4

    @Option(help: "Attention heads.")
    package var heads = 6

    @Option(help: "Columns of a head.")
    package var headWidth = 64

    @Option(help: "Width of the inner layer of feed-forward networks.")
    package var feedForward = 1024

    @Option(help: "Dropout probability of tokens, attention and layers.")
    package var dropout: Float = 0.1

    @Option(help: "Prefixes that go on after each digit; no list is longer.")
    package var beam = 50

    @Option(
      help:
        "beam: the best prefixes go on; exact: all do, and lists have all items (small catalogues)."
    )
    package var score = Score.beam

    @Option(
      help:
        "Inputs of the products of layers: float32; bfloat16; auto: bfloat16 where the processor has it."
    )
    package var precision = PrecisionChoice.auto

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      [
        .integer("dimension", \.dimension, 2...4096, isStructural: true),
        .integer("maxLength", \.maxLength, 1...10_000, isStructural: true),
        .integer("layers", \.layers, 1...64, isStructural: true),
        .integer("heads", \.heads, 1...64, isStructural: true),
        .integer("headWidth", \.headWidth, 1...1024, isStructural: true),
        .integer("feedForward", \.feedForward, 1...65_536, isStructural: true),
        .probability("dropout", \.dropout), .integer("beam", \.beam, 1...100_000),
        .choice("score", \.score), .choice("precision", \.precision),
      ]
    }

    /// Refuses values out of range, and products that this processor lacks.
    public func validate() throws {
      try validateRanges()
      guard precision.resolved.isAvailable else {
        throw ValidationError("'--precision bfloat16' needs a processor with AVX-512 and bfloat16.")
      }
    }

    /// Puts what the processor decides in place of `auto`.
    public mutating func resolve(_ data: ModelData) {
      precision = precision.resolved == .bfloat16 ? .bfloat16 : .float32
    }
  }

  /// What the model reads besides the sequences.
  public static func needs(_ options: Options) -> ModelNeeds { [.codes] }

  /// Declares the parts and composes them.
  public static func build(
    _ options: Options, _ data: ModelData
  ) throws(PipelineError) -> CodeGenerator {
    guard let codes = data.codes else {
      throw PipelineError(.configuration, "the model 'tiger' needs item codes")
    }
    var shape = GeneratorShape()
    shape.dimension = options.dimension
    shape.headCount = options.heads
    shape.headWidth = options.headWidth
    shape.layerCount = options.layers
    shape.feedForwardWidth = options.feedForward
    shape.dropout = options.dropout
    return CodeGenerator(
      codes, shape, maxLength: options.maxLength,
      beamWidth: options.score == .exact ? codes.count : min(options.beam, codes.count),
      precision: options.precision.resolved)
  }
}
