internal import Synchronization

/// Calls `body` for 0, 1, … `count` − 1, several at a time.
///
/// The only source of concurrency in the project. Work must be cut into pieces that do not depend on the
/// number of threads and that write to disjoint memory, so that results have the same bits on every machine.
/// A piece may itself call this function. Where the system refuses threads, fewer are at work
/// (``ThreadShortage``).
///
/// - Parameters:
///   - count: the number of pieces.
///   - threads: the largest number of pieces at work at the same time; 1 runs on the calling thread. Never more
///     are at work than this process has processors.
///   - body: the work of one piece.
public func parallelFor(_ count: Int, threads: Int, _ body: @Sendable (Int) -> Void) {
  let workers = min(threads, count)
  guard workers > 1 else {
    for index in 0..<max(count, 0) { body(index) }
    return
  }
  ThreadPool.shared.run(count, workers: workers, body)
}

/// The results of `body` for 0, 1, … `count` − 1, in this order, computed several at a time.
///
/// - Parameters:
///   - count: the number of pieces.
///   - threads: the largest number of pieces at work at the same time, see ``parallelFor(_:threads:_:)``.
///   - body: the work of one piece.
/// - Returns: `count` results, in the order of the pieces.
/// - Throws: the failure of the first piece that has one, first in the order of the pieces.
public func parallelMap<Value: Sendable, Failure: Error>(
  _ count: Int, threads: Int, _ body: @Sendable (Int) throws(Failure) -> Value
) throws(Failure) -> [Value] {
  var values: [Value] = []
  values.reserveCapacity(count)
  guard count > 1, threads > 1 else {
    for index in 0..<max(count, 0) { values.append(try body(index)) }
    return values
  }
  let results = unsafe [Result<Value, Failure>?](unsafeUninitializedCapacity: count) {
    buffer, initialized in
    unsafe buffer.initialize(repeating: nil)
    // Each piece writes its own element.
    nonisolated(unsafe) let target = unsafe buffer
    parallelFor(count, threads: threads) { index in
      unsafe target[index] = Result { () throws(Failure) in try body(index) }
    }
    initialized = count
  }
  for result in results {
    if let result { values.append(try result.get()) }
  }
  return values
}
