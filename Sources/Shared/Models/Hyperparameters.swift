/// What determines the network: its form and its sizes.
///
/// The defaults are those of `h2rec-train`.
public struct Hyperparameters: Sendable, Equatable {
  /// Which branches read the history.
  public enum Architecture: String, Sendable, CaseIterable {
    /// Hash IDs and semantic IDs (H2Rec).
    case h2rec
    /// Hash IDs alone: SASRec (Kang and McAuley 2018) with the block of the published code.
    case sasrec
    /// Semantic IDs alone.
    case sid
  }

  /// What stands around the cross-attention between the branches.
  public enum Cross: String, Sendable, CaseIterable {
    /// No cross-attention: two independent branches with one encoder.
    case none
    /// As published: the attention output replaces the token's own vector.
    case plain
    /// The attention output is added to the token's own vector.
    case residual
    /// Residual, the output multiplied by a learned scalar for each path that starts at 0.
    case scaled
  }

  /// How the granularities of a semantic ID are weighted.
  public enum Gate: String, Sendable, CaseIterable {
    /// From the hash vector of each position.
    case position
    /// From the hash vector of the last position, for the whole sequence (as published; needs `targets last`).
    case user
    /// Learned weights, the same everywhere.
    case `static`
    /// Equal weights.
    case mean
  }

  /// What a position sees.
  public enum AttentionMask: String, Sendable, CaseIterable {
    /// Itself and earlier positions.
    case causal
    /// The whole sequence (needs `targets last`, or the target would be visible).
    case bidirectional
  }

  /// The branches.
  public var architecture = Architecture.h2rec
  /// Width d of a branch.
  public var dimension = 128
  /// The number of most recent items that are read, L.
  public var maxLength = 50
  /// Encoder blocks.
  public var layerCount = 2
  /// Heads of the encoder's attention.
  public var headCount = 1
  /// Heads of each cross-attention.
  public var crossHeadCount = 4
  /// Dropout in training, place by place.
  public var dropout = DropoutRates.uniform(0.5, gate: 0.1)
  /// The form of the cross-attention.
  public var cross = Cross.none
  /// The gate of the granularities; takes part where there is a cross-attention.
  public var gate = Gate.position
  /// What a position sees.
  public var attention = AttentionMask.causal
  /// Codes per level; empty for ``Architecture/sasrec``.
  public var levelSizes: [Int] = []

  /// The defaults.
  public init() {}

  /// The number of levels of a semantic ID, M.
  public var levelCount: Int { levelSizes.count }
  /// Whether items have rows of their own.
  public var hasHash: Bool { architecture != .sid }
  /// Whether items have semantic IDs.
  public var hasCodes: Bool { architecture != .sasrec }
  /// Whether the branches inform each other.
  public var hasCross: Bool { architecture == .h2rec && cross != .none }
  /// Floats in a state and in an item vector: d for each branch.
  public var stateWidth: Int { architecture == .h2rec ? 2 * dimension : dimension }
}

/// The shares of numbers that training sets to zero, each from 0 to below 1; scoring sets none to zero.
public struct DropoutRates: Sendable, Equatable {
  /// Of the inputs of the encoder and of the cross-attention: scaled rows plus positions.
  public var embedding: Float
  /// Of the attention probabilities of the encoder.
  public var attention: Float
  /// Of the feed-forward layers: after the inner layer and after the outer one.
  public var feedForward: Float
  /// Of the inner layer of the gate.
  public var gate: Float

  /// Rates of their own.
  public init(embedding: Float, attention: Float, feedForward: Float, gate: Float) {
    self.embedding = embedding
    self.attention = attention
    self.feedForward = feedForward
    self.gate = gate
  }

  /// The same rate in the three places of a branch, and another one in the gate.
  public static func uniform(_ rate: Float, gate: Float) -> DropoutRates {
    DropoutRates(embedding: rate, attention: rate, feedForward: rate, gate: gate)
  }
}
