internal import Tape

/// The two cross-attentions between the branches (H2Rec, Part 1.3, steps 2 to 4).
///
/// Semantic views query the hash sequence, one attention for each level, mixed by the gate; the hash sequence
/// queries the fused semantic sequence. Projections that share their input are one product.
struct CrossAttention {
  private let viewQuery, hashKeyValueQuery, viewOutput, viewOutputBias: Parameter
  private let semanticKeyValue, semanticOutput, semanticOutputBias: Parameter
  private let hyper: Hyperparameters

  init(_ hyper: Hyperparameters, layout: inout ParameterLayout) {
    let d = hyper.dimension
    let levels = hyper.levelCount
    self.hyper = hyper
    let square = ParameterLayout.Start.xavier(fanIn: d, fanOut: d)
    viewQuery = layout.add("cross.view-query.weight", levels * d, d, square)
    hashKeyValueQuery = layout.add(
      "cross.hash-key-value-query.weight", (2 * levels + 1) * d, d, square)
    viewOutput = layout.add("cross.view-output.weight", d, levels * d, square)
    viewOutputBias = layout.add("cross.view-output.bias", levels, d, .zero)
    semanticKeyValue = layout.add("cross.semantic-key-value.weight", 2 * d, d, square)
    semanticOutput = layout.addWeight("cross.semantic-output.weight", d, d)
    semanticOutputBias = layout.add("cross.semantic-output.bias", 1, d, .uniform(fanIn: d))
  }

  /// What each branch learns from the other.
  ///
  /// - Parameters:
  ///   - hash: `[T, d]`.
  ///   - views: `[M · T, d]`, view by view.
  ///   - fused: `[T, d]`.
  ///   - weights: of the views, `[T, M]`.
  ///   - sequences: token ranges of the T tokens.
  ///   - tape: where the operations go.
  /// - Returns: what is added to (or, in the published form, replaces) the tokens of the hash and of the semantic
  ///   sequence, `[T, d]` each.
  func exchange(
    hash: Tensor, views: Tensor, fused: Tensor, weights: Tensor, sequences: PackedSequences,
    on tape: Tape
  ) -> (toHash: Tensor, toSemantic: Tensor) {
    let d = hyper.dimension
    let levels = hyper.levelCount
    let projected = tape.linear(hash, hashKeyValueQuery)
    let queries = tape.linearOfViews(views, viewQuery, viewCount: levels)
    let attended = tape.attention(
      q: AttentionInput(queries), k: AttentionInput(projected),
      v: AttentionInput(projected, column: levels * d), sequences: sequences,
      heads: levels * hyper.crossHeadCount, headWidth: d / hyper.crossHeadCount,
      causal: hyper.attention == .causal, rate: 0)
    let toHash = tape.linear(tape.scaleViews(attended, weights: weights), viewOutput)
    tape.addMixture(weights, viewOutputBias, to: toHash)
    let keyValue = tape.linear(fused, semanticKeyValue)
    let answers = tape.attention(
      q: AttentionInput(projected, column: 2 * levels * d), k: AttentionInput(keyValue),
      v: AttentionInput(keyValue, column: d), sequences: sequences, heads: hyper.crossHeadCount,
      headWidth: d / hyper.crossHeadCount, causal: hyper.attention == .causal, rate: 0)
    return (toHash, tape.linear(answers, semanticOutput, bias: semanticOutputBias))
  }
}
