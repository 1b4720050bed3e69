internal import Glibc
public import ShardIO
public import SystemPackage

/// Stages that run one after another on one RUN, under one lock: what make and cron start.
///
/// The status of a stage that fails becomes that of the whole, and nothing runs after it. A signal that ends programs is
/// passed on to the stage under way.
public struct StagePipeline {
  /// The variable of the environment that makes a program check its options and do nothing else.
  static let checkVariable = "H2REC_CHECK_OPTIONS"

  /// The variable of the environment by which a stage with `--if-needed` only says whether it would run, by its status.
  public static let askVariable = "H2REC_ASK"
  /// The status of a stage that was asked and would run; 0 if it would not.
  public static let wouldRun: Int32 = 3

  private let run: FilePath
  private let commands: [[String]]

  /// Creates a pipeline.
  ///
  /// - Parameters:
  ///   - run: the folder of all outputs.
  ///   - commands: the words of each command line, the path of the program first.
  public init(run: FilePath, commands: [[String]]) {
    self.run = run
    self.commands = commands
  }

  /// Checks the options of all stages, then runs one after another; returns when all have ended well.
  ///
  /// - Throws: `PipelineError`: `.temporaryFailure` if another run is under way or a signal stopped this one;
  ///   `.missingInput` if a program cannot be started; `.internalError` if one crashes. A stage that fails has said why,
  ///   and ends this program with its status.
  public func start() throws(PipelineError) {
    ChildProgram.holdSignals()
    let lock = try RunLock(run: run)
    setenv(RunLock.variable, String(try lock.handOn()), 1)
    let status = try Self.checkOptions(of: commands, in: run)
    if status != 0 { exit(status) }
    for command in commands { try start(command) }
    _ = consume lock
  }

  /// Lets programs check their options, and do nothing else, one after another.
  ///
  /// - Returns: the status of the first that refuses them, which has said why; 0 if none does.
  /// - Throws: as ``start(_:in:allowing:output:)``.
  public static func checkOptions(
    of commands: [[String]], in run: FilePath
  ) throws(PipelineError) -> Int32 {
    setenv(checkVariable, "1", 1)
    defer { unsetenv(checkVariable) }
    for command in commands {
      let status = try start(command, in: run)
      if status != 0 { return status }
    }
    return 0
  }

  /// Takes the lock of a RUN for the programs that `body` starts by ``start(_:in:allowing:output:)``.
  ///
  /// - Throws: `PipelineError` `.temporaryFailure` if another run is under way; what `body` throws.
  public static func withLock<Result>(
    of run: FilePath, _ body: () throws -> Result
  ) throws -> Result {
    ChildProgram.holdSignals()
    let lock = try RunLock(run: run)
    setenv(RunLock.variable, String(try lock.handOn()), 1)
    let result = try body()
    _ = consume lock
    return result
  }

  private func start(_ command: [String]) throws(PipelineError) {
    let status = try Self.start(command, in: run)
    if status != 0 { exit(status) }
  }

  /// Runs a command line of a RUN whose lock is held; a signal is passed on to it.
  ///
  /// - Parameters:
  ///   - command: the path of the program, then its arguments.
  ///   - run: the RUN, for messages.
  ///   - allowed: statuses beside the documented ones that are an answer.
  ///   - output: a file that gets what it prints, errors too; nil for where this program prints.
  /// - Returns: its status, 0 or one of the documented ones.
  /// - Throws: `PipelineError`: `.temporaryFailure` if a signal stopped it; `.missingInput` if it cannot be started;
  ///   `.internalError` if it crashed.
  public static func start(
    _ command: [String], in run: FilePath, allowing allowed: Set<Int32> = [],
    output: FilePath? = nil
  ) throws(PipelineError) -> Int32 {
    func stopped(before name: String) -> PipelineError {
      PipelineError(
        .temporaryFailure, "stopped by a signal before \(name)", at: .init(path: run.string),
        note: "the same command goes on from there")
    }
    let name = command.first.flatMap { FilePath($0).lastComponent?.string } ?? ""
    guard !ChildProgram.isStopAsked else { throw stopped(before: name) }
    let (end, isStopped) = try ChildProgram(command, output: output).wait()
    switch end {
    case .exited(0):
      if isStopped { throw stopped(before: "the next stage") }
      return 0
    case .exited(let status) where allowed.contains(status): return status
    case .exited(let status): return Self.status(status, isStopped: isStopped)
    case .killed(let signal) where isStopped || ChildProgram.passedOn.contains(signal):
      throw PipelineError(
        .temporaryFailure, "\(name) was stopped by a signal; its output is the one from before",
        at: .init(path: run.string), note: "the same command goes on with this stage")
    case .killed(SIGKILL):
      throw PipelineError(
        .temporaryFailure, "\(name) was killed, perhaps since the system had no memory left",
        at: .init(path: run.string),
        note: "its output is the one from before; see the system's log, and give it more memory")
    case .killed(let signal):
      throw PipelineError(
        .internalError, "\(name) crashed (\(String(cString: strsignal(signal))))",
        at: .init(path: run.string), note: "its output is the one from before")
    }
  }

  /// The status of this program for that of a stage: one of the documented ones.
  private static func status(_ status: Int32, isStopped: Bool) -> Int32 {
    if let kind = PipelineError.Kind(rawValue: status) { return kind.rawValue }
    // A shell that stands between says that its program was killed by adding 128.
    return
      (isStopped && status > 128
      ? PipelineError.Kind.temporaryFailure : PipelineError.Kind.internalError).rawValue
  }
}
