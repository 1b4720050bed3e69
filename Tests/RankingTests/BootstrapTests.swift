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
}
