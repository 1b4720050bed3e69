public import ArgumentParser
public import Models
public import Numerics
import ShardIO

extension LossSettings.Targets: ExpressibleByArgument {}
extension ProductPrecision: ExpressibleByArgument {}

/// What is minimised.
struct ObjectiveOptions: ParsableArguments {
  enum Recommendation: String, CaseIterable, ExpressibleByArgument {
    case ce, bce, gbce
    case sampledSoftmax = "sampled-softmax"
  }

  @Option(
    help: """
      ce: softmax over the catalogue; sampled-softmax: over --negatives that a step shares, corrected for the sampling; \
      bce: binary, with --negatives for each position; gbce: the same, calibrated.
      """)
  var loss = Recommendation.ce

  @Option(
    help: """
      Inputs of the products of layers and losses: float32, or bfloat16 (about twice as fast where the processor has \
      it); sums, losses, parameters and what is stored stay float32.
      """)
  var precision = ProductPrecision.float32

  @Option(
    help: """
      Negatives: for each position (bce, default 1; gbce, default 128) or for each step (sampled-softmax, default 2048).
      """)
  var negatives: Int?

  @Option(
    help: """
      Negatives are drawn in proportion to the train count (at least 1) of an item to this power; 0 for uniformly \
      (bce, sampled-softmax).
      """)
  var negativesPower = 0.0

  @Option(help: "Share of each target that is spread evenly over the catalogue (ce).")
  var labelSmoothing: Float = 0

  @Option(
    help: "Calibration of gbce, from 0 (bce with a mean over all terms) to 1; default 0.75.")
  var calibration: Double?

  @Option(help: "all: every position predicts its next item; last: only the last one.")
  var targets = LossSettings.Targets.all

  @OptionGroup var auxiliary: AuxiliaryOptions

  func validate() throws {
    guard precision.isAvailable else {
      throw ValidationError("'--precision bfloat16' needs a processor with AVX-512 and bfloat16.")
    }
    if let negatives {
      try requireRange("negatives", negatives, 1...1_000_000)
      guard loss != .ce else {
        throw ValidationError("'--loss ce' has no use for '--negatives'; leave it out.")
      }
    }
    if let calibration {
      try requireRange("calibration", calibration, 0...1)
      guard loss == .gbce else {
        throw ValidationError("'--calibration' is for '--loss gbce' alone.")
      }
    }
    try requireRange("negatives-power", negativesPower, 0...4)
    guard negativesPower == 0 || loss == .bce || loss == .sampledSoftmax else {
      throw ValidationError(
        "'--negatives-power' is for '--loss bce' and '--loss sampled-softmax' alone.")
    }
    try requireRate("label-smoothing", labelSmoothing)
    guard labelSmoothing == 0 || loss == .ce else {
      throw ValidationError("'--label-smoothing' is for '--loss ce' alone.")
    }
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
    losses.labelSmoothing = labelSmoothing
    losses.targets = targets
    auxiliary.apply(to: &losses)
    return losses
  }

  /// The options as the manifest has them.
  var configuration: [String: JSONValue] {
    let own: [String: JSONValue] = [
      "loss": JSONValue(loss.rawValue), "precision": JSONValue(precision.rawValue),
      "negatives": JSONValue(negativeCount), "negativesPower": JSONValue(negativesPower),
      "labelSmoothing": number(labelSmoothing),
      "calibration": loss == .gbce ? JSONValue(calibration ?? Self.defaultCalibration) : .null,
      "targets": JSONValue(targets.rawValue),
    ]
    return own.merging(auxiliary.configuration) { first, _ in first }
  }
}

/// A float as the user wrote it, not as its nearest double.
func number(_ value: Float) -> JSONValue { JSONValue(Double("\(value)") ?? Double(value)) }
