internal import ShardIO

/// How long the phases of a run take, one after another.
struct PhaseClock: Sendable {
  private var last = ContinuousClock.now
  /// The seconds of each phase, by name.
  private(set) var seconds: [String: JSONValue] = [:]

  /// Ends a phase; the next one begins.
  mutating func finish(_ phase: String) {
    let now = ContinuousClock.now
    let duration = (now - last).components
    let milliseconds = duration.seconds * 1000 + duration.attoseconds / 1_000_000_000_000_000
    seconds[phase] = .number(Double(milliseconds) / 1000)
    last = now
  }
}
