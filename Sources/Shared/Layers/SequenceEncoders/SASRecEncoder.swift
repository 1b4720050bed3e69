public import Tape

/// The blocks of SASRec's published code (Kang and McAuley 2018), which both branches of H2Rec share (Part 2 (c)): post-normalised, the
/// residual being the normalised query.
public struct SASRecEncoder: SequenceEncoder {
  private struct Block {
    let queryGain, queryBias, query, queryOffset, keyValue, keyValueOffset: Parameter
    let output, outputOffset, feedGain, feedBias, inner, innerOffset, outer, outerOffset: Parameter
  }

  private let blocks: [Block]
  private let gain: Parameter
  private let bias: Parameter
  private let shape: AttentionShape

  /// Declares the parameters of all blocks, `encoder.…`.
  ///
  /// - Parameters:
  ///   - shape: sizes, mask and dropout.
  ///   - store: where the parameters are declared.
  public init(_ shape: AttentionShape, in store: ParameterStore) {
    let d = shape.dimension
    self.shape = shape
    blocks = (0..<shape.layerCount).map { number in
      let name = "encoder.\(number)"
      return Block(
        queryGain: store.add("\(name).query-norm.gain", 1, d, .one),
        queryBias: store.add("\(name).query-norm.bias", 1, d, .zero),
        query: store.addWeight("\(name).query.weight", d, d),
        queryOffset: store.add("\(name).query.bias", 1, d, .zero),
        keyValue: store.add(
          "\(name).key-value.weight", 2 * d, d, .xavier(fanIn: d, fanOut: 2 * d)),
        keyValueOffset: store.add("\(name).key-value.bias", 1, 2 * d, .zero),
        output: store.addWeight("\(name).output.weight", d, d),
        outputOffset: store.add("\(name).output.bias", 1, d, .zero),
        feedGain: store.add("\(name).feed-norm.gain", 1, d, .one),
        feedBias: store.add("\(name).feed-norm.bias", 1, d, .zero),
        inner: store.addWeight("\(name).feed-inner.weight", d, d),
        innerOffset: store.add("\(name).feed-inner.bias", 1, d, .uniform(fanIn: d)),
        outer: store.addWeight("\(name).feed-outer.weight", d, d),
        outerOffset: store.add("\(name).feed-outer.bias", 1, d, .uniform(fanIn: d)))
    }
    gain = store.add("encoder.norm.gain", 1, d, .one)
    bias = store.add("encoder.norm.bias", 1, d, .zero)
  }

  /// The last block asks only where its answer is read: a state that is not read costs no queries there, no attention and no
  /// feed-forward.
  public func encode(
    _ input: Tensor, sequences: PackedSequences, wholeStreams: Int, on tape: Tape,
    observe: AttentionObserver?
  ) -> Tensor {
    let streams = input.rows / sequences.tokenCount
    var x = input
    for (number, block) in blocks.enumerated() {
      let whole = number == blocks.count - 1 ? wholeStreams : streams
      x = encode(x, block, BlockReaders(sequences, streams: streams, whole: whole), tape, observe)
    }
    return tape.layerNorm(x, gain: gain, bias: bias)
  }

  private func encode(
    _ x: Tensor, _ block: Block, _ readers: BlockReaders, _ tape: Tape,
    _ observe: AttentionObserver?
  ) -> Tensor {
    let asked = readers.asked(of: x, on: tape)
    let normal = tape.layerNorm(asked, gain: block.queryGain, bias: block.queryBias)
    let query = tape.linear(normal, block.query, bias: block.queryOffset)
    let keyValue = tape.linear(x, block.keyValue, bias: block.keyValueOffset)
    observe?(query, keyValue)
    let attended = readers.attend(query, keyValue, shape, on: tape)
    let sum = tape.linearDropoutAdd(
      attended, block.output, bias: block.outputOffset, rate: 0, to: normal)
    let y = tape.layerNorm(sum, gain: block.feedGain, bias: block.feedBias)
    let inner = tape.linearReLUDropout(
      y, block.inner, bias: block.innerOffset, rate: shape.feedForwardDropout)
    return tape.linearDropoutAdd(
      inner, block.outer, bias: block.outerOffset, rate: shape.feedForwardDropout, to: y)
  }
}
