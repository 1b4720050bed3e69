internal import Numerics
internal import Synchronization

/// Percentile intervals of means over users, by drawing users with replacement.
///
/// (Efron and Tibshirani 1993, chapter 13.) Up to ``bucketLimit`` users are drawn one by one; more are first
/// dealt into that many buckets, which are drawn whole, so the work does not grow with the number of users. The
/// draws depend on the seed alone: columns of equal length are resampled alike, and any number of threads gives the same bits.
public struct Bootstrap: Sendable {
  /// The most units that are drawn from.
  public static let bucketLimit = 20_000

  /// The seed of the draws.
  public let seed: UInt64
  /// The number of resamples.
  public let replicateCount: Int
  /// The probability that an interval is meant to cover.
  public let confidence: Double

  /// A bootstrap.
  ///
  /// - Parameters:
  ///   - seed: the seed of the draws.
  ///   - replicateCount: the number of resamples, ≥ 2.
  ///   - confidence: between 0 and 1.
  public init(seed: UInt64, replicateCount: Int = 1000, confidence: Double = 0.95) {
    precondition(replicateCount >= 2 && confidence > 0 && confidence < 1)
    self.seed = seed
    self.replicateCount = replicateCount
    self.confidence = confidence
  }

  /// The means of resampled columns.
  ///
  /// - Parameters:
  ///   - columns: one value a user in each; all of the same length, at least 1.
  ///   - threads: threads to use.
  /// - Returns: for each column its `replicateCount` means.
  public func means(of columns: [[Double]], threads: Int) -> [[Double]] {
    guard let userCount = columns.first?.count, userCount > 0 else {
      return columns.map { _ in [] }
    }
    precondition(columns.allSatisfy { $0.count == userCount }, "columns of different length")
    var sample = Sample(columnCount: columns.count)
    for user in 0..<userCount { sample.add(columns.map { $0[user] }) }
    return means(of: sample, threads: threads)
  }

  /// The means of resamples of users whose values were added one after another.
  ///
  /// - Parameters:
  ///   - sample: at least one user.
  ///   - threads: threads to use.
  /// - Returns: for each column its `replicateCount` means.
  public func means(of sample: Sample, threads: Int) -> [[Double]] {
    precondition(sample.userCount > 0, "no user to resample")
    let pieceSize = 20
    let pieces = (replicateCount + pieceSize - 1) / pieceSize
    let done = Mutex([[[Double]]](repeating: [], count: pieces))
    parallelFor(pieces, threads: threads) { piece in
      let range = piece * pieceSize..<min(replicateCount, (piece + 1) * pieceSize)
      let rows = range.map { sample.resampledMeans(CounterRandom(seed: seed, stream: UInt64($0))) }
      done.withLock { $0[piece] = rows }
    }
    let rows = done.withLock { $0.flatMap { $0 } }
    return (0..<sample.columnCount).map { column in rows.map { $0[column] } }
  }

  /// The interval of the middle `confidence` of resampled means.
  ///
  /// - Parameter means: the resampled means of one column; not empty.
  /// - Returns: the lower and the upper bound, by the nearest rank.
  public func interval(of means: [Double]) -> ClosedRange<Double> {
    let sorted = means.sorted()
    let cut = (1 - confidence) / 2 * Double(sorted.count)
    let lower = min(sorted.count - 1, max(0, Int(cut.rounded(.down))))
    return sorted[lower]...sorted[sorted.count - 1 - lower]
  }
}

extension Bootstrap {
  /// The values of events, in memory that does not grow with them: up to ``bucketLimit`` sums of users that are drawn together,
  /// each with all of their events.
  public struct Sample: Sendable {
    /// The number of values an event.
    public let columnCount: Int
    /// The number of users added.
    public private(set) var userCount = 0
    /// The number of events added, at least as many as users.
    public private(set) var eventCount = 0
    /// The user of the last event.
    private var lastUser: Int?
    /// The number of events of each bucket.
    private var counts: [Double] = []
    /// Shape `[buckets, columns]`.
    private var sums: [Double] = []

    /// Starts without users.
    public init(columnCount: Int) { self.columnCount = columnCount }

    /// Adds an event; the first ``Bootstrap/bucketLimit`` users begin a bucket each, later ones are dealt in turn.
    ///
    /// - Parameters:
    ///   - values: one a column.
    ///   - user: whose event it is; the events of a user follow one another. Nil for a user of its own.
    public mutating func add(_ values: [Double], user: Int? = nil) {
      precondition(values.count == columnCount, "one value a column")
      if user == nil || user != lastUser { userCount += 1 }
      lastUser = user
      eventCount += 1
      let bucket = (userCount - 1) % Bootstrap.bucketLimit
      if bucket == counts.count {
        counts.append(1)
        sums += values
      } else {
        counts[bucket] += 1
        for (column, value) in values.enumerated() { sums[bucket * columnCount + column] += value }
      }
    }

    /// The means of one resample.
    func resampledMeans(_ random: CounterRandom) -> [Double] {
      var count = 0.0
      var totals = [Double](repeating: 0, count: columnCount)
      for draw in counts.indices {
        let bucket = random.integer(below: counts.count, UInt64(draw))
        count += counts[bucket]
        let first = bucket * columnCount
        for column in 0..<columnCount { totals[column] += sums[first + column] }
      }
      return totals.map { $0 / count }
    }
  }
}
