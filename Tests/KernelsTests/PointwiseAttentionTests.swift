import TestSupport
import Testing

@testable import Numerics
@testable import Tape

/// Attention whose weights are no shares, against its definition.
@Suite struct PointwiseAttentionTests {
  @Test(arguments: AttentionRangesTests.forms, [AttentionMask.causal, .bidirectional])
  func `pointwise attention weighs each key for itself`(
    form: AttentionRangesTests.Form, mask: AttentionMask
  ) throws {
    try check(.pointwiseAttention, form.inputs) { bench in
      bench.tape.pointwiseAttention(
        q: AttentionInput(bench.tensor(0)), k: AttentionInput(bench.tensor(1)),
        v: AttentionInput(bench.tensor(2)), queries: form.queries, keys: form.keys,
        heads: form.heads, headWidth: form.width, mask: mask,
        bias: DistanceBias(bench.parameter(3)), divisor: 50)
    } reference: { grids in
      referencePointwiseAttention(
        q: grids[0], k: grids[1], v: grids[2], queryOffsets: form.queries.offsets,
        keyOffsets: form.keys.offsets, causal: mask == .causal, bias: grids[3], divisor: 50)
    }
  }
}
