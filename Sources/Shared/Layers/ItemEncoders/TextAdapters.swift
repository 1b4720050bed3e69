public import Tape

/// A linear map of text vectors, or two with a GELU between them: `W x + b` or `W₂ gelu(W₁ x + b₁) + b₂`.
public struct PlainAdapter: ItemAdapter {
  /// The last map, `[d, E]` or `[d, hidden]`.
  public let weight: Parameter
  /// Its bias, `[1, d]`.
  public let bias: Parameter
  private let hidden: (weight: Parameter, bias: Parameter)?

  /// Declares the parameters, `adapter.…`.
  ///
  /// - Parameters:
  ///   - textWidth: E.
  ///   - width: d.
  ///   - hiddenWidth: of the layer between; nil for one linear map.
  ///   - store: where they are declared.
  public init(
    textWidth: Int, width: Int, hiddenWidth: Int?, in store: ParameterStore
  ) {
    hidden = hiddenWidth.map {
      (
        store.addWeight("adapter.hidden.weight", $0, textWidth),
        store.add("adapter.hidden.bias", 1, $0, .zero)
      )
    }
    weight = store.addWeight("adapter.weight", width, hiddenWidth ?? textWidth)
    bias = store.add("adapter.bias", 1, width, .zero)
  }

  /// `[n, E]` to `[n, d]`.
  public func apply(to x: Tensor, on tape: Tape) -> Tensor {
    let inner = hidden.map { tape.linearGELU(x, $0.weight, bias: $0.bias) } ?? x
    return tape.linear(inner, weight, bias: bias)
  }
}

/// Experts that each map text vectors, mixed by a gate that reads them: `Σ_g softmax(G x)_g (W_g x + b_g)` (UniSRec, Hou and others 2022,
/// equations 1 to 3).
public struct MixedAdapter: ItemAdapter {
  private let experts, bias, gate: Parameter
  private let count: Int

  /// Declares the parameters, `adapter.…`.
  ///
  /// - Parameters:
  ///   - textWidth: E.
  ///   - width: d.
  ///   - expertCount: the number of experts.
  ///   - store: where they are declared.
  public init(textWidth: Int, width: Int, expertCount: Int, in store: ParameterStore) {
    count = expertCount
    experts = store.add(
      "adapter.experts.weight", expertCount * width, textWidth,
      .xavier(fanIn: textWidth, fanOut: width))
    bias = store.add("adapter.experts.bias", 1, expertCount * width, .zero)
    gate = store.addWeight("adapter.gate.weight", expertCount, textWidth)
  }

  /// `[n, E]` to `[n, d]`.
  public func apply(to x: Tensor, on tape: Tape) -> Tensor {
    let shares = tape.softmax(
      tape.linear(x, gate), shift: [Float](repeating: 0, count: count))
    let views = tape.linear(x, experts, bias: bias)
    return tape.sumOfViews(tape.scaleViews(views, weights: shares), count: count)
  }
}
