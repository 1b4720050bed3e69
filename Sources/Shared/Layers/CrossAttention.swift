public import Tape

/// The two cross-attentions between the branches (H2Rec, Part 1.3, steps 2 to 4).
///
/// Semantic views query the hash sequence, one attention for each level, mixed by the gate; the hash sequence
/// queries the fused semantic sequence. Projections that share their input are one product.
public struct CrossAttention: Sendable {
  private let viewQuery, hashKeyValueQuery, viewOutput, viewOutputBias: Parameter
  private let semanticKeyValue, semanticOutput, semanticOutputBias: Parameter
  private let d: Int
  private let levels: Int
  private let headCount: Int
  private let isCausal: Bool

  /// Declares the projections, `cross.…`.
  ///
  /// - Parameters:
  ///   - d: the width of a branch; a multiple of `headCount`.
  ///   - levels: M.
  ///   - headCount: the heads of each attention.
  ///   - isCausal: whether a position sees only itself and earlier ones.
  ///   - store: where the parameters are declared.
  public init(
    dimension d: Int, levelCount levels: Int, headCount: Int, isCausal: Bool,
    in store: ParameterStore
  ) {
    self.d = d
    self.levels = levels
    self.headCount = headCount
    self.isCausal = isCausal
    let square = Initialization.xavier(fanIn: d, fanOut: d)
    viewQuery = store.add("cross.view-query.weight", levels * d, d, square)
    hashKeyValueQuery = store.add(
      "cross.hash-key-value-query.weight", (2 * levels + 1) * d, d, square)
    viewOutput = store.add("cross.view-output.weight", d, levels * d, square)
    viewOutputBias = store.add("cross.view-output.bias", levels, d, .zero)
    semanticKeyValue = store.add("cross.semantic-key-value.weight", 2 * d, d, square)
    semanticOutput = store.addWeight("cross.semantic-output.weight", d, d)
    semanticOutputBias = store.add("cross.semantic-output.bias", 1, d, .uniform(fanIn: d))
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
  public func exchange(
    hash: Tensor, views: Tensor, fused: Tensor, weights: Tensor, sequences: PackedSequences,
    on tape: Tape
  ) -> (toHash: Tensor, toSemantic: Tensor) {
    let projected = tape.linear(hash, hashKeyValueQuery)
    let queries = tape.linearOfViews(views, viewQuery, viewCount: levels)
    let attended = tape.attention(
      q: AttentionInput(queries), k: AttentionInput(projected),
      v: AttentionInput(projected, column: levels * d), sequences: sequences,
      heads: levels * headCount, headWidth: d / headCount,
      causal: isCausal, rate: 0)
    let toHash = tape.linear(tape.scaleViews(attended, weights: weights), viewOutput)
    tape.addMixture(weights, viewOutputBias, to: toHash)
    let keyValue = tape.linear(fused, semanticKeyValue)
    let answers = tape.attention(
      q: AttentionInput(projected, column: 2 * levels * d), k: AttentionInput(keyValue),
      v: AttentionInput(keyValue, column: d), sequences: sequences, heads: headCount,
      headWidth: d / headCount, causal: isCausal, rate: 0)
    return (toHash, tape.linear(answers, semanticOutput, bias: semanticOutputBias))
  }
}
