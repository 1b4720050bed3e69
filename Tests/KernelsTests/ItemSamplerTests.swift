import TestSupport
import Testing

@testable import Losses
@testable import Numerics

/// Items are drawn with the probabilities that were asked for.
@Suite struct ItemSamplerTests {
  private let random = CounterRandom(seed: 4, stream: 5)

  @Test func `without weights it draws what the stream draws`() {
    let sampler = ItemSampler(uniformBelow: 1000)
    for index in 0..<100 as Range<UInt64> {
      #expect(sampler.item(random, index) == UInt32(random.integer(below: 1000, index)))
    }
    #expect(sampler.probability(7) == 1.0 / 1000)
    #expect(ItemSampler(counts: [5, 0, 9], power: 0).probability(2) == 1.0 / 3)
  }

  @Test func `shares of many draws are the weights`() throws {
    try withEvery("seed", in: 0..<20) { seed in
      var generator = SeededGenerator(seed: seed)
      let count = Int.random(in: 1...12, using: &generator)
      let weights = (0..<count).map {
        $0 % 4 == 3 ? 0 : Double.random(in: 0.1...9, using: &generator)
      }
      let sampler = ItemSampler(weights: weights)
      let stream = CounterRandom(seed: UInt64(seed), stream: 1)
      var found = [Int](repeating: 0, count: count)
      for index in 0..<20_000 as Range<UInt64> { found[Int(sampler.item(stream, index))] += 1 }
      for item in 0..<count {
        let share = weights[item] / weights.reduce(0, +)
        try #require(abs(sampler.probability(UInt32(item)) - share) < 1e-12)
        // Five standard deviations, and nothing at all for a weight of 0.
        let spread = 5 * (20_000 * share * (1 - share)).squareRoot()
        try #require(abs(Double(found[item]) - 20_000 * share) <= spread + 1e-9)
      }
    }
  }

  @Test func `counts are raised to the power, with 1 for items never seen`() {
    let sampler = ItemSampler(counts: [0, 1, 16, 81], power: 0.25)
    // 1, 1, 2 and 3 of 7.
    let expected = [1.0 / 7, 1.0 / 7, 2.0 / 7, 3.0 / 7]
    for (item, share) in expected.enumerated() {
      #expect(abs(sampler.probability(UInt32(item)) - share) < 1e-12)
    }
    // n q = 14 · 2/7 = 4.
    #expect(abs(sampler.correction(2, draws: 14) + 1.386_294_4) < 1e-6)
    #expect(abs(ItemSampler(uniformBelow: 8).correction(3, draws: 2) - 1.386_294_4) < 1e-6)
  }

  @Test
  func
    `equally likely negatives of a step are distinct, and each item is among them equally often`()
  {
    let sampler = ItemSampler(uniformBelow: 40)
    var marks = [Int32](repeating: -1, count: 40)
    var counts = [Int](repeating: 0, count: 40)
    for step in 0..<2000 as Range<UInt64> {
      let items = sampler.items(30, random.substream(step), marks: &marks)
      #expect(items.count == 30 && Set(items).count == 30)
      for item in items { counts[Int(item)] += 1 }
    }
    #expect(marks.allSatisfy { $0 == -1 })
    // 2,000 draws with probability 3/4: five standard deviations.
    #expect(counts.allSatisfy { abs(Double($0) - 1500) < 5 * (2000 * 0.75 * 0.25).squareRoot() })
    #expect(sampler.items(40, random, marks: &marks) == Array(0..<40))
    #expect(sampler.items(41, random, marks: &marks) == Array(0..<40))
  }

  @Test func `negatives of other probabilities are drawn with replacement`() {
    let sampler = ItemSampler(weights: [1, 3])
    var marks: [Int32] = [-1, -1]
    let items = sampler.items(400, random, marks: &marks)
    #expect(items == (0..<400).map { sampler.item(random, UInt64($0)) })
    #expect(marks == [-1, -1])
  }
}
