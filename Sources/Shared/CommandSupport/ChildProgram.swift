internal import Glibc
internal import ShardIO
internal import SystemPackage

/// A program that is started, told to stop when we are, and waited for.
struct ChildProgram {
  /// How it ended.
  enum End: Equatable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  private let process: pid_t

  /// The signals that are passed on instead of ending this program.
  static let passedOn = [SIGTERM, SIGINT, SIGHUP]

  /// Holds back the signals that ``wait()`` asks for; to be called before the first program is started.
  static func holdSignals() {
    var signals = waitedFor
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - words: the path of the program, then its arguments.
  ///   - output: a file that gets what it prints, errors too; nil for where this program prints.
  /// - Throws: `PipelineError` `.missingInput` if it cannot be started.
  init(_ words: [String], output: FilePath? = nil) throws(PipelineError) {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The program is not to inherit that signals are held back.
    var mask = sigset_t()
    sigemptyset(&mask)
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    if let output {
      posix_spawn_file_actions_addopen(
        &files, 1, output.string, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
      posix_spawn_file_actions_adddup2(&files, 1, 2)
    }
    var started: pid_t = 0
    let cause = posix_spawnp(&started, words.first ?? "", &files, &attributes, &arguments, environ)
    guard cause == 0 else {
      throw PipelineError(
        .missingInput, "cannot start the program: \(String(cString: strerror(cause)))",
        at: .init(path: words.first ?? ""),
        note: "BIN is the folder of the four programs; without it they are built")
    }
    process = started
  }

  /// Waits for the end of the program, and passes signals on to it.
  ///
  /// - Returns: how it ended, and whether a signal told us to stop.
  func wait() -> (end: End, isStopped: Bool) {
    var isStopped = false
    var signals = Self.waitedFor
    while true {
      var status: Int32 = 0
      if waitpid(process, &status, WNOHANG) == process {
        let signal = status & 0x7F
        return (signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal), isStopped)
      }
      var signal: Int32 = 0
      guard sigwait(&signals, &signal) == 0, signal != SIGCHLD else { continue }
      isStopped = true
      kill(process, signal)
    }
  }

  /// Whether a signal that would be passed on has come while no program was running.
  static var isStopAsked: Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return passedOn.contains { sigismember(&pending, $0) == 1 }
  }

  private static var waitedFor: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in passedOn + [SIGCHLD] { sigaddset(&signals, signal) }
    return signals
  }
}
