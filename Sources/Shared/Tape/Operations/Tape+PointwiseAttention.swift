internal import CKernels
internal import Numerics

extension Tape {
  /// Attention within each sequence whose weights are `silu(q kᵀ + bias) / divisor`, each for itself: they are no shares, so that
  /// how much was found is not lost (HSTU; Zhai and others 2024, 3.2).
  ///
  /// Sequences, positions and heads as in ``attention(q:k:v:queries:keys:heads:headWidth:mask:bias:rate:into:)``; there is no division
  /// by the root of the width, and no dropout of the weights.
  ///
  /// - Parameters:
  ///   - q: queries.
  ///   - k: keys.
  ///   - v: values.
  ///   - queries: which rows of `q` each sequence has.
  ///   - keys: which rows of `k` and `v`; no sequence has fewer of them than queries.
  ///   - heads: the number of heads.
  ///   - headWidth: the number of columns of a head.
  ///   - mask: which keys of its sequence a query sees.
  ///   - bias: added to the scores.
  ///   - divisor: of the weights, above 0; the same for every sequence.
  ///   - y: where the result goes, `[queries, heads · headWidth]`; a new tensor if nil.
  /// - Returns: `y`.
  @discardableResult
  public func pointwiseAttention(
    q: AttentionInput, k: AttentionInput, v: AttentionInput, queries: PackedSequences,
    keys: PackedSequences, heads: Int, headWidth: Int, mask: AttentionMask, bias: DistanceBias,
    divisor: Float, into y: Tensor? = nil
  ) -> Tensor {
    let out = y ?? tensor(rows: queries.tokenCount, columns: heads * headWidth)
    precondition(out.rows == queries.tokenCount && out.columns == heads * headWidth)
    precondition(bias.table.columns == heads && divisor > 0)
    precondition(zip(queries.lengths, keys.lengths).allSatisfy { $0 <= $1 })
    let work = AttentionWork(
      queries: queries, keys: keys, heads: heads, headWidth: headWidth, mask: mask, bias: bias,
      dropout: h2rec_dropout(key: 0, rate: 0))
    let pairProducts = 2 * heads * headWidth * work.pairCount
    ArithmeticCounter.add(2 * pairProducts)
    unsafe work.withShape(biasValues: value(bias.table)) { shape in
      unsafe h2rec_pointwise_attention(
        shape, divisor, q.rows, k.rows, v.rows,
        h2rec_mutable_rows(values: out.values, stride: out.columns))
    }
    record(lastFor: out) { [self] in
      ArithmeticCounter.add(4 * pairProducts)
      unsafe work.withShape(biasValues: value(bias.table)) { shape in
        unsafe h2rec_pointwise_attention_backward(
          shape, divisor, q.rows, k.rows, v.rows,
          h2rec_rows(values: grad(out), stride: out.columns), gradientRows(q), gradientRows(k),
          gradientRows(v), gradient(bias.table))
      }
    }
    return out
  }
}
