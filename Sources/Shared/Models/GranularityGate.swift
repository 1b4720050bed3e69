internal import Tape

/// The weights of the levels of a semantic ID (H2Rec, Part 1.3, step 3).
struct GranularityGate {
  private enum Form {
    case network(inner: Parameter, innerBias: Parameter, outer: Parameter, outerBias: Parameter)
    case learned(Parameter)
    case equal
  }

  private let form: Form
  private let hyper: Hyperparameters
  /// The bias towards coarse levels, 1.0 down to 0.2, `[M]`.
  private let hierarchy: [Float]

  init(_ hyper: Hyperparameters, layout: inout ParameterLayout) {
    self.hyper = hyper
    let d = hyper.dimension
    let levels = hyper.levelCount
    hierarchy = (0..<levels).map { levels == 1 ? 1 : 1 - 0.8 * Float($0) / Float(levels - 1) }
    switch hyper.gate {
    case .position, .user:
      form = .network(
        inner: layout.addWeight("gate.inner.weight", d / 2, d + levels),
        innerBias: layout.add("gate.inner.bias", 1, d / 2, .uniform(fanIn: d + levels)),
        outer: layout.addWeight("gate.outer.weight", levels, d / 2),
        outerBias: layout.add("gate.outer.bias", 1, levels, .uniform(fanIn: d / 2)))
    case .static:
      form = .learned(layout.add("gate.logits", 1, levels, .zero))
    case .mean:
      form = .equal
    }
  }

  /// The weights of the levels at every position, `[T, M]`; rows add up to 1.
  func weights(hash: Tensor, batch: SequenceBatch, on tape: Tape) -> Tensor {
    let levels = hyper.levelCount
    switch form {
    case .network:
      guard hyper.gate == .user else { return networkWeights(hash, tape) }
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
      rate: hyper.dropout.gate)
    return tape.softmax(tape.linear(hidden, outer, bias: outerBias), shift: hierarchy)
  }
}
