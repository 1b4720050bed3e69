internal import Glibc
public import ShardIO
public import SystemPackage

/// The last line that a stage prints: one JSON object with what was done and how long it took.
public struct Summary: Sendable {
  private let start = ContinuousClock.now
  private let stage: String
  /// The counts and other facts to show, by name.
  public var facts: [String: JSONValue] = [:]

  /// Starts the clock of a stage.
  public init(stage: String) { self.stage = stage }

  /// Prints the line on standard output: the facts, `stage`, `output`, `seconds` and `peakMegabytes`.
  ///
  /// - Parameter output: the directory that was written.
  /// - Throws: `PipelineError` `.inputOutput`.
  public func print(output: FilePath) throws(PipelineError) {
    var members = facts
    members["stage"] = .string(stage)
    members["output"] = .string(output.string)
    members["seconds"] = .number(seconds)
    members["peakMegabytes"] = .integer(peakMegabytes)
    try printResult(
      String(decoding: try JSONValue.object(members).json(isPretty: false), as: UTF8.self))
  }

  /// The time since the start, in seconds with three decimals.
  public var seconds: Double {
    let elapsed = (ContinuousClock.now - start).components
    let milliseconds = elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    return Double(milliseconds) / 1000
  }

  /// The most memory that the process has had so far, in MiB.
  public var peakMegabytes: Int64 {
    // 0 is RUSAGE_SELF.
    var usage = rusage()
    return getrusage(0, &usage) == 0 ? Int64(usage.ru_maxrss) / 1024 : 0
  }
}
