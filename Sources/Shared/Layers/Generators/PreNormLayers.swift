internal import Tape

/// Attention on a normalised input with a residual, `x + dropout(W attention(norm(x)))` (Xiong and others 2020, pre-norm).
struct PreNormAttention: Sendable {
  private let gain, bias, query, queryBias, keyValue, keyValueBias, output, outputBias: Parameter
  private let shape: GeneratorShape

  /// Declares the parameters under a dotted path.
  init(_ name: String, _ shape: GeneratorShape, in store: ParameterStore) {
    let (d, w) = (shape.dimension, shape.attentionWidth)
    self.shape = shape
    gain = store.add("\(name).norm.gain", 1, d, .one)
    bias = store.add("\(name).norm.bias", 1, d, .zero)
    query = store.addWeight("\(name).query.weight", w, d)
    queryBias = store.add("\(name).query.bias", 1, w, .zero)
    keyValue = store.add("\(name).key-value.weight", 2 * w, d, .xavier(fanIn: d, fanOut: w))
    keyValueBias = store.add("\(name).key-value.bias", 1, 2 * w, .zero)
    output = store.addWeight("\(name).output.weight", d, w)
    outputBias = store.add("\(name).output.bias", 1, d, .zero)
  }

  /// The normalised input, `[T, d]`.
  func normalized(_ x: Tensor, on tape: Tape) -> Tensor {
    tape.layerNorm(x, gain: gain, bias: bias)
  }

  /// Keys and, beside them, values of some rows, `[T, 2w]`.
  func keyValues(_ rows: Tensor, on tape: Tape) -> Tensor {
    tape.linear(rows, keyValue, bias: keyValueBias)
  }

  /// Which rows see which.
  struct Ranges {
    /// Which rows ask in each sequence.
    var queries: PackedSequences
    /// Which keys each sequence has.
    var keys: PackedSequences
    var mask = AttentionMask.bidirectional
    var bias: DistanceBias?
  }

  /// The rows with what they read added.
  ///
  /// - Parameters:
  ///   - x: the rows that ask, `[T, d]`.
  ///   - normal: the same normalised.
  ///   - keyValues: what they see, `[K, 2w]`.
  ///   - ranges: who sees what.
  ///   - tape: where the operations go.
  /// - Returns: `[T, d]`.
  func attend(
    _ x: Tensor, normal: Tensor, keyValues: Tensor, _ ranges: Ranges, on tape: Tape
  ) -> Tensor {
    let asked = tape.linear(normal, query, bias: queryBias)
    let read = tape.attention(
      q: AttentionInput(asked), k: AttentionInput(keyValues),
      v: AttentionInput(keyValues, column: shape.attentionWidth), queries: ranges.queries,
      keys: ranges.keys, heads: shape.headCount, headWidth: shape.headWidth, mask: ranges.mask,
      bias: ranges.bias, rate: shape.dropout)
    return tape.linearDropoutAdd(read, output, bias: outputBias, rate: shape.dropout, to: x)
  }
}

/// A feed-forward network on a normalised input with a residual, `x + dropout(W dropout(relu(V norm(x))))`.
struct PreNormFeedForward: Sendable {
  private let gain, bias, inner, innerBias, outer, outerBias: Parameter
  private let dropout: Float

  /// Declares the parameters under a dotted path.
  init(_ name: String, _ shape: GeneratorShape, in store: ParameterStore) {
    let (d, f) = (shape.dimension, shape.feedForwardWidth)
    dropout = shape.dropout
    gain = store.add("\(name).norm.gain", 1, d, .one)
    bias = store.add("\(name).norm.bias", 1, d, .zero)
    inner = store.addWeight("\(name).inner.weight", f, d)
    innerBias = store.add("\(name).inner.bias", 1, f, .zero)
    outer = store.addWeight("\(name).outer.weight", d, f)
    outerBias = store.add("\(name).outer.bias", 1, d, .zero)
  }

  /// The rows with the network's answer added, `[T, d]`.
  func apply(_ x: Tensor, on tape: Tape) -> Tensor {
    let normal = tape.layerNorm(x, gain: gain, bias: bias)
    let hidden = tape.linearReLUDropout(normal, inner, bias: innerBias, rate: dropout)
    return tape.linearDropoutAdd(hidden, outer, bias: outerBias, rate: dropout, to: x)
  }
}
