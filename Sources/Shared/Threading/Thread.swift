internal import Glibc

/// Enough for the deepest kernel, and little where the address space is limited.
private let stackByteCount = 4 << 20

/// What a new thread does.
@safe private final class Errand: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Makes a thread that holds all signals back: they are for the thread that started the program.
///
/// - Parameter body: what it does; the thread ends with it.
/// - Returns: 0, or the error number of `pthread_create` if the system refuses.
public func startThread(_ body: @escaping @Sendable () -> Void) -> Int32 {
  var attributes = pthread_attr_t()
  unsafe pthread_attr_init(&attributes)
  defer { unsafe pthread_attr_destroy(&attributes) }
  unsafe pthread_attr_setstacksize(&attributes, stackByteCount)
  unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  var all = sigset_t()
  var before = sigset_t()
  unsafe sigfillset(&all)
  unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
  defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
  let errand = unsafe Unmanaged.passRetained(Errand(body))
  var thread = pthread_t()
  let error = unsafe pthread_create(
    &thread, &attributes,
    { context in
      if let context = unsafe context {
        unsafe Unmanaged<Errand>.fromOpaque(context).takeRetainedValue().body()
      }
      return nil
    }, errand.toOpaque())
  if error != 0 { unsafe errand.release() }
  return error
}
