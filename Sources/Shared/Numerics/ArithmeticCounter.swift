private import Synchronization

/// Counts the floating-point operations that a computation needs, for benchmarks: what a program achieves is compared
/// with what the machine could do.
///
/// Counted are matrix products and attention, where nearly all arithmetic is; a multiplication and an addition are two.
public enum ArithmeticCounter {
  private static let count = Atomic<Int>(0)

  /// The operations so far in this process.
  public static var total: Int { count.load(ordering: .relaxed) }

  /// Adds operations; any number of threads may count at the same time.
  package static func add(_ operations: Int) {
    count.add(operations, ordering: .relaxed)
  }
}
