public import ArgumentParser
public import CommandSupport
internal import Losses
public import Numerics
internal import ShardIO

extension Readout: ExpressibleByArgument {}
extension HashInitialization: ExpressibleByArgument {}

/// The inputs of products, or the best that the processor has.
public enum PrecisionChoice: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// bfloat16 where the processor multiplies it, float32 elsewhere; the quality is equal (Documentation/Speed.md).
  case auto
  /// 32-bit floats.
  case float32
  /// Inputs rounded to 16 bits, sums in 32.
  case bfloat16

  /// What runs on this processor.
  public var resolved: ProductPrecision {
    switch self {
    case .auto: .fastest
    case .float32: .float32
    case .bfloat16: .bfloat16
    }
  }
}

/// The loss of the next item, as options.
public struct NextItemLossOptions: ConfiguredOptions {
  /// The forms of the loss.
  public enum Form: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// By the size of the catalogue.
    case auto
    /// Softmax over the catalogue.
    case ce
    /// Binary cross entropy.
    case bce
    /// Calibrated binary cross entropy.
    case gbce
    /// Sampled softmax.
    case sampledSoftmax = "sampled-softmax"
  }

  /// The windows of a history that are trained on.
  public enum Windows: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// ``all`` where the most recent events are less than ``NextItemLossOptions/lastWindowShare`` of all, else ``last``.
    case auto
    /// The most recent events, as many as the model reads.
    case last
    /// Those, and before them windows of the same length, so that every event but the first is a target once.
    case all
    /// For every event but the first a window that ends with it, its only target.
    case prefixes
  }

  /// The largest catalogue for which `--loss auto` is the softmax over all of it; above, a step with the negatives of
  /// ``sampledNegatives`` takes less than half of the time at equal quality (Documentation/Speed.md).
  public static let fullSoftmaxItems = 12_288
  /// The share of the train events from which on `--windows auto` reads the most recent ones alone; below, every event
  /// (Documentation/Results.md, "Long histories").
  public static let lastWindowShare = 0.95
  /// The negatives of a step of the sampled softmax, unless said otherwise.
  public static let sampledNegatives = 4096

  @Option(
    help: """
      ce: softmax over the catalogue; sampled-softmax: over --negatives that a step shares, corrected for the sampling; \
      bce: binary, with --negatives for each position; gbce: the same, calibrated; auto: ce up to 12,288 items, \
      sampled-softmax above.
      """)
  package var loss = Form.auto

  @Option(
    help: """
      Inputs of the products of layers and losses: float32; bfloat16 (about twice as fast where the processor has \
      it); auto: bfloat16 where the processor has it. Sums, losses, parameters and what is stored stay float32.
      """)
  package var precision = PrecisionChoice.auto

  @Option(
    help: """
      Negatives: for each position (bce, default 1; gbce, default 128) or for each step (sampled-softmax, default 4096).
      """)
  package var negatives: Int?

  @Option(
    help: """
      Negatives are drawn in proportion to the train count (at least 1) of an item to this power; 0 for uniformly \
      (bce, sampled-softmax).
      """)
  package var negativesPower = 0.0

  @Option(
    help: "Calibration of gbce, from 0 (bce with a mean over all terms) to 1 (default: 0.75).")
  package var calibration: Float?

  @Option(help: "all: every position predicts its next item; last: only the last one.")
  package var targets = Readout.all

  @Option(
    help: """
      Windows of a train history longer than --max-length: last, its most recent events alone; all, every event, in windows \
      of that length; auto, all where the most recent events are less than 95 % of all; prefixes, a window for every \
      event but the first, which it ends with (needs --targets last).
      """)
  package var windows = Windows.auto

  /// The defaults.
  public init() {}

  /// The options that the manifest holds; what was chosen for `auto` is put in by ``resolve(_:maxLength:)``.
  public static var fields: [OptionField<Self>] {
    [
      .choice("loss", \.loss), .choice("precision", \.precision),
      .integer("negatives", \.negatives, 1...1_000_000, default: { $0.defaultNegatives }),
      .number("negativesPower", \.negativesPower, 0...4),
      .number("calibration", \.calibration, 0...1, default: { $0.loss == .gbce ? 0.75 : nil }),
      .choice("targets", \.targets), .choice("windows", \.windows),
    ]
  }

  /// Refuses values out of range and options that the form has no use for.
  public func validate() throws {
    try validateRanges()
    guard precision.resolved.isAvailable else {
      throw ValidationError("'--precision bfloat16' needs a processor with AVX-512 and bfloat16.")
    }
    try refuse(
      [("negatives", negatives != nil)], if: loss == .ce || loss == .auto,
      for: "--loss \(loss.rawValue)")
    try refuse(
      [("calibration", calibration != nil)], if: loss != .gbce, for: "--loss \(loss.rawValue)")
    guard windows != .prefixes || targets == .last else {
      throw ValidationError(
        "'--windows prefixes' makes every event the last one of a window; add '--targets last'.")
    }
    guard negativesPower == 0 || loss == .bce || loss == .sampledSoftmax else {
      throw ValidationError(
        "'--negatives-power' is for '--loss bce' and '--loss sampled-softmax' alone.")
    }
  }

  /// Nil where the form has none.
  private var defaultNegatives: Int? {
    switch loss {
    case .auto, .ce: nil
    case .bce: 1
    case .gbce: 128
    case .sampledSoftmax: Self.sampledNegatives
    }
  }

  /// Puts what this catalogue and this processor decide in place of `auto`.
  ///
  /// - Parameters:
  ///   - data: the catalogue and the lengths of the histories.
  ///   - maxLength: the most events of a history that the model reads.
  public mutating func resolve(_ data: ModelData, maxLength: Int) {
    if loss == .auto { loss = data.itemCount <= Self.fullSoftmaxItems ? .ce : .sampledSoftmax }
    if windows == .auto {
      windows = data.shareOfTargets(within: maxLength) < Self.lastWindowShare ? .all : .last
    }
    precision = precision.resolved == .bfloat16 ? .bfloat16 : .float32
  }

  /// The options as a model takes them.
  ///
  /// - Parameter trainCounts: how often each item occurs in train sequences; empty where nothing is trained.
  /// - Returns: the loss.
  func resolved(trainCounts: [UInt32]) -> NextItemLoss {
    var result = NextItemLoss()
    let count = negatives ?? defaultNegatives ?? 0
    result.form =
      switch loss {
      case .auto, .ce: .crossEntropy
      case .bce: .binary(negativeCount: count)
      case .gbce:
        .calibratedBinary(
          negativeCount: count,
          calibration: calibration.flatMap { Double("\($0)") } ?? 0.75)
      case .sampledSoftmax: .sampledSoftmax(negativeCount: count)
      }
    result.precision = precision.resolved
    result.readout = targets
    result.windows =
      switch windows {
      case .auto, .last: .last
      case .all: .all
      case .prefixes: .prefixes
      }
    if !trainCounts.isEmpty {
      result.sampler = ItemSampler(counts: trainCounts, power: negativesPower)
    }
    return result
  }
}

/// The sizes of an encoder of attention blocks, as options.
public struct AttentionOptions: ConfiguredOptions {
  /// What a position sees.
  public enum Mask: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// Itself and earlier positions.
    case causal
    /// The whole sequence.
    case bidirectional
  }

  @Option(help: "Width of each branch; a multiple of the numbers of heads.")
  package var dimension = 128

  @Option(help: "Most recent items of a history that are read.")
  package var maxLength = 50

  @Option(help: "Encoder blocks.")
  package var layers = 2

  @Option(help: "Attention heads of the encoder.")
  package var heads = 1

  @Option(help: "Dropout probability of embeddings, attention and feed-forward layers.")
  package var dropout: Float = 0.5

  @Option(help: "Dropout probability of the attention alone (default: that of --dropout).")
  package var attentionDropout: Float?

  @Option(help: "causal, or bidirectional (needs --targets last).")
  package var attention = Mask.causal

  /// The defaults.
  public init() {}

  /// One field for each option.
  public static var fields: [OptionField<Self>] {
    [
      .integer("dimension", \.dimension, 2...4096, isStructural: true),
      .integer("maxLength", \.maxLength, 1...10_000, isStructural: true),
      .integer("layers", \.layers, 1...64, isStructural: true),
      .integer("heads", \.heads, 1...64, isStructural: true),
      .probability("dropout", \.dropout),
      .probability("attentionDropout", \.attentionDropout, default: \.dropout),
      .choice("attention", \.attention, isStructural: true),
    ]
  }

  /// Refuses values out of range and widths that the heads do not divide.
  public func validate() throws {
    try validateRanges()
    guard dimension % heads == 0 else {
      throw ValidationError("'--dimension' must be a multiple of '--heads', not \(dimension).")
    }
  }

  /// Refuses a mask that shows every position its own target.
  func validate(with loss: NextItemLossOptions) throws {
    if loss.targets == .all, attention == .bidirectional {
      throw ValidationError(
        "'--attention bidirectional' shows every position its own target; add '--targets last'.")
    }
  }
}
