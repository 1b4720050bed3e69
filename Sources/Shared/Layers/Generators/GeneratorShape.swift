/// Sizes and dropout of the blocks of an encoder and of a decoder.
public struct GeneratorShape: Sendable, Equatable {
  /// The width of a state, d.
  public var dimension = 128
  /// The number of heads of each attention.
  public var headCount = 6
  /// The columns of a head; heads together may be wider or narrower than a state.
  public var headWidth = 64
  /// The blocks of the encoder, and of the decoder.
  public var layerCount = 4
  /// The width of the inner layer of a feed-forward network.
  public var feedForwardWidth = 1024
  /// The dropout probability of embeddings, attention and layers.
  public var dropout: Float = 0.1

  /// The sizes of TIGER (Rajput and others 2023, section 4.1).
  public init() {}

  /// The width of all heads together.
  var attentionWidth: Int { headCount * headWidth }
}
