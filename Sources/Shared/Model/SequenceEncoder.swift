internal import Kernels

/// The SASRec encoder that both branches share (H2Rec, Part 2 (c)): post-normalised blocks whose residual starts
/// from the normalised query, as in the published code.
struct SequenceEncoder {
  private struct Block {
    let queryGain, queryBias, query, queryOffset, keyValue, keyValueOffset: Parameter
    let output, outputOffset, feedGain, feedBias, inner, innerOffset, outer, outerOffset: Parameter
  }

  private let blocks: [Block]
  private let gain: Parameter
  private let bias: Parameter
  private let hyper: Hyperparameters

  init(_ hyper: Hyperparameters, layout: inout ParameterLayout) {
    let d = hyper.dimension
    self.hyper = hyper
    blocks = (0..<hyper.layerCount).map { number in
      let name = "encoder.\(number)"
      return Block(
        queryGain: layout.add("\(name).query-norm.gain", 1, d, .one),
        queryBias: layout.add("\(name).query-norm.bias", 1, d, .zero),
        query: layout.addWeight("\(name).query.weight", d, d),
        queryOffset: layout.add("\(name).query.bias", 1, d, .zero),
        keyValue: layout.add(
          "\(name).key-value.weight", 2 * d, d, .xavier(fanIn: d, fanOut: 2 * d)),
        keyValueOffset: layout.add("\(name).key-value.bias", 1, 2 * d, .zero),
        output: layout.addWeight("\(name).output.weight", d, d),
        outputOffset: layout.add("\(name).output.bias", 1, d, .zero),
        feedGain: layout.add("\(name).feed-norm.gain", 1, d, .one),
        feedBias: layout.add("\(name).feed-norm.bias", 1, d, .zero),
        inner: layout.addWeight("\(name).feed-inner.weight", d, d),
        innerOffset: layout.add("\(name).feed-inner.bias", 1, d, .uniform(fanIn: d)),
        outer: layout.addWeight("\(name).feed-outer.weight", d, d),
        outerOffset: layout.add("\(name).feed-outer.bias", 1, d, .uniform(fanIn: d)))
    }
    gain = layout.add("encoder.norm.gain", 1, d, .one)
    bias = layout.add("encoder.norm.bias", 1, d, .zero)
  }

  /// Encodes streams of the same sequences, one below the other: `[streams · T, d]` to the same shape.
  ///
  /// `observe` is called with the queries and the keys of each block, `[streams · T, d]` and `[streams · T, 2d]` of which the
  /// first d columns are the keys.
  func encode(
    _ input: Tensor, sequences: PackedSequences, on tape: Tape,
    observe: ((_ queries: Tensor, _ keys: Tensor) -> Void)? = nil
  ) -> Tensor {
    var x = input
    for block in blocks { x = encode(x, block, sequences, tape, observe) }
    return tape.layerNorm(x, gain: gain, bias: bias)
  }

  private func encode(
    _ x: Tensor, _ block: Block, _ sequences: PackedSequences, _ tape: Tape,
    _ observe: ((_ queries: Tensor, _ keys: Tensor) -> Void)?
  ) -> Tensor {
    let d = hyper.dimension
    let normal = tape.layerNorm(x, gain: block.queryGain, bias: block.queryBias)
    let query = tape.linear(normal, block.query, bias: block.queryOffset)
    let keyValue = tape.linear(x, block.keyValue, bias: block.keyValueOffset)
    observe?(query, keyValue)
    let attended = tape.attention(
      q: AttentionInput(query), k: AttentionInput(keyValue),
      v: AttentionInput(keyValue, column: d), sequences: sequences, heads: hyper.headCount,
      headWidth: d / hyper.headCount, causal: hyper.attention == .causal,
      rate: hyper.dropout.attention)
    let sum = tape.linearDropoutAdd(
      attended, block.output, bias: block.outputOffset, rate: 0, to: normal)
    let y = tape.layerNorm(sum, gain: block.feedGain, bias: block.feedBias)
    let inner = tape.linearReLUDropout(
      y, block.inner, bias: block.innerOffset, rate: hyper.dropout.feedForward)
    return tape.linearDropoutAdd(
      inner, block.outer, bias: block.outerOffset, rate: hyper.dropout.feedForward, to: y)
  }
}
