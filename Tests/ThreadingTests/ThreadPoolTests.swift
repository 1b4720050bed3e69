import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Threading

/// Every piece is done once, whatever threads the system gives.
@Suite(.serialized) struct ThreadPoolTests {
  /// How often each of `count` pieces is done.
  private func visits(_ pool: ThreadPool, _ count: Int, workers: Int) -> [Int] {
    let visits = Mutex([Int](repeating: 0, count: count))
    pool.run(count, workers: workers) { index in visits.withLock { $0[index] += 1 } }
    return visits.withLock { $0 }
  }

  @Test func `every piece is done once, for any number of pieces and threads`() throws {
    for limit in [0, 1, 3, 7] {
      let pool = ThreadPool(limit: limit)
      for count in [0, 1, 2, 7, 8, 9, 100] {
        for workers in [2, 3, 8] {
          #expect(visits(pool, count, workers: workers) == [Int](repeating: 1, count: count))
        }
      }
    }
  }

  @Test func `a piece may hand out pieces of its own`() throws {
    let pool = ThreadPool(limit: 3)
    let sum = Atomic(0)
    for _ in 0..<200 {
      pool.run(5, workers: 4) { first in
        pool.run(6, workers: 4) { second in
          pool.run(2, workers: 4) { third in
            sum.add(100 * first + 10 * second + third, ordering: .relaxed)
          }
        }
      }
    }
    // 12 · 100 · (0 + … + 4) + 10 · 10 · (0 + … + 5) + 30 · (0 + 1), two hundred times.
    #expect(sum.load(ordering: .relaxed) == 200 * (12_000 + 1_500 + 30))
  }

  @Test func `thousands of small jobs end, with pauses that let the threads sleep`() throws {
    let pool = ThreadPool(limit: 3)
    let count = Atomic(0)
    for round in 0..<20_000 {
      pool.run(3, workers: 4) { _ in count.add(1, ordering: .relaxed) }
      if round % 1_000 == 0 { usleep(2_000) }
    }
    #expect(count.load(ordering: .relaxed) == 60_000)
  }

  @Test(arguments: [0, 1, 2])
  func `work goes on where the system refuses threads, and that is reported once`(
    given: Int
  ) throws {
    let reports = Mutex([ThreadShortage]())
    ThreadShortage.listen { shortage in reports.withLock { $0.append(shortage) } }
    let asked = Atomic(0)
    let pool = ThreadPool(limit: 7) { pool in
      guard asked.add(1, ordering: .relaxed).oldValue < given else { return EAGAIN }
      return ThreadPool.start(pool)
    }
    for _ in 0..<3 {
      #expect(visits(pool, 100, workers: 5) == [Int](repeating: 1, count: 100))
    }
    #expect(
      reports.withLock { $0 } == [
        ThreadShortage(count: given + 1, wanted: 5, errorNumber: EAGAIN)
      ])
    #expect(asked.load(ordering: .relaxed) == given + 1)
  }

  @Test func `results are in the order of the pieces, and so is the first failure`() throws {
    struct Failure: Error, Equatable { let piece: Int }
    for threads in [1, 2, 8] {
      #expect(parallelMap(50, threads: threads) { $0 * $0 } == (0..<50).map { $0 * $0 })
      let error = #expect(throws: Failure.self) {
        _ = try parallelMap(50, threads: threads) { (piece: Int) throws(Failure) in
          if piece % 20 == 17 { throw Failure(piece: piece) }
          return piece
        }
      }
      #expect(error == Failure(piece: 17))
    }
  }

  @Test func `a closure is gone when the call returns`() throws {
    final class Mark: Sendable {}
    let pool = ThreadPool(limit: 3)
    for _ in 0..<1_000 {
      var mark: Mark? = Mark()
      weak let seen = mark
      if let held = mark { pool.run(4, workers: 4) { _ in _ = held } }
      mark = nil
      #expect(seen == nil)
    }
  }

  @Test func `threads of the pool hold signals back`() throws {
    let pool = ThreadPool(limit: 1)
    let held = Mutex([Bool]())
    let caller = pthread_self()
    // Both pieces wait for each other, so that two threads are at work.
    let arrived = Atomic(0)
    pool.run(2, workers: 2) { _ in
      arrived.add(1, ordering: .relaxed)
      while arrived.load(ordering: .relaxed) < 2 { sched_yield() }
      guard pthread_equal(pthread_self(), caller) == 0 else { return }
      var mask = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &mask)
      held.withLock { $0.append(sigismember(&mask, SIGTERM) == 1) }
    }
    #expect(held.withLock { $0 } == [true])
  }
}
