internal import Glibc

/// Whether somebody has asked the program to stop, by SIGTERM or SIGINT.
///
/// Outside of ``watch()`` and ``endWatch()`` these signals end a program at once, which is right for every stage whose
/// work is short. A second signal changes nothing: `make` passes SIGTERM on to programs that the system has already told
/// to stop.
///
/// The signals are held back and asked for, never handled: the generated code of oneDNN uses the stack pointer as an
/// ordinary register, so the frame of a handler would be written over the matrices.
public enum StopRequest {
  /// From now on SIGTERM and SIGINT are only noted; SIGQUIT and SIGKILL still end the program at once.
  ///
  /// To be called before the first thread is started: threads inherit what is held back.
  public static func watch() {
    var signals = stopSignals
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// From now on SIGTERM and SIGINT end the program at once again, unless one has arrived: the program is ending then.
  public static func endWatch() {
    guard !isMade else { return }
    var signals = stopSignals
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Whether a signal has arrived since ``watch()``.
  public static var isMade: Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1
  }

  private static var stopSignals: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    return signals
  }
}
