public import Tape

/// Sees the queries of each block of a sequence encoder, one row for each position that is asked, and its keys, `[streams · T, 2d]` of
/// which the first d columns are the keys.
public typealias AttentionObserver = (_ queries: Tensor, _ keys: Tensor) -> Void

/// A part of a model that turns the embedded items of histories into states.
public protocol SequenceEncoder: Sendable {
  /// Encodes streams of the same sequences, one below the other.
  ///
  /// - Parameters:
  ///   - input: `[streams · T, d]`.
  ///   - sequences: token ranges of the T tokens of one stream.
  ///   - wholeStreams: how many streams, from the first on, are read at every token; the others at the last of each sequence.
  ///   - tape: where the operations go.
  ///   - observe: sees the attention of every block; nil for nothing.
  /// - Returns: `[wholeStreams · T + (streams − wholeStreams) · sequences, d]`, stream by stream.
  func encode(
    _ input: Tensor, sequences: PackedSequences, wholeStreams: Int, on tape: Tape,
    observe: AttentionObserver?
  ) -> Tensor
}

/// Sizes, mask and dropout of an encoder of attention blocks.
public struct AttentionShape: Sendable, Equatable {
  /// The width of a state, d; a multiple of ``headCount``.
  public var dimension = 128
  /// The number of blocks.
  public var layerCount = 2
  /// The number of heads.
  public var headCount = 1
  /// Whether a position sees only itself and earlier ones.
  public var isCausal = true
  /// The dropout probability of the attention probabilities.
  public var attentionDropout: Float = 0
  /// The dropout probability of the feed-forward layers, after the inner and after the outer one.
  public var feedForwardDropout: Float = 0

  /// The defaults, without dropout.
  public init() {}
}
