internal import Synchronization

/// The system has refused a thread, for example at a limit of the user or of a container.
///
/// Work goes on with the threads that there are, and with the same results.
public struct ThreadShortage: Sendable, Equatable {
  /// The threads that work now, the calling one included; at least 1.
  public let count: Int
  /// The threads that were asked for.
  public let wanted: Int
  /// The error number of `pthread_create`.
  public let errorNumber: Int32

  private static let listener = Mutex<(@Sendable (ThreadShortage) -> Void)?>(nil)

  /// Has `report` called when the system refuses a thread, at most once in the life of the process.
  public static func listen(_ report: @escaping @Sendable (ThreadShortage) -> Void) {
    listener.withLock { $0 = report }
  }

  func report() { Self.listener.withLock { $0 }?(self) }
}
