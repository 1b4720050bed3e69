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
    let elapsed = (ContinuousClock.now - start).components
    let milliseconds = elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    var members = facts
    members["stage"] = .string(stage)
    members["output"] = .string(output.string)
    members["seconds"] = .number(Double(milliseconds) / 1000)
    members["peakMegabytes"] = .integer(Self.peakMegabytes)
    try printResult(
      String(decoding: try JSONValue.object(members).json(isPretty: false), as: UTF8.self))
  }

  /// The most memory that the process has had so far, in MiB; 0 is RUSAGE_SELF.
  private static var peakMegabytes: Int64 {
    var usage = rusage()
    return getrusage(0, &usage) == 0 ? Int64(usage.ru_maxrss) / 1024 : 0
  }
}
