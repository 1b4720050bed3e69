/// Where the time of training steps goes, in seconds since the last reset.
public struct PhaseTimes: Sendable {
  /// The phases in the order of a step.
  public private(set) var entries: [(name: String, seconds: Double)] = []

  /// No time at all.
  public init() {}

  /// Adds what `body` takes to a phase.
  mutating func add(_ name: String, since start: ContinuousClock.Instant) {
    let parts = (ContinuousClock.now - start).components
    let seconds = Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    if let index = entries.firstIndex(where: { $0.name == name }) {
      entries[index].seconds += seconds
    } else {
      entries.append((name, seconds))
    }
  }
}
