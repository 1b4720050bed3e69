public import Tape

/// The weights of the levels of a semantic ID (H2Rec, Part 1.3, step 3).
public struct GranularityGate: Sendable {
  /// How the granularities of a semantic ID are weighted.
  public enum Kind: String, Sendable, CaseIterable {
    /// From the hash vector of each position.
    case position
    /// From the hash vector of the last position, for the whole sequence (as published; needs `targets last`).
    case user
    /// Learned weights, the same everywhere.
    case `static`
    /// Equal weights.
    case mean
  }

  private enum Form {
    case network(inner: Parameter, innerBias: Parameter, outer: Parameter, outerBias: Parameter)
    case learned(Parameter)
    case equal
  }

  private let form: Form
  private let kind: Kind
  private let levels: Int
  private let dropout: Float
  /// The bias towards coarse levels, 1.0 down to 0.2, `[M]`.
  private let hierarchy: [Float]

  /// Declares the gate, `gate.…`.
  ///
  /// - Parameters:
  ///   - kind: what the weights depend on.
  ///   - d: the width of a branch, above 1.
  ///   - levels: M.
  ///   - dropout: the dropout probability of the inner layer.
  ///   - store: where the parameters are declared.
  public init(
    _ kind: Kind, dimension d: Int, levelCount levels: Int, dropout: Float, in store: ParameterStore
  ) {
    self.kind = kind
    self.levels = levels
    self.dropout = dropout
    hierarchy = (0..<levels).map { levels == 1 ? 1 : 1 - 0.8 * Float($0) / Float(levels - 1) }
    switch kind {
    case .position, .user:
      form = .network(
        inner: store.addWeight("gate.inner.weight", d / 2, d + levels),
        innerBias: store.add("gate.inner.bias", 1, d / 2, .uniform(fanIn: d + levels)),
        outer: store.addWeight("gate.outer.weight", levels, d / 2),
        outerBias: store.add("gate.outer.bias", 1, levels, .uniform(fanIn: d / 2)))
    case .static:
      form = .learned(store.add("gate.logits", 1, levels, .zero))
    case .mean:
      form = .equal
    }
  }

  /// The weights of the levels at every position, `[T, M]`; rows add up to 1.
  public func weights(hash: Tensor, batch: SequenceBatch, on tape: Tape) -> Tensor {
    switch form {
    case .network:
      guard kind == .user else { return networkWeights(hash, tape) }
      let last = tape.rows(hash, batch.sequences.lastTokens)
      return tape.rows(networkWeights(last, tape), batch.sequenceOfToken)
    case .learned(let logits):
      let rows = tape.broadcast(logits, rows: hash.rows)
      return tape.softmax(rows, shift: Array(repeating: 0, count: levels))
    case .equal:
      return tape.tensor(
        rows: hash.rows, columns: levels,
        values: Array(repeating: 1 / Float(levels), count: hash.rows * levels))
    }
  }

  private func networkWeights(_ hash: Tensor, _ tape: Tape) -> Tensor {
    guard case .network(let inner, let innerBias, let outer, let outerBias) = form else {
      preconditionFailure("a gate without a network")
    }
    let hidden = tape.linearReLUDropout(
      tape.appendColumns(hash, constants: hierarchy), inner, bias: innerBias,
      rate: dropout)
    return tape.softmax(tape.linear(hidden, outer, bias: outerBias), shift: hierarchy)
  }
}
