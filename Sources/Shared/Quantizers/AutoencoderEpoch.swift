internal import ShardIO

/// The means of a pass over the points, while the parameters moved.
public struct AutoencoderEpoch: Sendable, Equatable {
  /// The squared error of what the decoder makes of the codes, as a share of the variance of the points.
  public var reconstruction: Double
  /// The squared distances of the latent vectors to what their codes stand for, over all levels, a coordinate.
  public var quantization: Double
  /// The loss of different rows with equal codes, before its weight.
  public var uniqueness = 0.0
  /// The loss of the predicted tags in nats, added up over the levels, before its weight.
  public var supervision = 0.0
  /// The loss of the alignment with the vectors of the tags in nats, added up over the levels, before its weight.
  public var tagAlignment = 0.0
  /// All losses with their weights.
  public var total: Double
  /// The codes that were given new places after the epoch because no item had chosen them.
  public var revivedCount = 0
}

extension AutoencoderEpoch {
  /// Where the training log has the codes that were revived.
  static let revivalsKey = "revivals"

  /// The figures of a line of the training log; a loss that was not computed is 0.
  init(_ line: [String: JSONValue]) {
    func number(_ key: String) -> Double { line[key]?.numberValue ?? 0 }
    self.init(
      reconstruction: number("reconstruction"), quantization: number("quantization"),
      uniqueness: number("uniqueness"), supervision: number("supervision"),
      tagAlignment: number("tagAlignment"), total: number("total"),
      revivedCount: Int(number(Self.revivalsKey)))
  }

  /// The epochs of a training log.
  ///
  /// - Throws: `PipelineError` `.dataFormat` where a line is no JSON.
  static func epochs(log: [UInt8]) throws(PipelineError) -> [AutoencoderEpoch] {
    var epochs: [AutoencoderEpoch] = []
    for line in log.split(separator: 0x0A) {
      let value = try JSONValue(parsing: Array(line), path: "training-log.jsonl")
      epochs.append(AutoencoderEpoch(value.objectValue ?? [:]))
    }
    return epochs
  }
}
