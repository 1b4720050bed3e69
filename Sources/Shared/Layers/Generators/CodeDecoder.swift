public import Tape

/// The decoder of a generator: the digits of one item, left to right, each of which reads the digits before it and the history.
public struct CodeDecoder: Sendable {
  private struct Block {
    let own, history: PreNormAttention
    let network: PreNormFeedForward
  }

  private let blocks: [Block]
  private let gain, bias: Parameter
  /// A vector for each digit that is asked for, `[C, d]`.
  public let positions: Parameter

  /// Declares the parameters, `decoder.…`.
  ///
  /// - Parameters:
  ///   - shape: sizes and dropout.
  ///   - digitCount: the digits of an item, C.
  ///   - store: where the parameters are declared.
  public init(_ shape: GeneratorShape, digitCount: Int, in store: ParameterStore) {
    positions = store.add("decoder.positions", digitCount, shape.dimension, .normal(0.02))
    blocks = (0..<shape.layerCount).map { number in
      Block(
        own: PreNormAttention("decoder.\(number).attention", shape, in: store),
        history: PreNormAttention("decoder.\(number).history", shape, in: store),
        network: PreNormFeedForward("decoder.\(number).feed-forward", shape, in: store))
    }
    gain = store.add("decoder.norm.gain", 1, shape.dimension, .one)
    bias = store.add("decoder.norm.bias", 1, shape.dimension, .zero)
  }

  /// What the decoder reads of encoded histories: keys and values for each block, `[T, 2w]` each.
  public struct History {
    /// For each block.
    public var keyValues: [Tensor]
    /// Token ranges of the histories.
    public var sequences: PackedSequences

    /// From its parts.
    public init(keyValues: [Tensor], sequences: PackedSequences) {
      self.keyValues = keyValues
      self.sequences = sequences
    }
  }

  /// Projects the states of histories once, for all digits and candidates that read them.
  public func history(
    _ states: Tensor, sequences: PackedSequences, on tape: Tape
  ) -> History {
    History(
      keyValues: blocks.map { $0.history.keyValues(states, on: tape) }, sequences: sequences)
  }

  /// The states of all digits of some items at once, where the digits are known.
  ///
  /// - Parameters:
  ///   - tokens: the embedded digit before each digit, `[N · C, d]`, item by item.
  ///   - items: the token ranges of the items, C tokens each.
  ///   - readers: which of these tokens read each history; as many ranges as histories.
  ///   - history: what they read.
  ///   - tape: where the operations go.
  /// - Returns: normalised states, `[N · C, d]`.
  public func decode(
    _ tokens: Tensor, items: PackedSequences, readers: PackedSequences, _ history: History,
    on tape: Tape
  ) -> Tensor {
    var x = tokens
    for (number, block) in blocks.enumerated() {
      let normal = block.own.normalized(x, on: tape)
      x = block.own.attend(
        x, normal: normal, keyValues: block.own.keyValues(normal, on: tape),
        PreNormAttention.Ranges(queries: items, keys: items, mask: .causal), on: tape)
      x = rest(of: block, number, x, readers, history, tape)
    }
    return tape.layerNorm(x, gain: gain, bias: bias)
  }

  /// The states of one more digit of some prefixes, of which everything before is remembered.
  ///
  /// - Parameters:
  ///   - tokens: the embedded last digit of each prefix, `[N, d]`.
  ///   - memory: for each block the keys and values of the s digits before, `[N · s, 2w]`, prefix by prefix.
  ///   - readers: which of the prefixes read each history.
  ///   - history: what they read.
  ///   - tape: where the operations go; it does not record.
  /// - Returns: normalised states, `[N, d]`, and for each block the keys and values of s + 1 digits.
  public func step(
    _ tokens: Tensor, memory: [[Float]], readers: PackedSequences, _ history: History,
    on tape: Tape
  ) -> (states: Tensor, memory: [[Float]]) {
    let count = tokens.rows
    var x = tokens
    var grown: [[Float]] = []
    for (number, block) in blocks.enumerated() {
      let normal = block.own.normalized(x, on: tape)
      let own = block.own.keyValues(normal, on: tape)
      let values = Self.appended(own.array, to: memory[number], count: count, width: own.columns)
      let length = values.count / max(1, count * own.columns)
      let keys = PackedSequences(offsets: (0...UInt32(count)).map { $0 * UInt32(length) })
      x = block.own.attend(
        x, normal: normal,
        keyValues: tape.tensor(rows: count * length, columns: own.columns, values: values),
        PreNormAttention.Ranges(
          queries: PackedSequences(offsets: Array(0...UInt32(count))), keys: keys), on: tape)
      x = rest(of: block, number, x, readers, history, tape)
      grown.append(values)
    }
    return (tape.layerNorm(x, gain: gain, bias: bias), grown)
  }

  /// The number of blocks.
  public var blockCount: Int { blocks.count }

  private func rest(
    of block: Block, _ number: Int, _ x: Tensor, _ readers: PackedSequences, _ history: History,
    _ tape: Tape
  ) -> Tensor {
    let read = block.history.attend(
      x, normal: block.history.normalized(x, on: tape), keyValues: history.keyValues[number],
      PreNormAttention.Ranges(queries: readers, keys: history.sequences), on: tape)
    return block.network.apply(read, on: tape)
  }

  /// One more row for each of `count` groups of rows.
  private static func appended(
    _ rows: [Float], to memory: [Float], count: Int, width: Int
  ) -> [Float] {
    guard !memory.isEmpty else { return rows }
    let before = memory.count / max(1, count)
    var result: [Float] = []
    result.reserveCapacity(memory.count + rows.count)
    for group in 0..<count {
      result += memory[group * before..<(group + 1) * before]
      result += rows[group * width..<(group + 1) * width]
    }
    return result
  }
}
