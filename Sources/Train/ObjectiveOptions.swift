public import ArgumentParser
public import Kernels
public import Model
import ShardIO

extension LossSettings.Targets: ExpressibleByArgument {}
extension ViewMaskStrategy: ExpressibleByArgument {}
extension CrossEntropy.Precision: ExpressibleByArgument {}

/// What is minimised.
struct ObjectiveOptions: ParsableArguments {
  enum Recommendation: String, CaseIterable, ExpressibleByArgument {
    case ce, bce, gbce
    case sampledSoftmax = "sampled-softmax"
  }

  enum Pairs: String, CaseIterable, ExpressibleByArgument {
    case ppmi, decay, none
  }

  @Option(
    help: """
      ce: softmax over the catalogue; sampled-softmax: over --negatives that a step shares, corrected for the sampling; \
      bce: binary, with --negatives for each position; gbce: the same, calibrated.
      """)
  var loss = Recommendation.ce

  @Option(
    help: """
      Inputs of the softmax's products: float32, or bfloat16 (about twice as fast where the processor has it).
      """)
  var precision = CrossEntropy.Precision.float32

  @Option(
    help: """
      Uniform negatives: for each position (bce, default 1; gbce, default 128) or for each step (sampled-softmax, default 2048).
      """)
  var negatives: Int?

  @Option(
    help: "Calibration of gbce, from 0 (bce with a mean over all terms) to 1; default 0.75.")
  var calibration: Double?

  @Option(help: "all: every position predicts its next item; last: only the last one.")
  var targets = LossSettings.Targets.all

  @Option(help: "Weight of the code-guided alignment (h2rec); 0 switches it off.")
  var alignmentWeight: Float = 0.1

  @Option(help: "Temperature of the alignment.")
  var alignmentTemperature: Float = 0.5

  @Option(help: "Most distinct items that take part in the alignment in a step.")
  var alignmentItems = 1024

  @Option(
    help: """
      Positives of the alignment besides equal codes, from train sequences: ppmi, decay (by distance), none.
      """)
  var pairs = Pairs.ppmi

  @Option(
    help: """
      Weight of the masked-granularity loss (h2rec with a cross-attention); 0 switches it off.
      """)
  var consistencyWeight: Float = 0.1

  @Option(help: "Temperature of the masked-granularity loss.")
  var consistencyTemperature: Float = 1

  @Option(
    help: "Levels that the masked-granularity loss hides: low or high gate weights, or random.")
  var viewMask = ViewMaskStrategy.low

  func validate() throws {
    guard CrossEntropy.isAvailable(precision) else {
      throw ValidationError("'--precision bfloat16' needs a processor with AVX-512 and bfloat16.")
    }
    if let negatives {
      try requireRange("negatives", negatives, 1...1_000_000)
      guard loss != .ce else {
        throw ValidationError("'--loss ce' has no use for '--negatives'; leave it out.")
      }
    }
    guard precision == .float32 || loss == .ce else {
      throw ValidationError("'--precision bfloat16' is for '--loss ce' alone.")
    }
    if let calibration {
      try requireRange("calibration", calibration, 0...1)
      guard loss == .gbce else {
        throw ValidationError("'--calibration' is for '--loss gbce' alone.")
      }
    }
    try requireRange("alignment-weight", alignmentWeight, 0...1000)
    try requireRange("alignment-temperature", alignmentTemperature, 0.02...100)
    try requireRange("alignment-items", alignmentItems, 2...16_384)
    try requireRange("consistency-weight", consistencyWeight, 0...1000)
    try requireRange("consistency-temperature", consistencyTemperature, 0.01...100)
  }

  private static let defaultCalibration = 0.75

  /// The number of negatives, or the default of the loss.
  private var negativeCount: Int {
    switch loss {
    case .ce: 0
    case .bce: negatives ?? 1
    case .gbce: negatives ?? 128
    case .sampledSoftmax: negatives ?? 2048
    }
  }

  private var recommendation: LossSettings.Recommendation {
    switch loss {
    case .ce: .crossEntropy
    case .bce: .binary(negativeCount: negativeCount)
    case .gbce:
      .calibratedBinary(
        negativeCount: negativeCount, calibration: calibration ?? Self.defaultCalibration)
    case .sampledSoftmax: .sampledSoftmax(negativeCount: negativeCount)
    }
  }

  /// The options as the model takes them.
  var losses: LossSettings {
    var losses = LossSettings()
    losses.recommendation = recommendation
    losses.precision = precision
    losses.targets = targets
    losses.alignmentWeight = alignmentWeight
    losses.alignmentTemperature = alignmentTemperature
    losses.alignmentItemLimit = alignmentItems
    losses.consistencyWeight = consistencyWeight
    losses.consistencyTemperature = consistencyTemperature
    losses.viewMask = viewMask
    return losses
  }

  /// The options as the manifest has them.
  var configuration: [String: JSONValue] {
    [
      "loss": JSONValue(loss.rawValue), "precision": JSONValue(precision.rawValue),
      "negatives": JSONValue(negativeCount),
      "calibration": loss == .gbce ? JSONValue(calibration ?? Self.defaultCalibration) : .null,
      "targets": JSONValue(targets.rawValue), "alignmentWeight": number(alignmentWeight),
      "alignmentTemperature": number(alignmentTemperature),
      "alignmentItems": JSONValue(alignmentItems), "pairs": JSONValue(pairs.rawValue),
      "consistencyWeight": number(consistencyWeight),
      "consistencyTemperature": number(consistencyTemperature),
      "viewMask": JSONValue(viewMask.rawValue),
    ]
  }
}

/// A float as the user wrote it, not as its nearest double.
func number(_ value: Float) -> JSONValue { JSONValue(Double("\(value)") ?? Double(value)) }
