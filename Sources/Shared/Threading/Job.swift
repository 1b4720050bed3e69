internal import Synchronization

/// Pieces of work that several threads take one after another.
///
/// The closure stays with the caller, who waits until every helper has left: a job points at it and never owns it.
@safe final class Job: Sendable {
  typealias Body = @Sendable (Int) -> Void

  private let count: Int
  private nonisolated(unsafe) let body: UnsafePointer<Body>
  private let next = Atomic(0)
  /// The threads that may still join; changed under the lock of the pool alone.
  let places: Atomic<Int>
  /// The threads beside the caller that are at work; changed under the lock of the pool alone.
  let helpers = Atomic(0)
  /// What the caller sleeps on; set and read under the lock of the pool alone.
  nonisolated(unsafe) var finished: Semaphore?

  init(count: Int, places: Int, body: UnsafePointer<Body>) {
    self.count = count
    self.places = Atomic(places)
    unsafe self.body = unsafe body
  }

  /// Whether another thread would find something to do.
  var isOpen: Bool {
    places.load(ordering: .relaxed) > 0 && next.load(ordering: .relaxed) < count
  }

  /// Does pieces until none is left.
  ///
  /// Never inlined, so that no reference to the closure outlives the call.
  @inline(never) func work() {
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      unsafe body.pointee(index)
    }
  }
}
