import Glibc

/// A file in memory that is given new contents for every input.
final class InputFile: Sendable {
  private let descriptor: CInt

  init() {
    let path = "/dev/shm/fuzz-\(getpid())"
    descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0, "cannot create \(path): \(errno)")
    // It stays open, and is gone with the process, however that ends.
    unlink(path)
  }

  /// The path under which readers open it, from its start each time.
  var path: String { "/proc/self/fd/\(descriptor)" }

  func replaceContents(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    precondition(ftruncate(descriptor, 0) == 0)
    precondition(pwrite(descriptor, start, count, 0) == count)
  }
}
