internal import Tape

/// The tokens of all streams whose states a block of an encoder computes: what is not read costs no queries and no feed-forward.
struct BlockReaders {
  /// Sequences that are read at every token; they come first.
  let whole: PackedSequences
  /// Sequences that are read at their last tokens, counted from the first of them.
  let last: PackedSequences

  /// The readers of streams of the same sequences, the first `whole` of which are read at every token.
  init(_ sequences: PackedSequences, streams: Int, whole: Int) {
    self.whole = sequences.repeated(whole)
    last = sequences.repeated(streams - whole)
  }

  /// Their rows among all tokens.
  private var rows: [UInt32] {
    let count = UInt32(whole.tokenCount)
    return Array(0..<count) + last.lastTokens.map { count + $0 }
  }

  /// The rows of a matrix of all tokens that are read.
  func asked(of x: Tensor, on tape: Tape) -> Tensor {
    last.count > 0 ? tape.rows(x, rows) : x
  }

  /// Attention of the tokens that are read.
  ///
  /// - Parameters:
  ///   - query: `[tokens that are read, d]`.
  ///   - keyValue: `[all tokens, 2 d]`, keys and then values.
  ///   - shape: heads, mask and dropout.
  ///   - tape: where the operations go.
  /// - Returns: `[tokens that are read, d]`.
  func attend(
    _ query: Tensor, _ keyValue: Tensor, _ shape: AttentionShape, on tape: Tape
  ) -> Tensor {
    let d = shape.dimension
    let attended = tape.tensor(rows: query.rows, columns: d)
    let tokens = whole.tokenCount
    if tokens > 0 {
      let seen = keyValue.slice(0..<tokens)
      tape.attention(
        q: AttentionInput(query.slice(0..<tokens)), k: AttentionInput(seen),
        v: AttentionInput(seen, column: d), sequences: whole, heads: shape.headCount,
        headWidth: d / shape.headCount, causal: shape.isCausal,
        rate: shape.attentionDropout, into: attended.slice(0..<tokens))
    }
    if last.count > 0 {
      let seen = keyValue.slice(tokens..<keyValue.rows)
      tape.attention(
        q: AttentionInput(query.slice(tokens..<query.rows)), k: AttentionInput(seen),
        v: AttentionInput(seen, column: d), queries: last.lastQueries, keys: last,
        heads: shape.headCount, headWidth: d / shape.headCount, mask: .causal,
        rate: shape.attentionDropout, into: attended.slice(tokens..<query.rows))
    }
    return attended
  }

  /// A filter at the tokens that are read.
  ///
  /// - Parameters:
  ///   - x: `[all tokens, d]`.
  ///   - kernel: `[L, d]`.
  ///   - mask: which tokens a position sees.
  ///   - tape: where the operations go.
  /// - Returns: `[tokens that are read, d]`.
  func filter(_ x: Tensor, _ kernel: Tensor, mask: AttentionMask, on tape: Tape) -> Tensor {
    let tokens = whole.tokenCount
    let y = tape.tensor(rows: tokens + last.count, columns: x.columns)
    if tokens > 0 {
      tape.filter(
        x.slice(0..<tokens), kernel, queries: whole, keys: whole, mask: mask,
        into: y.slice(0..<tokens))
    }
    if last.count > 0 {
      tape.filter(
        x.slice(tokens..<x.rows), kernel, queries: last.lastQueries, keys: last, mask: mask,
        into: y.slice(tokens..<y.rows))
    }
    return y
  }
}
