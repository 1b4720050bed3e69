public import Tape

/// The encoder of a generator: blocks in which every token of a history sees all others, with a learned bias by distance.
///
/// As in T5 (Raffel and others 2020), which TIGER trains from nothing; with layer normalisation, and with one bias for each distance
/// up to a reach in place of buckets.
public struct HistoryEncoder: Sendable {
  private let attentions: [PreNormAttention]
  private let networks: [PreNormFeedForward]
  private let gain, bias, distances: Parameter

  /// The farthest distance of two tokens that has a bias of its own.
  static let longestReach = 128

  /// Declares the parameters, `encoder.…`.
  ///
  /// - Parameters:
  ///   - shape: sizes and dropout.
  ///   - tokenLimit: the most tokens of a history.
  ///   - store: where the parameters are declared.
  public init(_ shape: GeneratorShape, tokenLimit: Int, in store: ParameterStore) {
    let reach = max(1, min(tokenLimit - 1, Self.longestReach))
    distances = store.add("encoder.distances", 2 * reach + 1, shape.headCount, .zero)
    attentions = (0..<shape.layerCount).map {
      PreNormAttention("encoder.\($0).attention", shape, in: store)
    }
    networks = (0..<shape.layerCount).map {
      PreNormFeedForward("encoder.\($0).feed-forward", shape, in: store)
    }
    gain = store.add("encoder.norm.gain", 1, shape.dimension, .one)
    bias = store.add("encoder.norm.bias", 1, shape.dimension, .zero)
  }

  /// The states of all tokens.
  ///
  /// - Parameters:
  ///   - tokens: embedded, `[T, d]`.
  ///   - sequences: token ranges of the histories.
  ///   - tape: where the operations go.
  /// - Returns: normalised states, `[T, d]`.
  public func encode(_ tokens: Tensor, sequences: PackedSequences, on tape: Tape) -> Tensor {
    let ranges = PreNormAttention.Ranges(
      queries: sequences, keys: sequences, bias: DistanceBias(distances))
    var x = tokens
    for (attention, network) in zip(attentions, networks) {
      let normal = attention.normalized(x, on: tape)
      x = attention.attend(
        x, normal: normal, keyValues: attention.keyValues(normal, on: tape), ranges, on: tape)
      x = network.apply(x, on: tape)
    }
    return tape.layerNorm(x, gain: gain, bias: bias)
  }
}
