internal import Numerics
public import Tape

/// The states of all positions of a batch and their gradient, gathered from its micro-batches.
@safe public final class BatchStates: @unchecked Sendable {
  /// The number of positions, T.
  public private(set) var count = 0
  /// The number of floats in a state: d for each branch.
  public let width: Int
  private let memory = ScratchBuffer()
  private let gradientMemory = ScratchBuffer()

  /// Creates an empty batch.
  public init(width: Int) {
    self.width = width
  }

  /// Makes room for `count` states, each of which must then be received.
  public func resize(_ count: Int) {
    self.count = count
    _ = unsafe memory.reserve(count * width)
    _ = unsafe gradientMemory.reserve(count * width)
  }

  package var values: UnsafeMutablePointer<Float> { unsafe memory.reserve(count * width) }
  package var gradient: UnsafeMutablePointer<Float> {
    unsafe gradientMemory.reserve(count * width)
  }

  /// Takes the values of a micro-batch's states, whose first one is number `first`, and clears their gradient.
  ///
  /// Micro-batches may come from several threads, after ``resize(_:)``.
  public func receive(_ states: Tensor, at first: Int) {
    precondition(states.columns == width && first + states.rows <= count)
    unsafe (values + first * width).update(from: states.values, count: states.count)
    unsafe (gradient + first * width).update(repeating: 0, count: states.count)
  }

  /// Gives a micro-batch's states their gradient.
  public func passGradient(to states: Tensor, from first: Int) {
    precondition(states.columns == width && first + states.rows <= count)
    guard let target = unsafe states.gradient else { return }
    unsafe target.update(from: gradient + first * width, count: states.count)
  }
}
