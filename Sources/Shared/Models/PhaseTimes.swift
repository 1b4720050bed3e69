internal import Numerics

/// Where the time of training steps goes, since the last reset.
public struct PhaseTimes: Sendable {
  /// One phase of a step.
  public struct Entry: Sendable {
    /// What happens in it.
    public let name: String
    /// The time of all steps.
    public fileprivate(set) var seconds: Double
    /// The floating-point operations of all steps, as `ArithmeticCounter` counts them.
    public fileprivate(set) var operations: Int
  }

  /// The beginning of a phase.
  struct Mark {
    fileprivate let instant = ContinuousClock.now
    fileprivate let operations = ArithmeticCounter.total
  }

  /// The phases in the order of a step.
  public private(set) var entries: [Entry] = []

  /// No time at all.
  public init() {}

  /// Adds what happened since `start` to a phase.
  mutating func add(_ name: String, since start: Mark) {
    let parts = (ContinuousClock.now - start.instant).components
    let seconds = Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    let operations = ArithmeticCounter.total - start.operations
    if let index = entries.firstIndex(where: { $0.name == name }) {
      entries[index].seconds += seconds
      entries[index].operations += operations
    } else {
      entries.append(Entry(name: name, seconds: seconds, operations: operations))
    }
  }
}
