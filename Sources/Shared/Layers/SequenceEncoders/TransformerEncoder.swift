public import Tape

/// Post-normalised blocks with a wide GELU feed-forward, as BERT has them (Devlin and others 2019) and after it BERT4Rec, FMLP-Rec and
/// BSARec; tokens meet by attention, by a filter along time, or by both.
///
/// With x normalised and dropped out on the way in, a block is `a = LN(x + drop(attention(x)))`, `f = LN(x + drop(filter(x)))`,
/// `m = α f + (1 − α) a`, `y = LN(m + drop(W₂ gelu(W₁ m)))`; nothing follows the last block.
public struct TransformerEncoder: SequenceEncoder {
  /// A normalisation.
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

  /// A linear map.
  private struct Map {
    let weight, bias: Parameter

    init(_ name: String, _ outputs: Int, _ inputs: Int, in store: ParameterStore) {
      weight = store.add("\(name).weight", outputs, inputs, TransformerEncoder.start)
      bias = store.add("\(name).bias", 1, outputs, .zero)
    }
  }

  private struct Attention {
    let query, keyValue, output: Map
    let norm: Norm
  }

  private struct Block {
    let attention: Attention?
    let filter: (filter: FrequencyFilter, norm: Norm)?
    let inner, outer: Map
    let norm: Norm
  }

  /// The initialisation of weights, and of tables in front of the encoder (BERT: a standard deviation of 0.02).
  public static let start = Initialization.normal(0.02)

  private let norm: Norm
  private let blocks: [Block]
  private let shape: AttentionShape
  private let share: Float

  /// Declares the parameters, `encoder.…`.
  ///
  /// - Parameters:
  ///   - shape: sizes, mask and dropout; that of the feed-forward layers is the one of all residual branches and of the input.
  ///   - filter: a filter beside the attention, or in its place; nil for none.
  ///   - store: where the parameters are declared.
  public init(_ shape: AttentionShape, filter: FilterShape? = nil, in store: ParameterStore) {
    let d = shape.dimension
    self.shape = shape
    share = filter?.share ?? 0
    norm = Norm("encoder.input-norm", d, in: store)
    let attends = share < 1
    blocks = (0..<shape.layerCount).map { number in
      let name = "encoder.\(number)"
      return Block(
        attention: attends
          ? Attention(
            query: Map("\(name).query", d, d, in: store),
            keyValue: Map("\(name).key-value", 2 * d, d, in: store),
            output: Map("\(name).output", d, d, in: store),
            norm: Norm("\(name).attention-norm", d, in: store)) : nil,
        filter: filter.map {
          (
            FrequencyFilter($0, dimension: d, name: "\(name).filter", in: store),
            Norm("\(name).filter-norm", d, in: store)
          )
        },
        inner: Map("\(name).feed-inner", 4 * d, d, in: store),
        outer: Map("\(name).feed-outer", d, 4 * d, in: store),
        norm: Norm("\(name).feed-norm", d, in: store))
    }
  }

  /// The last block computes only the states that are read.
  public func encode(
    _ input: Tensor, sequences: PackedSequences, wholeStreams: Int, on tape: Tape,
    observe: AttentionObserver?
  ) -> Tensor {
    let streams = input.rows / sequences.tokenCount
    var x = tape.dropout(norm.apply(to: input, on: tape), rate: shape.feedForwardDropout)
    for (number, block) in blocks.enumerated() {
      let whole = number == blocks.count - 1 ? wholeStreams : streams
      x = encode(x, block, BlockReaders(sequences, streams: streams, whole: whole), tape, observe)
    }
    return x
  }

  private func encode(
    _ x: Tensor, _ block: Block, _ readers: BlockReaders, _ tape: Tape,
    _ observe: AttentionObserver?
  ) -> Tensor {
    let asked = readers.asked(of: x, on: tape)
    let attended = block.attention.map { attend(x, asked, $0, readers, tape, observe) }
    let filtered = block.filter.map { filter, norm in
      let y = tape.dropout(
        filter.apply(to: x, readers, on: tape), rate: shape.feedForwardDropout)
      return norm.apply(to: tape.add(asked, y), on: tape)
    }
    let mixed: Tensor
    switch (filtered, attended) {
    case (let filtered?, let attended?): mixed = tape.blend(filtered, attended, share: share)
    case (let one?, nil), (nil, let one?): mixed = one
    case (nil, nil): preconditionFailure("a block that mixes no tokens")
    }
    let inner = tape.linearGELU(mixed, block.inner.weight, bias: block.inner.bias)
    return block.norm.apply(
      to: tape.linearDropoutAdd(
        inner, block.outer.weight, bias: block.outer.bias, rate: shape.feedForwardDropout,
        to: mixed), on: tape)
  }

  private func attend(
    _ x: Tensor, _ asked: Tensor, _ part: Attention, _ readers: BlockReaders, _ tape: Tape,
    _ observe: AttentionObserver?
  ) -> Tensor {
    let query = tape.linear(asked, part.query.weight, bias: part.query.bias)
    let keyValue = tape.linear(x, part.keyValue.weight, bias: part.keyValue.bias)
    observe?(query, keyValue)
    let sum = tape.linearDropoutAdd(
      readers.attend(query, keyValue, shape, on: tape), part.output.weight,
      bias: part.output.bias, rate: shape.feedForwardDropout, to: asked)
    return part.norm.apply(to: sum, on: tape)
  }
}
