public import Tape

/// Pre-normalised blocks with learned gates and a SwiGLU feed-forward, as eSASRec has them (LiGR: Borisyuk and others 2025).
///
/// A block is `m = x + σ(G x) · drop(attention(LN(x)))`, `y = m + σ(H m) · drop(W₂ drop(silu(W₁ n) · W₃ n))` with `n = LN(m)`; the
/// gates are 1 where there are none. Nothing follows the last block.
public struct LiGREncoder: SequenceEncoder {
  /// A linear map.
  private struct Map {
    let weight, bias: Parameter

    init(_ name: String, _ outputs: Int, _ inputs: Int, in store: ParameterStore) {
      weight = store.addWeight("\(name).weight", outputs, inputs)
      bias = store.add("\(name).bias", 1, outputs, .uniform(fanIn: inputs))
    }

    func apply(to x: Tensor, on tape: Tape) -> Tensor { tape.linear(x, weight, bias: bias) }
  }

  /// What a residual branch goes through: its normalisation, and its gate.
  private struct Branch {
    let gain, bias: Parameter
    let gate: Map?

    init(_ name: String, _ d: Int, isGated: Bool, in store: ParameterStore) {
      gain = store.add("\(name)-norm.gain", 1, d, .one)
      bias = store.add("\(name)-norm.bias", 1, d, .zero)
      gate = isGated ? Map("\(name)-gate", d, d, in: store) : nil
    }

    func normalize(_ x: Tensor, on tape: Tape) -> Tensor {
      tape.layerNorm(x, gain: gain, bias: bias)
    }

    func add(_ y: Tensor, to x: Tensor, on tape: Tape) -> Tensor {
      guard let gate else { return tape.add(x, y) }
      return tape.add(x, tape.multiply(tape.sigmoid(gate.apply(to: x, on: tape)), y))
    }
  }

  private struct Block {
    let attention, feed: Branch
    let query, keyValue, output: Map
    let inner, passed, outer: Parameter
  }

  private let blocks: [Block]
  private let shape: AttentionShape

  /// Declares the parameters, `encoder.…`.
  ///
  /// - Parameters:
  ///   - shape: sizes, mask and dropout; that of the feed-forward layers is the one of both residual branches, too.
  ///   - isGated: whether the residual branches have gates.
  ///   - store: where the parameters are declared.
  public init(_ shape: AttentionShape, isGated: Bool, in store: ParameterStore) {
    let d = shape.dimension
    self.shape = shape
    blocks = (0..<shape.layerCount).map { number in
      let name = "encoder.\(number)"
      return Block(
        attention: Branch("\(name).attention", d, isGated: isGated, in: store),
        feed: Branch("\(name).feed", d, isGated: isGated, in: store),
        query: Map("\(name).query", d, d, in: store),
        keyValue: Map("\(name).key-value", 2 * d, d, in: store),
        output: Map("\(name).output", d, d, in: store),
        inner: store.addWeight("\(name).feed-inner.weight", 4 * d, d),
        passed: store.addWeight("\(name).feed-passed.weight", 4 * d, d),
        outer: store.addWeight("\(name).feed-outer.weight", d, 4 * d))
    }
  }

  /// The last block computes only the states that are read.
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
    return x
  }

  private func encode(
    _ x: Tensor, _ block: Block, _ readers: BlockReaders, _ tape: Tape,
    _ observe: AttentionObserver?
  ) -> Tensor {
    let rate = shape.feedForwardDropout
    let normal = block.attention.normalize(x, on: tape)
    let query = block.query.apply(to: readers.asked(of: normal, on: tape), on: tape)
    let keyValue = block.keyValue.apply(to: normal, on: tape)
    observe?(query, keyValue)
    let attended = block.output.apply(
      to: readers.attend(query, keyValue, shape, on: tape), on: tape)
    let sum = block.attention.add(
      tape.dropout(attended, rate: rate), to: readers.asked(of: x, on: tape), on: tape)
    let n = block.feed.normalize(sum, on: tape)
    let inner = tape.multiply(
      tape.silu(tape.linear(n, block.inner)), tape.linear(n, block.passed))
    let outer = tape.linear(tape.dropout(inner, rate: rate), block.outer)
    return block.feed.add(tape.dropout(outer, rate: rate), to: sum, on: tape)
  }
}
