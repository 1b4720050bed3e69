public import Numerics

/// The objective `L = L_rec + a · L_CGA + b · L_MSG` (H2Rec, Part 1.4).
public struct LossSettings: Sendable, Equatable {
  /// The recommendation loss.
  public enum Recommendation: Sendable, Equatable {
    /// Softmax over the whole catalogue.
    case crossEntropy
    /// Binary cross entropy with negatives for each position.
    case binary(negativeCount: Int)
    /// The same, calibrated for the rate of sampling (gBCE).
    case calibratedBinary(negativeCount: Int, calibration: Double)
    /// Softmax over the target and negatives that the whole batch shares, corrected for the sampling.
    case sampledSoftmax(negativeCount: Int)

    /// Negatives that are drawn for each position, 0 where there are none or the batch shares them.
    public var negativesPerPosition: Int {
      switch self {
      case .binary(let count), .calibratedBinary(let count, _): count
      case .crossEntropy, .sampledSoftmax: 0
      }
    }
  }

  /// Which positions of a sequence predict.
  public enum Targets: String, Sendable, CaseIterable {
    /// Every position predicts its next item.
    case all
    /// Only the last one.
    case last
  }

  /// The recommendation loss.
  public var recommendation = Recommendation.crossEntropy
  /// ε, the share of a target that label smoothing spreads over the catalogue; for the softmax over it.
  public var labelSmoothing: Float = 0
  /// The inputs of the products of the layers and of the losses.
  public var precision = ProductPrecision.float32
  /// Which positions predict.
  public var targets = Targets.all
  /// a, the weight of the code-guided alignment.
  public var alignmentWeight: Float = 0.1
  /// τ of the alignment.
  public var alignmentTemperature: Float = 0.5
  /// The largest number of distinct items that take part in the alignment in a step.
  public var alignmentItemLimit = 1024
  /// b, the weight of the masked-granularity loss.
  public var consistencyWeight: Float = 0.1
  /// τ′ of the masked-granularity loss.
  public var consistencyTemperature: Float = 1
  /// Which levels the masked-granularity loss hides.
  public var viewMask = ViewMaskStrategy.low

  /// The defaults.
  public init() {}
}

/// The losses of a step, each before its weight, in nats.
public struct StepLosses: Sendable, Equatable {
  /// L_rec.
  public var recommendation = 0.0
  /// L_CGA, or nil where it takes no part.
  public var alignment: Double?
  /// L_MSG, or nil where it takes no part.
  public var consistency: Double?

  /// Zero losses.
  public init() {}

  /// The names that ``parts`` may have.
  public static let partNames: Set<String> = ["recommendation", "alignment", "consistency"]

  /// Names and values of the parts that take part.
  public var parts: [(name: String, value: Double)] {
    [("recommendation", recommendation)]
      + [("alignment", alignment), ("consistency", consistency)].compactMap { name, value in
        value.map { (name, $0) }
      }
  }
}

extension StepLosses {
  /// Losses from the names and values of their parts.
  public init(means: [String: Double]) {
    recommendation = means["recommendation"] ?? 0
    alignment = means["alignment"]
    consistency = means["consistency"]
  }
}
