/// The gradient of a tensor: memory that the tape lends at its first use, zeros until it is written.
///
/// The gradients of a whole micro-batch would not fit into the caches; those that are alive at the same time do.
@safe final class GradientMemory {
  /// The number of floats.
  let count: Int
  private unowned let tape: Tape
  private var place: UnsafeMutablePointer<Float>?
  private var isOver = false

  /// A gradient of zeros that takes no memory yet.
  init(count: Int, of tape: Tape) {
    self.count = count
    self.tape = tape
  }

  /// All elements, for those who add to them.
  var elements: UnsafeMutablePointer<Float> {
    if let place = unsafe place { return unsafe place }
    let place = unsafe take()
    unsafe place.update(repeating: 0, count: count)
    return unsafe place
  }

  /// Memory with unspecified contents, to be written whole; nil where it was written before.
  func takeFirst() -> UnsafeMutablePointer<Float>? {
    unsafe place == nil ? unsafe take() : nil
  }

  private func take() -> UnsafeMutablePointer<Float> {
    precondition(!isOver, "a gradient is asked for after its last use")
    let taken = unsafe tape.lendGradient(count)
    unsafe place = taken
    return unsafe taken
  }

  /// Gives the memory back after its last use.
  func end() {
    if let place = unsafe place { unsafe tape.returnGradient(place, count) }
    unsafe place = nil
    isOver = true
  }
}
