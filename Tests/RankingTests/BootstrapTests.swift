import Foundation
import Metrics
import Testing

@Suite struct BootstrapTests {
  @Test func `the interval of a share covers it and has the width of theory`() {
    // 300 hits of 1000 users: standard error √(0.3 · 0.7 / 1000) = 0.01449.
    let column = (0..<1000).map { $0 % 10 < 3 ? 1.0 : 0 }
    let bootstrap = Bootstrap(seed: 7, replicateCount: 4000)
    let interval = bootstrap.interval(of: bootstrap.means(of: [column], threads: 2)[0])
    #expect(abs(interval.lowerBound - (0.3 - 1.96 * 0.01449)) < 0.003)
    #expect(abs(interval.upperBound - (0.3 + 1.96 * 0.01449)) < 0.003)
  }

  @Test func `threads do not change a bit, and equal columns stay equal`() {
    let column = (0..<500).map { Double($0 % 7) }
    let bootstrap = Bootstrap(seed: 1, replicateCount: 50)
    let one = bootstrap.means(of: [column, column], threads: 1)
    #expect(one == bootstrap.means(of: [column, column], threads: 2))
    #expect(one[0] == one[1])
    #expect(Set(one[0]).count > 10)
    #expect(one != Bootstrap(seed: 2, replicateCount: 50).means(of: [column, column], threads: 1))
  }

  @Test func `a constant has an interval without width, and no users no means`() {
    let bootstrap = Bootstrap(seed: 1, replicateCount: 10)
    #expect(bootstrap.interval(of: bootstrap.means(of: [[2, 2, 2]], threads: 1)[0]) == 2...2)
    #expect(bootstrap.means(of: [[], []], threads: 1) == [[], []])
  }

  @Test func `many users are drawn in buckets and give the same spread`() {
    // 100,000 users, a tenth of them hits: standard error 0.3 / √100,000 = 0.00095.
    var random = SplitMix(seed: 4)
    let column = (0..<100_000).map { _ in random.next(below: 10) == 0 ? 1.0 : 0 }
    let bootstrap = Bootstrap(seed: 3, replicateCount: 200)
    let means = bootstrap.means(of: [column], threads: 2)[0]
    let center = means.reduce(0, +) / 200
    let spread = (means.reduce(0) { $0 + ($1 - center) * ($1 - center) } / 199).squareRoot()
    #expect(abs(center - 0.1) < 0.003)
    #expect(abs(spread - 0.00095) < 0.0002)
  }

  @Test func `the sign test is the binomial tail`() {
    #expect(signTest(wins: 0, losses: 0) == 1)
    #expect(abs(signTest(wins: 5, losses: 0) - 2.0 / 32) < 1e-12)
    #expect(abs(signTest(wins: 1, losses: 4) - 2 * 6.0 / 32) < 1e-12)
    #expect(signTest(wins: 3, losses: 3) == 1)
    #expect(abs(signTest(wins: 5200, losses: 4800) - 6.6e-5) < 0.3e-5)
  }

  @Test func `a clear difference is told from none`() {
    let bootstrap = Bootstrap(seed: 5)
    let better = (0..<400).map { $0 % 4 == 0 ? -0.5 : 0.5 }
    let none = (0..<400).map { $0 % 2 == 0 ? -0.5 : 0.5 }
    let results = bootstrap.compare([better, none], threads: 2)
    #expect(results[0].mean == 0.25)
    #expect(results[0].winCount == 300 && results[0].lossCount == 100)
    #expect(results[0].interval.lowerBound > 0.2 && results[0].interval.upperBound < 0.3)
    #expect(results[0].bootstrapPValue < 0.003 && results[0].signTestPValue < 1e-9)
    #expect(results[1].bootstrapPValue > 0.5 && results[1].signTestPValue == 1)
  }

  /// Runs whose users all have the same value, so that only the seeds differ.
  private func runs(_ values: [Double], count: Int) -> [(mean: Double, resampled: [Double])] {
    values.map { ($0, [Double](repeating: $0, count: count)) }
  }

  @Test func `the interval over seeds has the width of theory`() {
    let bootstrap = Bootstrap(seed: 11, replicateCount: 20_000)
    let own = [0.11, 0.10, 0.12, 0.09, 0.13, 0.10, 0.12, 0.11]
    let result = bootstrap.compareRuns(
      runs(own, count: 20_000), runs([0.05], count: 20_000))
    // Standard deviation 0.01309; of the mean of eight, 0.00463.
    #expect(abs(result.mean - 0.06) < 1e-12 && result.otherDeviation == nil)
    #expect(abs((result.deviation ?? 0) - 0.01309) < 1e-4)
    let width = result.interval.upperBound - result.interval.lowerBound
    #expect(abs(width - 2 * 1.96 * 0.00463) < 0.0008, "\(width)")
    #expect(result.bootstrapPValue < 0.001)
  }

  @Test func `a difference within the chance of the training is none`() {
    let bootstrap = Bootstrap(seed: 12)
    let columns = (0..<4).map { run -> [Double] in
      let shift = run % 2 == 0 ? 0.02 : -0.02
      return (0..<400).map { user -> Double in
        let digit = (user * 7 + 3) % 10
        return Double(digit) / 10 + shift
      }
    }
    let means = bootstrap.means(of: columns, threads: 1)
    let found = columns.indices.map { run in
      (mean: columns[run].reduce(0, +) / 400, resampled: means[run])
    }
    // The chance of users is the same for all and cancels out: one run each looks certain.
    let single = bootstrap.compareRuns([found[0]], [found[1]])
    #expect(single.interval.lowerBound > 0.03 && single.bootstrapPValue < 0.01)
    let several = bootstrap.compareRuns(Array(found[0...1]), Array(found[2...3]))
    #expect(several.interval.contains(0) && several.bootstrapPValue > 0.5)
  }
}
