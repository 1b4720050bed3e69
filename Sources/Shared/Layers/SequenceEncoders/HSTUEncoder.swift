public import Tape

/// Hierarchical sequential transduction units (HSTU; Zhai and others 2024): attention with weights that are no shares, a bias by distance
/// in place of positions, and an element-wise gate in place of a feed-forward layer.
///
/// A block is `u, q, k, v = silu(W LN(x))`, `y = x + W_o drop(LN(Σ silu(q kᵀ + bias) / L · v) · u)`; a normalisation follows the last one.
public struct HSTUEncoder: SequenceEncoder {
  private struct Norm {
    let gain, bias: Parameter

    init(_ name: String, _ d: Int, in store: ParameterStore) {
      gain = store.add("\(name).gain", 1, d, .one)
      bias = store.add("\(name).bias", 1, d, .zero)
    }

    func apply(to x: Tensor, on tape: Tape) -> Tensor {
      tape.layerNorm(x, gain: gain, bias: bias)
    }
  }

  private struct Block {
    let inputNorm, attendedNorm: Norm
    let gateQuery, keyValue, output, outputBias: Parameter
    let bias: DistanceBias
  }

  private let blocks: [Block]
  private let norm: Norm
  private let shape: AttentionShape
  private let divisor: Float

  /// Declares the parameters, `encoder.…`.
  ///
  /// - Parameters:
  ///   - shape: sizes; the dropout of the feed-forward layers is that of what is gated, that of the attention is not used.
  ///   - reach: the largest distance with a bias of its own; longer ones have that of this one, and 0 makes all distances alike.
  ///   - length: L, what the weights are divided by: the most tokens of a sequence.
  ///   - store: where the parameters are declared.
  public init(_ shape: AttentionShape, reach: Int, length: Int, in store: ParameterStore) {
    let d = shape.dimension
    self.shape = shape
    divisor = Float(length)
    blocks = (0..<shape.layerCount).map { number in
      let name = "encoder.\(number)"
      return Block(
        inputNorm: Norm("\(name).input-norm", d, in: store),
        attendedNorm: Norm("\(name).attended-norm", d, in: store),
        gateQuery: store.add(
          "\(name).gate-query.weight", 2 * d, d, .xavier(fanIn: d, fanOut: d)),
        keyValue: store.add("\(name).key-value.weight", 2 * d, d, .xavier(fanIn: d, fanOut: d)),
        output: store.addWeight("\(name).output.weight", d, d),
        outputBias: store.add("\(name).output.bias", 1, d, .zero),
        bias: DistanceBias(
          store.add("\(name).distance-bias", 2 * reach + 1, shape.headCount, .normal(0.02))))
    }
    norm = Norm("encoder.norm", d, in: store)
  }

  /// The last block asks only where its answer is read; its weights are no shares, so there is no attention to observe.
  public func encode(
    _ input: Tensor, sequences: PackedSequences, wholeStreams: Int, on tape: Tape,
    observe: AttentionObserver?
  ) -> Tensor {
    let streams = input.rows / sequences.tokenCount
    var x = input
    for (number, block) in blocks.enumerated() {
      let whole = number == blocks.count - 1 ? wholeStreams : streams
      x = encode(x, block, BlockReaders(sequences, streams: streams, whole: whole), tape)
    }
    return norm.apply(to: x, on: tape)
  }

  private func encode(
    _ x: Tensor, _ block: Block, _ readers: BlockReaders, _ tape: Tape
  ) -> Tensor {
    let d = shape.dimension
    let normal = block.inputNorm.apply(to: x, on: tape)
    let asked = readers.asked(of: normal, on: tape)
    let gate = tape.silu(tape.linear(asked, block.gateQuery.slice(0..<d)))
    let query = tape.silu(tape.linear(asked, block.gateQuery.slice(d..<2 * d)))
    let keyValue = tape.silu(tape.linear(normal, block.keyValue))
    let attended = attend(query, keyValue, block.bias, readers, tape)
    let gated = tape.multiply(block.attendedNorm.apply(to: attended, on: tape), gate)
    return tape.linearDropoutAdd(
      tape.dropout(gated, rate: shape.feedForwardDropout), block.output, bias: block.outputBias,
      rate: 0, to: readers.asked(of: x, on: tape))
  }

  private func attend(
    _ query: Tensor, _ keyValue: Tensor, _ bias: DistanceBias, _ readers: BlockReaders,
    _ tape: Tape
  ) -> Tensor {
    let d = shape.dimension
    let attended = tape.tensor(rows: query.rows, columns: d)
    let tokens = readers.whole.tokenCount
    func attend(
      _ asked: Range<Int>, _ seen: Range<Int>, queries: PackedSequences, keys: PackedSequences
    ) {
      guard !asked.isEmpty else { return }
      let seen = keyValue.slice(seen)
      tape.pointwiseAttention(
        q: AttentionInput(query.slice(asked)), k: AttentionInput(seen),
        v: AttentionInput(seen, column: d), queries: queries, keys: keys,
        heads: shape.headCount, headWidth: d / shape.headCount, mask: .causal, bias: bias,
        divisor: divisor, into: attended.slice(asked))
    }
    attend(0..<tokens, 0..<tokens, queries: readers.whole, keys: readers.whole)
    attend(
      tokens..<query.rows, tokens..<keyValue.rows, queries: readers.last.lastQueries,
      keys: readers.last)
    return attended
  }
}
