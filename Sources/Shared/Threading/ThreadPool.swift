internal import CThreading
internal import Synchronization

/// Threads that are made when they are first needed and wait for work until the program ends.
///
/// A call publishes its job, works on it, and waits for those who have joined. It never waits for a thread that has
/// not: whatever the system refuses, the work gets done. A piece that calls the pool publishes a job of its own, which idle
/// threads join, so nested calls neither block nor make more threads.
final class ThreadPool: Sendable {
  /// The threads of this process: one for each processor, the calling one included.
  static let shared = ThreadPool(limit: Int(h2rec_processor_count()) - 1)

  private struct State {
    var jobs: [Job] = []
    /// The threads that have been made.
    var count = 0
    /// The most threads that will be made.
    var limit: Int
    /// The threads that sleep, and have not been told to wake.
    var sleeping = 0
  }

  private let state: Mutex<State>
  /// The jobs published so far; idle threads look at it for a moment before they sleep.
  private let published = Atomic(0)
  private let alarm = Semaphore()
  private let makeThread: @Sendable (ThreadPool) -> Int32

  /// Jobs often follow one another within microseconds; waking a thread takes longer than that.
  private static let spinCount = 2_000
  /// A pool of its own.
  ///
  /// - Parameters:
  ///   - limit: the most threads beside those that call.
  ///   - makeThread: makes a thread that calls ``serve()``; the result is an error number or 0.
  init(limit: Int, makeThread: @escaping @Sendable (ThreadPool) -> Int32 = ThreadPool.start) {
    state = Mutex(State(limit: limit))
    self.makeThread = makeThread
  }

  /// Calls `body` for 0, 1, … `count` − 1 on at most `workers` threads, this one included.
  func run(_ count: Int, workers: Int, _ body: @Sendable (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      unsafe withUnsafePointer(to: body) { pointer in
        let job = unsafe Job(count: count, places: workers - 1, body: pointer)
        publish(job, helpers: workers - 1)
        job.work()
        retire(job)
      }
    }
  }

  // MARK: - The calling thread

  private func publish(_ job: Job, helpers: Int) {
    let (wake, shortage) = state.withLock { state in
      let shortage = state.count < helpers ? start(&state, upTo: helpers) : nil
      guard state.count > 0 else { return (0, shortage) }
      state.jobs.append(job)
      let wake = min(state.sleeping, helpers)
      state.sleeping -= wake
      return (wake, shortage)
    }
    published.add(1, ordering: .releasing)
    for _ in 0..<wake { alarm.post() }
    shortage?.report()
  }

  /// Makes threads; after the first refusal never again.
  private func start(_ state: inout State, upTo wanted: Int) -> ThreadShortage? {
    while state.count < min(wanted, state.limit) {
      let error = makeThread(self)
      if error != 0 {
        let asked = min(wanted, state.limit) + 1
        state.limit = state.count
        return ThreadShortage(count: state.count + 1, wanted: asked, errorNumber: error)
      }
      state.count += 1
    }
    return nil
  }

  /// Closes a job to further threads and waits until all that joined have left.
  private func retire(_ job: Job) {
    state.withLock { $0.jobs.removeAll { $0 === job } }
    for _ in 0..<Self.spinCount where job.helpers.load(ordering: .acquiring) == 0 { return }
    let finished = state.withLock { _ -> Semaphore? in
      guard job.helpers.load(ordering: .acquiring) > 0 else { return nil }
      let semaphore = Semaphore()
      unsafe job.finished = semaphore
      return semaphore
    }
    finished?.wait()
  }

  // MARK: - The threads of the pool

  /// Joins jobs for ever.
  func serve() -> Never {
    while true {
      let seen = published.load(ordering: .acquiring)
      if let job = join(orSleep: false) {
        finish(job)
        continue
      }
      if hasNews(since: seen) { continue }
      if let job = join(orSleep: true) {
        finish(job)
      } else {
        alarm.wait()
      }
    }
  }

  private func hasNews(since seen: Int) -> Bool {
    for _ in 0..<Self.spinCount where published.load(ordering: .acquiring) != seen { return true }
    return false
  }

  private func join(orSleep sleeps: Bool) -> Job? {
    state.withLock { state in
      guard let job = state.jobs.last(where: \.isOpen) else {
        if sleeps { state.sleeping += 1 }
        return nil
      }
      job.places.subtract(1, ordering: .relaxed)
      job.helpers.add(1, ordering: .relaxed)
      return job
    }
  }

  private func finish(_ job: Job) {
    job.work()
    state.withLock { _ in
      let rest = job.helpers.subtract(1, ordering: .releasing).newValue
      if rest == 0 { unsafe job.finished?.post() }
    }
  }

  /// Makes a thread of a pool, which lives as long as its threads: for ever.
  static func start(_ pool: ThreadPool) -> Int32 { startThread { pool.serve() } }
}
