import Foundation
import Testing

@testable import Tokenize

struct `Code statistics` {
  /// Six items, two levels of 4 and 2 codes.
  ///
  ///     level 1: 0 0 0 1 1 2     level 2: 0 0 1 1 1 1
  private let statistics = CodeStatistics(
    [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 1], levelSizes: [4, 2])

  @Test func `utilisation counts the codes that some item has`() {
    #expect(statistics.levels[0].usage == [3, 2, 1, 0])
    #expect(statistics.levels[0].utilization == 3.0 / 4)
    #expect(statistics.levels[1].utilization == 1)
    #expect(statistics.levels[0].largestShare == 3.0 / 6)
    #expect(statistics.levels[1].largestShare == 4.0 / 6)
  }

  @Test func `entropy is −Σ p ln p, perplexity its exponential`() {
    // 1/2, 1/3, 1/6
    let entropy = log(2.0) / 2 + log(3.0) / 3 + log(6.0) / 6
    #expect(abs(statistics.levels[0].entropy - entropy) < 1e-12)
    #expect(abs(statistics.levels[0].normalizedEntropy - entropy / log(4)) < 1e-12)
    #expect(abs(statistics.levels[0].perplexity - exp(entropy)) < 1e-12)
  }

  @Test func `equal use has the largest entropy, a single code has none`() {
    let even = LevelStatistics(usage: [5, 5, 5, 5])
    #expect(abs(even.perplexity - 4) < 1e-12 && abs(even.normalizedEntropy - 1) < 1e-12)
    let collapsed = LevelStatistics(usage: [0, 9, 0])
    #expect(collapsed.entropy == 0 && collapsed.perplexity == 1 && collapsed.largestShare == 1)
    #expect(LevelStatistics(usage: [7]).normalizedEntropy == 1)
  }

  @Test func `collisions are the items that share their whole tuple`() {
    // Tuples 0-0, 0-0, 0-1, 1-1, 1-1, 2-1.
    #expect(statistics.distinctCount == 4)
    #expect(statistics.collidingCount == 4)
    #expect(statistics.collisionRate == 4.0 / 6)
    #expect(
      statistics.groups == [
        CodeGroup(codes: [0, 0], items: [0, 1]), CodeGroup(codes: [1, 1], items: [3, 4]),
      ])
  }

  @Test func `groups come largest first`() {
    let counted = CodeStatistics([1, 0, 2, 2, 0, 2], levelSizes: [3])
    #expect(counted.groups.map(\.items) == [[2, 3, 5], [1, 4]])
  }

  @Test func `distinct tuples never collide, also where tuples do not fit 64 bits`() {
    let sizes = [65_536, 65_536, 65_536, 65_536, 65_536]
    let last: UInt16 = 65_535
    let codes = [last, 0, 0, 0, 0, 0, last, last, last, last, last, 0, 0, 0, 1, last, 0, 0, 0, 0]
    let counted = CodeStatistics(codes, levelSizes: sizes)
    #expect(counted.distinctCount == 3)
    #expect(counted.groups.map(\.items) == [[0, 3]])
  }

  @Test func `no items have no collisions`() {
    let counted = CodeStatistics([], levelSizes: [2, 2])
    #expect(counted.collisionRate == 0 && counted.distinctCount == 0 && counted.groups.isEmpty)
  }
}
