internal import Tape

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

  /// Encodes streams of the same sequences, one below the other.
  ///
  /// The last block asks only where its answer is read: a state that nobody reads costs no queries there, no attention and no
  /// feed-forward.
  ///
  /// - Parameters:
  ///   - input: `[streams · T, d]`.
  ///   - sequences: token ranges of the T tokens of one stream.
  ///   - wholeStreams: how many streams, from the first on, are read at every token; the others at the last of each sequence.
  ///   - tape: where the operations go.
  ///   - observe: called with the queries of each block, one row for each that is asked, and with its keys, `[streams · T, 2d]` of
  ///     which the first d columns are the keys.
  /// - Returns: `[wholeStreams · T + (streams − wholeStreams) · sequences, d]`, stream by stream.
  func encode(
    _ input: Tensor, sequences: PackedSequences, wholeStreams: Int, on tape: Tape,
    observe: ((_ queries: Tensor, _ keys: Tensor) -> Void)? = nil
  ) -> Tensor {
    let streams = input.rows / sequences.tokenCount
    var x = input
    for (number, block) in blocks.enumerated() {
      let whole = number == blocks.count - 1 ? wholeStreams : streams
      x = encode(x, block, Readers(sequences, streams: streams, whole: whole), tape, observe)
    }
    return tape.layerNorm(x, gain: gain, bias: bias)
  }

  /// The tokens of all streams whose states a block computes.
  private struct Readers {
    /// Sequences that are read at every token; they come first.
    let whole: PackedSequences
    /// Sequences that are read at their last tokens, counted from the first of them.
    let last: PackedSequences

    init(_ sequences: PackedSequences, streams: Int, whole: Int) {
      self.whole = sequences.repeated(whole)
      last = sequences.repeated(streams - whole)
    }

    /// Their rows among all tokens.
    var rows: [UInt32] {
      let count = UInt32(whole.tokenCount)
      return Array(0..<count) + last.lastTokens.map { count + $0 }
    }
  }

  private func encode(
    _ x: Tensor, _ block: Block, _ readers: Readers, _ tape: Tape,
    _ observe: ((_ queries: Tensor, _ keys: Tensor) -> Void)?
  ) -> Tensor {
    let asked = readers.last.count > 0 ? tape.rows(x, readers.rows) : x
    let normal = tape.layerNorm(asked, gain: block.queryGain, bias: block.queryBias)
    let query = tape.linear(normal, block.query, bias: block.queryOffset)
    let keyValue = tape.linear(x, block.keyValue, bias: block.keyValueOffset)
    observe?(query, keyValue)
    let attended = attend(query, keyValue, readers, tape)
    let sum = tape.linearDropoutAdd(
      attended, block.output, bias: block.outputOffset, rate: 0, to: normal)
    let y = tape.layerNorm(sum, gain: block.feedGain, bias: block.feedBias)
    let inner = tape.linearReLUDropout(
      y, block.inner, bias: block.innerOffset, rate: hyper.dropout.feedForward)
    return tape.linearDropoutAdd(
      inner, block.outer, bias: block.outerOffset, rate: hyper.dropout.feedForward, to: y)
  }

  private func attend(
    _ query: Tensor, _ keyValue: Tensor, _ readers: Readers, _ tape: Tape
  ) -> Tensor {
    let d = hyper.dimension
    let attended = tape.tensor(rows: query.rows, columns: d)
    let tokens = readers.whole.tokenCount
    if tokens > 0 {
      let seen = keyValue.slice(0..<tokens)
      tape.attention(
        q: AttentionInput(query.slice(0..<tokens)), k: AttentionInput(seen),
        v: AttentionInput(seen, column: d), sequences: readers.whole, heads: hyper.headCount,
        headWidth: d / hyper.headCount, causal: hyper.attention == .causal,
        rate: hyper.dropout.attention, into: attended.slice(0..<tokens))
    }
    if readers.last.count > 0 {
      let seen = keyValue.slice(tokens..<keyValue.rows)
      tape.attentionOfLast(
        q: AttentionInput(query.slice(tokens..<query.rows)), k: AttentionInput(seen),
        v: AttentionInput(seen, column: d), sequences: readers.last, heads: hyper.headCount,
        headWidth: d / hyper.headCount, rate: hyper.dropout.attention,
        into: attended.slice(tokens..<query.rows))
    }
    return attended
  }
}
