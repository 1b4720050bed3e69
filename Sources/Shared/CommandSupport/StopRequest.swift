internal import Glibc
internal import Synchronization

/// Whether somebody has asked the program to stop, by SIGTERM or SIGINT.
///
/// Outside of ``watch()`` and ``endWatch()`` these signals end a program at once, which is right for every stage whose
/// work is short. A second signal changes nothing: `make` passes SIGTERM on to programs that the system has already told
/// to stop.
public enum StopRequest {
  /// From now on SIGTERM and SIGINT are only noted; SIGQUIT and SIGKILL still end the program at once.
  public static func watch() {
    // Initialised before the first signal can arrive.
    isStopAsked.store(false, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in isStopAsked.store(true, ordering: .relaxed) }
    action.sa_flags = SA_RESTART
    sigaction(SIGTERM, &action, nil)
    sigaction(SIGINT, &action, nil)
  }

  /// From now on SIGTERM and SIGINT end the program at once again, unless one has arrived: the program is ending then.
  public static func endWatch() {
    guard !isMade else { return }
    signal(SIGTERM, SIG_DFL)
    signal(SIGINT, SIG_DFL)
  }

  /// Whether a signal has arrived since ``watch()``.
  public static var isMade: Bool { isStopAsked.load(ordering: .relaxed) }
}

private let isStopAsked = Atomic(false)
