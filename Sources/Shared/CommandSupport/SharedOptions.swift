public import ArgumentParser
internal import Foundation

/// The options of a stage that works in parallel and draws random numbers.
public struct SharedOptions: ParsableArguments {
  @OptionGroup var seedOption: SeedOption
  @OptionGroup var work: WorkOptions
  @OptionGroup var needed: IfNeededFlag

  /// Whether the stage runs only where its output is not what it would make.
  public var ifNeeded: Bool { needed.ifNeeded }

  /// The seed of every random choice.
  public var seed: UInt64 { seedOption.seed }

  /// The threads that may work at once; the outputs do not depend on it.
  public var threads: Int { work.threads }

  /// Whether to be silent on success.
  public var quiet: Bool { work.quiet }

  /// Creates the options with their defaults.
  public init() {}
}

/// The options of a command that works in parallel and leaves nothing to chance.
public struct WorkOptions: ParsableArguments {
  @OptionGroup var threadOption: ThreadOption
  @OptionGroup var quietFlag: QuietFlag

  /// The threads that may work at once; the outputs do not depend on it.
  public var threads: Int { threadOption.limit ?? ThreadOption.processorCount }

  /// Whether to be silent on success.
  public var quiet: Bool { quietFlag.quiet }

  /// Creates the options with their defaults.
  public init() {}
}

/// The seed of what is drawn at random.
public struct SeedOption: ParsableArguments {
  /// The seed of every random choice.
  @Option(help: "Seed of every random choice.")
  public var seed: UInt64 = 42

  /// Creates the option with its default.
  public init() {}
}

/// How many threads work at once.
struct ThreadOption: ParsableArguments {
  @Option(
    name: .customLong("threads"),
    help: ArgumentHelp(
      "Threads that work at once; the outputs do not depend on it. (default: all processors)",
      valueName: "threads"))
  var limit: Int?

  func validate() throws {
    guard (1...1024).contains(limit ?? 1) else {
      throw ValidationError("'--threads' must be from 1 to 1024, not \(limit ?? 1).")
    }
  }

  /// The processors that this process may use.
  static var processorCount: Int { ProcessInfo.processInfo.activeProcessorCount }
}

/// Whether a command is silent on success.
public struct QuietFlag: ParsableArguments {
  /// Whether to be silent on success.
  @Flag(help: "Show no progress; print the summary only.")
  public var quiet = false

  /// Creates the flag with its default.
  public init() {}
}
