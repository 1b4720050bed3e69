internal import Tape

/// Which tokens a filter along time sees.
public enum FilterReach: String, Sendable, CaseIterable {
  /// Itself and earlier ones: each token has what it would have as the last one of the window.
  case causal
  /// The whole window, around which the filter goes, as a product of spectra does.
  case window
}

/// A filter along time, by its frequencies.
public struct FilterShape: Sendable, Equatable {
  /// What is learned.
  public enum Kind: Sendable, Equatable {
    /// The share, for each channel, of all but so many lowest frequencies; these pass.
    case lowPass(keeping: Int)
    /// A complex factor for each frequency and channel.
    case learned
  }

  /// What is learned.
  public var kind: Kind
  /// The positions of the window, L; no sequence is longer.
  public var length: Int
  /// Which tokens it sees.
  public var reach = FilterReach.causal
  /// What the filter counts beside attention, from above 0 to 1, with which there is no attention.
  public var share: Float = 1

  /// A filter of a window of `length` positions.
  public init(_ kind: Kind, length: Int) {
    self.kind = kind
    self.length = length
  }
}

/// The parameters of one filter, and the kernel that they make.
struct FrequencyFilter: Sendable {
  private enum Form {
    case lowPass([Float], root: Parameter)
    case learned(WindowFrequencies, Parameter)
  }

  private let form: Form
  private let mask: AttentionMask

  /// Declares the parameters, `name.…`.
  init(_ shape: FilterShape, dimension d: Int, name: String, in store: ParameterStore) {
    let frequencies = WindowFrequencies(length: shape.length)
    mask = shape.reach == .causal ? .causal : .bidirectional
    switch shape.kind {
    case .lowPass(let kept):
      form = .lowPass(
        frequencies.lowPass(keeping: kept), root: store.add("\(name).root", 1, d, .normal(1)))
    case .learned:
      form = .learned(
        frequencies, store.add("\(name).weight", 2 * frequencies.count, d, .normal(0.02)))
    }
  }

  /// What the tokens that are read have after the filter.
  func apply(to x: Tensor, _ readers: BlockReaders, on tape: Tape) -> Tensor {
    let kernel =
      switch form {
      case .lowPass(let low, let root): tape.lowPassKernel(low, root: root)
      case .learned(let frequencies, let weight): tape.product(frequencies.synthesis, weight)
      }
    return readers.filter(x, kernel, mask: mask, on: tape)
  }
}
