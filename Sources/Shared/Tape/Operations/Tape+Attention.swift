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
  /// As many sequences of one token each: the queries after the last token of each of ``count`` sequences.
  public var lastQueries: PackedSequences {
    PackedSequences(offsets: Array(0...UInt32(count)))
  }
  /// The number of tokens of each sequence.
  var lengths: some Sequence<Int> {
    zip(offsets, offsets.dropFirst()).lazy.map { Int($0.1 - $0.0) }
  }
  /// The last token of each sequence.
  public var lastTokens: [UInt32] { offsets.dropFirst().map { $0 - 1 } }

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

/// Which keys of its sequence a query sees.
public enum AttentionMask: Sendable {
  /// All of them.
  case bidirectional
  /// Those up to its own position.
  case causal
}

/// A number for each head that is added to the scores, by the position of the key less that of the query.
public struct DistanceBias: Sendable {
  /// `[2 · reach + 1, heads]`; distances beyond the reach count as the reach.
  ///
  /// Row `reach` is for equal positions, later rows are for keys after the query.
  public let table: Parameter

  /// Names the parameter that holds the bias.
  ///
  /// - Precondition: its rows are an odd number.
  public init(_ table: Parameter) {
    precondition(table.rows % 2 == 1)
    self.table = table
  }
}

extension Tape {
  /// Multi-head attention within each sequence, `softmax(q kᵀ / √headWidth + bias) v`, without any padding.
  ///
  /// The queries of a sequence stand at the last of its positions, all of which have a key: equal ranges are attention of all tokens, one
  /// query for each sequence is attention of the last token, and further queries are tokens appended one by one. A sequence without
  /// keys leaves zeros.
  ///
  /// - Parameters:
  ///   - q: queries; head h uses `headWidth` columns from `h · headWidth` on.
  ///   - k: keys, likewise.
  ///   - v: values, likewise.
  ///   - queries: which rows of `q` each sequence has.
  ///   - keys: which rows of `k` and `v`; as many sequences.
  ///   - heads: the number of heads.
  ///   - headWidth: the number of columns of a head.
  ///   - mask: which keys of its sequence a query sees.
  ///   - bias: added to the scores; nil for none.
  ///   - rate: dropout on the probabilities, in [0, 1).
  ///   - y: where the result goes, `[queries, heads · headWidth]`; a new tensor if nil.
  /// - Returns: `y`.
  /// - Precondition: a sequence has at least as many keys as queries where the mask is causal.
  @discardableResult
  public func attention(
    q: AttentionInput, k: AttentionInput, v: AttentionInput, queries: PackedSequences,
    keys: PackedSequences, heads: Int, headWidth: Int, mask: AttentionMask,
    bias: DistanceBias? = nil, rate: Float, into y: Tensor? = nil
  ) -> Tensor {
    let out = y ?? tensor(rows: queries.tokenCount, columns: heads * headWidth)
    precondition(out.rows == queries.tokenCount && out.columns == heads * headWidth)
    precondition(bias.map { $0.table.columns == heads } ?? true)
    let work = AttentionWork(
      queries: queries, keys: keys, heads: heads, headWidth: headWidth, mask: mask, bias: bias,
      dropout: nextDropout(rate))
    let scratch = unsafe arena.allocate(work.scratchCount)
    let pairProducts = 2 * heads * headWidth * work.pairCount
    ArithmeticCounter.add(2 * pairProducts)
    unsafe work.withShape(biasValues: bias.map { unsafe value($0.table) }) { shape in
      unsafe h2rec_attention(
        shape, q.rows, k.rows, v.rows,
        h2rec_mutable_rows(values: out.values, stride: out.columns), scratch)
    }
    record(lastFor: out) { [self] in
      ArithmeticCounter.add(4 * pairProducts)
      unsafe work.withShape(biasValues: bias.map { unsafe value($0.table) }) { shape in
        unsafe h2rec_attention_backward(
          shape, q.rows, k.rows, v.rows, h2rec_rows(values: grad(out), stride: out.columns),
          gradientRows(q), gradientRows(k), gradientRows(v),
          bias.map { unsafe gradient($0.table) }, scratch)
      }
    }
    return out
  }

  /// ``attention(q:k:v:queries:keys:heads:headWidth:mask:bias:rate:into:)`` of all tokens of each sequence among themselves.
  @discardableResult
  public func attention(
    q: AttentionInput, k: AttentionInput, v: AttentionInput, sequences: PackedSequences,
    heads: Int, headWidth: Int, causal: Bool, rate: Float, into y: Tensor? = nil
  ) -> Tensor {
    attention(
      q: q, k: k, v: v, queries: sequences, keys: sequences, heads: heads, headWidth: headWidth,
      mask: causal ? .causal : .bidirectional, rate: rate, into: y)
  }

  func gradientRows(_ input: AttentionInput) -> h2rec_mutable_rows {
    unsafe h2rec_mutable_rows(
      values: grad(input.tensor) + input.column, stride: input.tensor.columns)
  }
}

/// What an attention needs to know in both directions.
struct AttentionWork {
  let queries: PackedSequences
  let keys: PackedSequences
  let heads: Int
  let headWidth: Int
  let mask: AttentionMask
  let bias: DistanceBias?
  let dropout: h2rec_dropout
  /// How many pairs of a query and a key that it sees there are.
  let pairCount: Int

  init(
    queries: PackedSequences, keys: PackedSequences, heads: Int, headWidth: Int,
    mask: AttentionMask, bias: DistanceBias?, dropout: h2rec_dropout
  ) {
    precondition(queries.count == keys.count)
    (self.queries, self.keys, self.heads, self.headWidth) = (queries, keys, heads, headWidth)
    (self.mask, self.bias, self.dropout) = (mask, bias, dropout)
    pairCount = zip(queries.lengths, keys.lengths).reduce(0) { sum, lengths in
      let (asking, seen) = lengths
      precondition(mask == .bidirectional || asking <= seen, "a query without a position")
      let hidden = mask == .causal ? asking * (asking - 1) / 2 : 0
      return sum + asking * seen - hidden
    }
  }

  var scratchCount: Int {
    h2rec_attention_scratch(queries.longest, keys.longest, heads, headWidth)
  }

  func withShape(
    biasValues: UnsafePointer<Float>?, _ body: (h2rec_attention_shape) -> Void
  ) {
    unsafe queries.offsets.withUnsafeBufferPointer { queryOffsets in
      unsafe keys.offsets.withUnsafeBufferPointer { keyOffsets in
        unsafe body(
          h2rec_attention_shape(
            queries: queryOffsets.baseAddress, keys: keyOffsets.baseAddress,
            sequences: queries.count, heads: heads, head_width: headWidth,
            mask: mask == .causal ? h2rec_earlier_keys : h2rec_all_keys, bias: biasValues,
            reach: bias.map { $0.table.rows / 2 } ?? 0, dropout: dropout))
      }
    }
  }
}
