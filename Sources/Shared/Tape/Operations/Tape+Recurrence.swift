internal import CKernels
internal import Numerics

// T tokens, d width of a state, n sequences that are long enough for a step.

extension Tape {
  /// The states of a gated recurrent unit over packed sequences, each from a state of zeros (Cho and others 2014).
  ///
  /// The candidate's reset gate acts on the product, as in cuDNN and PyTorch:
  /// `r = σ(xᵣ + Uᵣ h + bᵣ)`, `z = σ(x_z + U_z h + b_z)`, `c = tanh(x_c + r · (U_c h + b_c))`, `h ← (1 − z) c + z h`.
  ///
  /// - Parameters:
  ///   - x: what the input adds to r, z and c, `[T, 3 d]`.
  ///   - weight: U, `[3 d, d]`.
  ///   - bias: b, `[1, 3 d]`.
  ///   - sequences: token ranges, none empty.
  /// - Returns: the state after each token, `[T, d]`.
  public func recurrence(
    _ x: Tensor, _ weight: Parameter, bias: Parameter, sequences: PackedSequences
  ) -> Tensor {
    let d = weight.columns
    precondition(x.columns == 3 * d && weight.rows == 3 * d && bias.count == 3 * d)
    precondition(x.rows == sequences.tokenCount)
    let y = tensor(rows: x.rows, columns: d)
    let gates = unsafe arena.allocate(x.rows * 4 * d)
    let steps = sequences.tokensByStep
    let widest = steps.first?.count ?? 0
    let states = unsafe arena.allocate(widest * d)
    let projected = unsafe arena.allocate(widest * 3 * d)
    for (number, tokens) in steps.enumerated() {
      unsafe loadStates(y, before: tokens, isFirst: number == 0, into: states)
      let input = unsafe factor(states, rows: tokens.count, columns: d, stride: d)
      unsafe product(
        tokens.count, 3 * d, d, input, factor(weight), transposeB: true, into: projected,
        stride: 3 * d)
      unsafe h2rec_add_bias(projected, value(bias), tokens.count, 3 * d)
      unsafe h2rec_gru_step(
        tokens.count, d, tokens, x.values, projected, states, y.values, gates)
    }
    record(lastFor: y) { [self] in
      let (dy, dx) = unsafe (grad(y), grad(x))
      let stateGradients = unsafe arena.allocate(widest * d)
      for (number, tokens) in steps.enumerated().reversed() {
        unsafe loadStates(y, before: tokens, isFirst: number == 0, into: states)
        unsafe h2rec_gru_step_backward(
          tokens.count, d, tokens, gates, states, dy, dx, projected, stateGradients)
        unsafe h2rec_column_sums(gradient(bias), projected, tokens.count, 3 * d)
        // The first states are zeros that nothing learns from.
        guard number > 0 else { continue }
        let output = unsafe factor(projected, rows: tokens.count, columns: 3 * d, stride: 3 * d)
        let input = unsafe factor(states, rows: tokens.count, columns: d, stride: d)
        unsafe product(
          3 * d, d, tokens.count, output, transposeA: true, input, adds: true,
          into: gradient(weight), stride: d)
        unsafe product(
          tokens.count, d, 3 * d, output, factor(weight), adds: true, into: stateGradients,
          stride: d)
        for (row, token) in tokens.enumerated() {
          unsafe h2rec_add_scaled(dy + (Int(token) - 1) * d, stateGradients + row * d, 1, d)
        }
      }
    }
    return y
  }

  /// Copies the states before some tokens side by side; zeros before the first ones.
  private func loadStates(
    _ y: Tensor, before tokens: [UInt32], isFirst: Bool, into states: UnsafeMutablePointer<Float>
  ) {
    let d = y.columns
    guard !isFirst else {
      unsafe states.update(repeating: 0, count: tokens.count * d)
      return
    }
    for (row, token) in tokens.enumerated() {
      unsafe (states + row * d).update(from: y.values + (Int(token) - 1) * d, count: d)
    }
  }
}

extension PackedSequences {
  /// The tokens at the first position of all sequences, those at the second of all that have one, and so on.
  fileprivate var tokensByStep: [[UInt32]] {
    (0..<UInt32(longest)).map { step in
      zip(offsets, offsets.dropFirst()).filter { $1 - $0 > step }.map { $0.0 + step }
    }
  }
}
