public import ArgumentParser
internal import Dispatch
internal import Foundation
public import Logging

/// The options that every stage has.
public struct SharedOptions: ParsableArguments {
  /// The seed of every random choice.
  @Option(help: "Seed of every random choice.")
  public var seed: UInt64 = 42

  @Option(
    name: .customLong("threads"),
    help: ArgumentHelp(
      "Threads that work at once; the outputs do not depend on it. (default: all processors)",
      valueName: "threads"))
  var threadLimit: Int?

  /// The threads that may work at once; the outputs do not depend on it.
  public var threads: Int { threadLimit ?? SharedOptions.processorCount }

  /// Whether to be silent on success.
  @Flag(help: "Show no progress; print the summary only.")
  public var quiet = false

  /// The least severe log lines that are shown.
  @Option(
    help: "Least severe log lines to show: trace, debug, info, notice, warning, error, critical.")
  public var logLevel: Logger.Level = .warning

  /// Creates the options with their defaults.
  public init() {}

  /// Refuses values that cannot work.
  public func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("'--threads' must be from 1 to 1024, not \(threads).")
    }
  }

  /// A logger that writes to standard error.
  public func logger(_ label: String) -> Logger {
    var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = quiet ? max(logLevel, .error) : logLevel
    return logger
  }

  /// The processors that this process may use.
  private static var processorCount: Int { ProcessInfo.processInfo.activeProcessorCount }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
