internal import Dispatch

/// Calls `body` for 0, 1, … `count` − 1, several at a time.
///
/// The only source of concurrency in the project. Work must be cut into pieces that do not depend on the
/// number of threads and that write to disjoint memory, so that results have the same bits on every machine.
///
/// - Parameters:
///   - count: the number of pieces.
///   - threads: the largest number of pieces at work at the same time; 1 runs on the calling thread.
///   - body: the work of one piece.
public func parallelFor(_ count: Int, threads: Int, _ body: @Sendable (Int) -> Void) {
  guard count > 1, threads > 1 else {
    for index in 0..<count { body(index) }
    return
  }
  let workers = min(threads, count)
  let next = WorkCounter()
  DispatchQueue.concurrentPerform(iterations: workers) { _ in
    while let index = next.take(below: count) { body(index) }
  }
}

/// The results of `body` for 0, 1, … `count` − 1, in this order, computed several at a time.
///
/// - Parameters:
///   - count: the number of pieces.
///   - threads: the largest number of pieces at work at the same time.
///   - body: the work of one piece.
/// - Returns: `count` results, in the order of the pieces.
public func parallelMap<Result: Sendable>(
  _ count: Int, threads: Int, _ body: @Sendable (Int) -> Result
) -> [Result] {
  let results = unsafe [Result?](unsafeUninitializedCapacity: count) { buffer, initialized in
    unsafe buffer.initialize(repeating: nil)
    // Each piece writes its own element.
    nonisolated(unsafe) let target = unsafe buffer
    parallelFor(count, threads: threads) { index in unsafe target[index] = body(index) }
    initialized = count
  }
  return results.compactMap { $0 }
}

/// 0 ..< count cut into ranges of `size`; the last may be shorter.
public func ranges(_ count: Int, of size: Int) -> [Range<Int>] {
  stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
}
