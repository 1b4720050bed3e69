public import Losses
public import Numerics

/// The windows of a train history that are examples.
public enum HistoryWindows: Sendable {
  /// The most recent one.
  case last
  /// That one and those of the same length before it, so that every item but the first is a target once.
  case all
  /// For every item but the first a window that ends with it, its only target.
  case prefixes
}

/// How a model learns to predict the next item.
public struct NextItemLoss: Sendable {
  /// The loss of a position.
  public enum Form: Sendable, Equatable {
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

  /// The loss of a position.
  public var form = Form.crossEntropy
  /// The inputs of the products of the layers and of the losses.
  public var precision = ProductPrecision.float32
  /// Which positions predict.
  public var readout = Readout.all
  /// Which windows of a history are trained on.
  public var windows = HistoryWindows.last
  /// How negatives are drawn; nil for uniformly.
  public var sampler: ItemSampler?

  /// The defaults.
  public init() {}
}
