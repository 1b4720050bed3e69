internal import CKernels
internal import Glibc

/// The owner of a zeroed block of floats, aligned to 64 bytes, that never moves and is never copied silently.
///
/// A class because several tapes and threads refer to the same parameters; who may write when is decided by the
/// phases of a training step (see `Documentation/Decisions/0019-phases-of-a-step.md`), never by locks.
@safe public final class AlignedBuffer: @unchecked Sendable {
  /// The number of floats.
  public let count: Int
  package let base: UnsafeMutablePointer<Float>
  private let allocation: UnsafeMutableRawPointer
  private static let alignment = 64

  /// Allocates zeros; a large block takes memory only where it is touched.
  public init(count: Int) {
    self.count = count
    guard let memory = unsafe calloc(max(1, count) * MemoryLayout<Float>.stride + Self.alignment, 1)
    else { fatalError("no memory for \(count) floats") }
    unsafe allocation = memory
    let aligned = unsafe memory.alignedUp(toMultipleOf: Self.alignment)
    unsafe base = aligned.bindMemory(to: Float.self, capacity: max(1, count))
  }

  deinit { unsafe free(allocation) }

  /// One element.
  ///
  /// - Precondition: the index is in range.
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count)
      return unsafe base[index]
    }
    set {
      precondition(index >= 0 && index < count)
      unsafe base[index] = newValue
    }
  }

  /// A copy of a range.
  public func array(_ range: Range<Int>) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return unsafe Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// A copy of everything.
  public var array: [Float] { array(0..<count) }

  /// Overwrites the elements from `start` on.
  public func set(_ values: [Float], at start: Int = 0) {
    precondition(start >= 0 && start + values.count <= count)
    unsafe values.withUnsafeBufferPointer {
      if let source = $0.baseAddress {
        unsafe (base + start).update(from: source, count: values.count)
      }
    }
  }

  /// Overwrites everything with one value.
  public func fill(_ value: Float) {
    unsafe base.update(repeating: value, count: count)
  }

  /// Overwrites everything with the elements of a buffer of the same size.
  public func copy(from other: AlignedBuffer) {
    precondition(count == other.count)
    unsafe base.update(from: other.base, count: count)
  }

  /// Whether every element is finite.
  public var isFinite: Bool {
    // A sum of squares is finite exactly when no element is NaN or infinite (in Double it cannot overflow).
    unsafe h2rec_sum_of_squares(base, count).isFinite
  }
}

extension AlignedBuffer {
  /// Adds other buffers of the same size, element by element, in their order.
  ///
  /// - Parameters:
  ///   - others: buffers of the same size.
  ///   - threads: the largest number of threads.
  public func add(_ others: [AlignedBuffer], threads: Int) {
    precondition(others.allSatisfy { $0.count == count })
    guard !others.isEmpty else { return }
    let blocks = ranges(count, of: 16_384)
    parallelFor(blocks.count, threads: threads) { block in
      let range = blocks[block]
      for other in others {
        unsafe h2rec_add_scaled(
          base + range.lowerBound, other.base + range.lowerBound, 1, range.count)
      }
    }
  }
}
