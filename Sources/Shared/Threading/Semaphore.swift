internal import Glibc

/// A counter that threads sleep on while it is 0.
@safe final class Semaphore: Sendable {
  private nonisolated(unsafe) let handle: UnsafeMutablePointer<sem_t>

  init() {
    unsafe handle = .allocate(capacity: 1)
    // Fails only for a value above the largest.
    _ = unsafe sem_init(handle, 0, 0)
  }

  deinit {
    unsafe sem_destroy(handle)
    unsafe handle.deallocate()
  }

  /// Raises the counter and wakes one thread that sleeps on it.
  func post() { _ = unsafe sem_post(handle) }

  /// Sleeps while the counter is 0, then lowers it.
  func wait() {
    while unsafe sem_wait(handle) != 0 {}
  }
}
