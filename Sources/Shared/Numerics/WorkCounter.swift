internal import Synchronization

/// Hands out 0, 1, 2, … to several threads, each number once.
final class WorkCounter: Sendable {
  private let next = Atomic<Int>(0)

  /// The next number, or nil when all below `limit` are taken.
  func take(below limit: Int) -> Int? {
    let index = next.add(1, ordering: .relaxed).oldValue
    return index < limit ? index : nil
  }
}
