internal import Glibc
internal import Synchronization
internal import Threading

/// Whether the program has been asked to stop, by SIGTERM or SIGINT.
///
/// Outside of ``watch()`` and ``endWatch()`` these signals end a program at once, which is right for all work that is
/// not worth saving. Inside, a program that has not looked within ten seconds is ended all the same. A second signal changes
/// nothing: `make` passes SIGTERM on to programs that the system has already told to stop.
///
/// The signals are held back and asked for, never handled: the generated code of oneDNN uses the stack pointer as an
/// ordinary register, so the frame of a handler would be written over the matrices.
public enum StopRequest {
  /// Whether the program has seen the request: it is ending then, however long the saving takes.
  private static let isSeen = Atomic(false)
  private static let isWatched = Atomic(false)
  /// How often a request is looked for, and how many times before the program is ended.
  private static let interval: useconds_t = 250_000
  private static let patience = 40

  /// From now on SIGTERM and SIGINT are only noted; SIGQUIT and SIGKILL still end the program at once.
  ///
  /// Where the system refuses the thread that looks after it, the signals keep ending the program at once.
  public static func watch() {
    var signals = stopSignals
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    guard !isWatched.exchange(true, ordering: .relaxed) else { return }
    if startThread({ guardPatience() }) != 0 { pthread_sigmask(SIG_UNBLOCK, &signals, nil) }
  }

  /// From now on SIGTERM and SIGINT end the program at once again, unless one has arrived: the program is ending then.
  public static func endWatch() {
    guard !isMade else { return }
    var signals = stopSignals
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Whether a signal has arrived since ``watch()``.
  public static var isMade: Bool {
    guard isPending else { return false }
    isSeen.store(true, ordering: .relaxed)
    return true
  }

  private static var isPending: Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1
  }

  /// Ends the program by the signal that has arrived, if the program does not see it in time.
  private static func guardPatience() {
    var count = 0
    while count < patience {
      usleep(interval)
      count = isPending && !isSeen.load(ordering: .relaxed) ? count + 1 : 0
    }
    var signals = stopSignals
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  private static var stopSignals: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    return signals
  }
}
