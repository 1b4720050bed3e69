internal import CKernels
internal import Numerics

/// Token ranges of packed sequences: sequence s holds the tokens `offsets[s] ..< offsets[s + 1]`.
public struct PackedSequences: Sendable {
  /// `[sequences + 1]`, first 0.
  public let offsets: [UInt32]
  /// The number of tokens of the longest sequence.
  public let longest: Int

  /// Creates ranges from their bounds.
  public init(offsets: [UInt32]) {
    self.offsets = offsets
    longest = zip(offsets, offsets.dropFirst()).reduce(0) { max($0, Int($1.1 - $1.0)) }
  }

  /// The number of sequences.
  public var count: Int { offsets.count - 1 }
  /// The number of tokens, T.
  public var tokenCount: Int { Int(offsets[count]) }
  /// The last token of each sequence.
  public var lastTokens: [UInt32] { offsets.dropFirst().map { $0 - 1 } }

  /// How many pairs of a position and one that it sees there are.
  func pairCount(causal: Bool) -> Int {
    zip(offsets, offsets.dropFirst()).reduce(0) { sum, bounds in
      let length = Int(bounds.1 - bounds.0)
      return sum + (causal ? length * (length + 1) / 2 : length * length)
    }
  }

  /// The same sequences several times, one copy after another.
  public func repeated(_ times: Int) -> PackedSequences {
    let tokens = offsets[count]
    var all: [UInt32] = [0]
    for copy in 0..<UInt32(times) { all += offsets.dropFirst().map { $0 + copy * tokens } }
    return PackedSequences(offsets: all)
  }
}

/// Columns of a tensor that serve as queries, keys or values: `heads · headWidth` columns from `column` on.
public struct AttentionInput {
  /// The tensor, `[T, …]`.
  public let tensor: Tensor
  /// The first column.
  public let column: Int

  /// Names columns of a tensor.
  public init(_ tensor: Tensor, column: Int = 0) {
    self.tensor = tensor
    self.column = column
  }

  var rows: h2rec_rows {
    unsafe h2rec_rows(values: tensor.values + column, stride: tensor.columns)
  }
}

extension Tape {
  /// Multi-head attention within each sequence, `softmax(q kᵀ / √headWidth) v`, without any padding.
  ///
  /// - Parameters:
  ///   - q: queries, T rows; head h uses `headWidth` columns from `h · headWidth` on.
  ///   - k: keys, likewise.
  ///   - v: values, likewise.
  ///   - sequences: token ranges; every position attends within its own sequence.
  ///   - heads: the number of heads.
  ///   - headWidth: the number of columns of a head.
  ///   - causal: whether a position sees only itself and earlier ones.
  ///   - rate: dropout on the probabilities, in [0, 1).
  ///   - y: where the result goes, `[T, heads · headWidth]`; a new tensor if nil.
  /// - Returns: `y`.
  @discardableResult
  public func attention(
    q: AttentionInput, k: AttentionInput, v: AttentionInput, sequences: PackedSequences,
    heads: Int, headWidth: Int, causal: Bool, rate: Float, into y: Tensor? = nil
  ) -> Tensor {
    let out = y ?? tensor(rows: sequences.tokenCount, columns: heads * headWidth)
    precondition(out.rows == sequences.tokenCount && out.columns == heads * headWidth)
    let dropout = nextDropout(rate)
    let scratchCount = h2rec_attention_scratch(sequences.longest, heads, headWidth)
    let scratch = unsafe arena.allocate(scratchCount)
    let pairProducts = 2 * heads * headWidth * sequences.pairCount(causal: causal)
    ArithmeticCounter.add(2 * pairProducts)
    unsafe sequences.offsets.withUnsafeBufferPointer { offsets in
      let shape = unsafe h2rec_attention_shape(
        offsets: offsets.baseAddress, sequences: sequences.count, heads: heads,
        head_width: headWidth, causal: causal ? 1 : 0, dropout: dropout)
      unsafe h2rec_attention(
        shape, q.rows, k.rows, v.rows,
        h2rec_mutable_rows(values: out.values, stride: out.columns), scratch)
    }
    record(lastFor: out) { [self] in
      ArithmeticCounter.add(4 * pairProducts)
      unsafe sequences.offsets.withUnsafeBufferPointer { offsets in
        let shape = unsafe h2rec_attention_shape(
          offsets: offsets.baseAddress, sequences: sequences.count, heads: heads,
          head_width: headWidth, causal: causal ? 1 : 0, dropout: dropout)
        unsafe h2rec_attention_backward(
          shape, q.rows, k.rows, v.rows, h2rec_rows(values: grad(out), stride: out.columns),
          gradientRows(q), gradientRows(k), gradientRows(v), scratch)
      }
    }
    return out
  }

  /// Multi-head attention of one query for each sequence, after its last token, to all tokens of the sequence: the last rows of
  /// ``attention(q:k:v:sequences:heads:headWidth:causal:rate:into:)`` alone.
  ///
  /// - Parameters:
  ///   - q: queries, one row for each sequence; head h uses `headWidth` columns from `h · headWidth` on.
  ///   - k: keys, T rows, likewise.
  ///   - v: values, likewise.
  ///   - sequences: token ranges, none empty.
  ///   - heads: the number of heads.
  ///   - headWidth: the number of columns of a head.
  ///   - rate: dropout on the probabilities, in [0, 1).
  ///   - y: where the result goes, `[sequences, heads · headWidth]`.
  public func attentionOfLast(
    q: AttentionInput, k: AttentionInput, v: AttentionInput, sequences: PackedSequences,
    heads: Int, headWidth: Int, rate: Float, into y: Tensor
  ) {
    precondition(y.rows == sequences.count && y.columns == heads * headWidth)
    let dropout = nextDropout(rate)
    let scratch = unsafe arena.allocate(h2rec_last_attention_scratch(sequences.longest))
    let pairProducts = 2 * heads * headWidth * sequences.tokenCount
    ArithmeticCounter.add(2 * pairProducts)
    unsafe sequences.offsets.withUnsafeBufferPointer { offsets in
      let shape = unsafe h2rec_attention_shape(
        offsets: offsets.baseAddress, sequences: sequences.count, heads: heads,
        head_width: headWidth, causal: 1, dropout: dropout)
      unsafe h2rec_last_attention(
        shape, q.rows, k.rows, v.rows, h2rec_mutable_rows(values: y.values, stride: y.columns),
        scratch)
    }
    record { [self] in
      ArithmeticCounter.add(4 * pairProducts)
      unsafe sequences.offsets.withUnsafeBufferPointer { offsets in
        let shape = unsafe h2rec_attention_shape(
          offsets: offsets.baseAddress, sequences: sequences.count, heads: heads,
          head_width: headWidth, causal: 1, dropout: dropout)
        unsafe h2rec_last_attention_backward(
          shape, q.rows, k.rows, v.rows, h2rec_rows(values: grad(y), stride: y.columns),
          gradientRows(q), gradientRows(k), gradientRows(v), scratch)
      }
    }
  }

  private func gradientRows(_ input: AttentionInput) -> h2rec_mutable_rows {
    unsafe h2rec_mutable_rows(
      values: grad(input.tensor) + input.column, stride: input.tensor.columns)
  }
}
