import Models
import Numerics

/// A copy of all parameters, as they were after the best epoch.
struct BestParameters {
  private let originals: [StateBlock]
  private let copies: [AlignedBuffer]

  /// Copies the parameters of a network.
  init(_ network: Network) {
    originals = network.stateBlocks
    copies = originals.map { AlignedBuffer(count: $0.buffer.count) }
    take()
  }

  /// Copies the network's parameters again.
  func take() {
    for (copy, original) in zip(copies, originals) { copy.copy(from: original.buffer) }
  }

  /// Gives the network the copied parameters.
  func restore() {
    for (copy, original) in zip(copies, originals) { original.buffer.copy(from: copy) }
  }

  /// The copies by name.
  var stateBlocks: [StateBlock] {
    zip(copies, originals).map { StateBlock("best-\($1.name)", $0, width: $1.width) }
  }
}
