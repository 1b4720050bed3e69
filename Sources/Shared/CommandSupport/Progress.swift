internal import Glibc
internal import Synchronization

/// The state of a long task, for a person to see.
///
/// A bar on a terminal, a line every 10 seconds elsewhere, nothing when quiet; always on standard error.
public final class Progress: Sendable {
  private let title: String
  private let total: Int
  private let isQuiet: Bool
  private let isTerminal = isatty(2) == 1
  private let start = ContinuousClock.now
  private let state: Mutex<State>

  private struct State {
    var done = 0
    var lastShown: ContinuousClock.Instant
    var detail = ""
    var hasBar = false
  }

  /// Starts a task.
  ///
  /// - Parameters:
  ///   - title: what is done, for example `training`.
  ///   - total: the number of steps; 0 if unknown.
  ///   - isQuiet: whether to show nothing.
  public init(_ title: String, total: Int, isQuiet: Bool) {
    self.title = title
    self.total = total
    self.isQuiet = isQuiet
    state = Mutex(State(lastShown: start))
  }

  /// Counts `count` steps as done; may be called from any thread.
  ///
  /// - Parameters:
  ///   - count: the steps since the last call.
  ///   - detail: a remark that stays until the next one, for example `loss 3.21`.
  public func advance(by count: Int = 1, detail: String? = nil) {
    guard !isQuiet else { return }
    let interval: Duration = isTerminal ? .milliseconds(100) : .seconds(10)
    state.withLock { state in
      state.done += count
      if let detail { state.detail = detail }
      let now = ContinuousClock.now
      guard now - state.lastShown >= interval else { return }
      state.lastShown = now
      show(&state)
    }
  }

  /// Ends the task; on a terminal the bar disappears.
  public func finish() {
    guard !isQuiet else { return }
    state.withLock { state in
      if state.hasBar { writeToStandardError("\r\u{1B}[K") }
      state.hasBar = false
    }
  }

  private func show(_ state: inout State) {
    var text = title
    if isTerminal, total > 0 {
      let filled = min(30, 30 * state.done / total)
      text +=
        " [\(String(repeating: "=", count: filled))\(String(repeating: " ", count: 30 - filled))]"
    }
    text += total > 0 ? " \(state.done)/\(total)" : " \(state.done)"
    if total > 0 { text += " \(min(100, 100 * state.done / total)) %" }
    if !state.detail.isEmpty { text += ", \(state.detail)" }
    text += ", \((ContinuousClock.now - start).components.seconds) s"
    state.hasBar = isTerminal
    writeToStandardError(isTerminal ? "\r\u{1B}[K\(text)" : "\(programName): \(text)\n")
  }
}
