internal import Dispatch
internal import Synchronization

/// The results of `body` for 0, 1, … `count` − 1, in this order, computed several at a time.
///
/// The order of the results does not depend on the threads; of several failures the first in order is thrown. Kernels
/// has the like for numbers, but ShardIO stands below it.
func concurrentMap<Value: Sendable>(
  _ count: Int, threads: Int, _ body: @Sendable (Int) throws(PipelineError) -> Value
) throws(PipelineError) -> [Value] {
  var values: [Value] = []
  values.reserveCapacity(count)
  guard count > 1, threads > 1 else {
    for index in 0..<count { values.append(try body(index)) }
    return values
  }
  let results = Mutex([Result<Value, PipelineError>?](repeating: nil, count: count))
  let next = Atomic(0)
  DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      let result = Result { () throws(PipelineError) in try body(index) }
      results.withLock { $0[index] = result }
    }
  }
  for result in results.withLock({ $0 }) {
    if let result { values.append(try result.get()) }
  }
  return values
}
