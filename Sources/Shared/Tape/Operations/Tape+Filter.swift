internal import CKernels
public import Numerics

/// The frequencies of a window of L positions, as a discrete Fourier transform has them.
///
/// A product of spectra is a circular convolution of windows, so a filter needs no transform of its input: it is a kernel
/// with a row for each lag, and ⌊L / 2⌋ + 1 frequencies determine it.
public struct WindowFrequencies: Sendable {
  /// The number of positions, L.
  public let length: Int

  /// The frequencies of a window.
  ///
  /// - Precondition: `length` is at least 1.
  public init(length: Int) {
    precondition(length >= 1)
    self.length = length
  }

  /// The number of frequencies, from that of the mean up to the highest, F = ⌊L / 2⌋ + 1.
  public var count: Int { length / 2 + 1 }

  /// The kernel of the filter that keeps the lowest frequencies, `[L]`.
  ///
  /// - Parameter kept: how many, the mean among them; from 1 to ``count``.
  /// - Returns: the factor of the input at each lag.
  public func lowPass(keeping kept: Int) -> [Float] {
    precondition((1...count).contains(kept))
    return (0..<length).map { lag in
      Float((0..<kept).reduce(0.0) { $0 + share($1) * cosine(angle($1, lag)) })
    }
  }

  /// What maps a complex factor for each frequency to the kernel with these factors, `[L, 2 F]`: real parts, then imaginary ones.
  public var synthesis: Matrix {
    let rows = (0..<length).map { lag in
      (0..<count).map { Float(share($0) * cosine(angle($0, lag))) }
        + (0..<count).map { Float(-share($0) * sine(angle($0, lag))) }
    }
    return Matrix(rows: length, columns: 2 * count, values: rows.flatMap { $0 })
  }

  private func angle(_ frequency: Int, _ lag: Int) -> Double {
    2 * Double.pi * Double(frequency * lag % length) / Double(length)
  }

  /// 1 / L for a frequency that is its own mirror image, 2 / L for one that stands for two.
  private func share(_ frequency: Int) -> Double {
    (frequency == 0 || 2 * frequency == length ? 1 : 2) / Double(length)
  }
}

extension Tape {
  /// `y = constants · weight`.
  ///
  /// - Parameters:
  ///   - constants: `[n, k]`.
  ///   - weight: `[k, d]`.
  /// - Returns: `[n, d]`.
  public func product(_ constants: Matrix, _ weight: Parameter) -> Tensor {
    let (n, k, d) = (constants.rows, constants.columns, weight.columns)
    precondition(weight.rows == k)
    let y = tensor(rows: n, columns: d)
    unsafe matrixMultiply(n, d, k, constants.values, k, value(weight), d, y.values, d)
    record(lastFor: y) { [self] in
      unsafe matrixMultiply(
        k, d, n, constants.values, k, transposeA: true, grad(y), d, beta: 1, gradient(weight), d)
    }
    return y
  }

  /// The kernel of a low pass that lets a learned share of the other frequencies through: `low + root² · (1 − low)`, where 1 is the
  /// kernel that changes nothing.
  ///
  /// - Parameters:
  ///   - low: the kernel of the low pass, `[L]`.
  ///   - root: the root of the share, for each channel, `[1, d]`.
  /// - Returns: `[L, d]`.
  public func lowPassKernel(_ low: [Float], root: Parameter) -> Tensor {
    let y = tensor(rows: low.count, columns: root.count)
    unsafe h2rec_low_pass_kernel(low, value(root), y.values, y.rows, y.columns)
    record(lastFor: y) { [self] in
      unsafe h2rec_low_pass_kernel_backward(
        low, value(root), grad(y), gradient(root), y.rows, y.columns)
    }
    return y
  }

  /// Convolves each channel of each sequence with a kernel of its own: `y[i] = Σ_j kernel[(i − j) mod L] · x[j]` over the tokens j that i
  /// sees; beyond its tokens a window of L positions holds zeros.
  ///
  /// With ``AttentionMask/bidirectional`` the convolution is circular, as a product of spectra is. With
  /// ``AttentionMask/causal`` a token has what it would have as the last one of the window.
  ///
  /// - Parameters:
  ///   - x: `[T, d]`.
  ///   - kernel: `[L, d]`, a row for each lag.
  ///   - queries: which rows of the result each sequence has; they stand at the last of its positions.
  ///   - keys: which rows of `x`; as many sequences, of at most L tokens, none with fewer tokens than queries.
  ///   - mask: which tokens a position sees.
  ///   - y: where the result goes, `[queries, d]`; a new tensor if nil.
  /// - Returns: `y`.
  @discardableResult
  public func filter(
    _ x: Tensor, _ kernel: Tensor, queries: PackedSequences, keys: PackedSequences,
    mask: AttentionMask, into y: Tensor? = nil
  ) -> Tensor {
    let y = y ?? tensor(rows: queries.tokenCount, columns: x.columns)
    precondition(y.rows == queries.tokenCount && y.columns == x.columns)
    precondition(x.rows == keys.tokenCount && kernel.columns == x.columns)
    precondition(queries.count == keys.count && keys.longest <= kernel.rows)
    precondition(zip(queries.lengths, keys.lengths).allSatisfy { $0 <= $1 })
    func withShape(_ body: (h2rec_filter_shape) -> Void) {
      unsafe queries.offsets.withUnsafeBufferPointer { queryOffsets in
        unsafe keys.offsets.withUnsafeBufferPointer { keyOffsets in
          unsafe body(
            h2rec_filter_shape(
              queries: queryOffsets.baseAddress, keys: keyOffsets.baseAddress,
              sequences: queries.count, length: kernel.rows, width: x.columns,
              mask: mask == .causal ? h2rec_earlier_keys : h2rec_all_keys))
        }
      }
    }
    unsafe withShape { unsafe h2rec_filter($0, x.values, kernel.values, y.values) }
    record(lastFor: y) { [self] in
      unsafe withShape {
        unsafe h2rec_filter_backward(
          $0, x.values, kernel.values, grad(y), grad(x), grad(kernel))
      }
    }
    return y
  }
}
