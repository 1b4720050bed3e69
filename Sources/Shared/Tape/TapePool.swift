public import Numerics
internal import Synchronization

/// Tapes that threads borrow, so that each keeps its memory between pieces of work.
public final class TapePool: Sendable {
  private let parameters: AlignedBuffer
  private let idle = Mutex<[Tape]>([])

  /// Creates an empty pool over a parameter block.
  public init(parameters: AlignedBuffer) {
    self.parameters = parameters
  }

  /// Lends a tape to `body` alone.
  public func withTape<Result>(_ body: (Tape) -> Result) -> Result {
    let tape = idle.withLock { $0.popLast() } ?? Tape(parameters: parameters)
    defer { idle.withLock { $0.append(tape) } }
    return body(tape)
  }
}
