internal import Foundation
import Models
import Numerics
import TestSupport
import Testing

/// Models of items by their texts, where texts are what wins.
@Suite struct TextModelTests {
  private static let small = ["--dimension", "32", "--max-length", "6", "--layers", "1"]

  /// Items of a topic and a number, which their texts say: the next one has the next topic and the same number.
  ///
  /// Every fifth item comes after the training only.
  private static let chains: PlantedShop = {
    let (topics, numbers) = (8, 10)
    func item(_ topic: Int, _ number: Int) -> Int { topic % topics * numbers + number }
    func isNew(_ topic: Int, _ number: Int) -> Bool { (topic % topics + number) % 5 == 0 }
    var (trained, asked): ([[Int]], [[Int]]) = ([], [])
    for topic in 0..<topics {
      for number in 0..<numbers where !isNew(topic, number) {
        let pair = [item(topic, number), item(topic + 1, number)]
        if isNew(topic + 1, number) { asked.append(pair) } else { trained += [pair, pair] }
      }
    }
    var vectors = Matrix(rows: topics * numbers, columns: topics + numbers)
    for row in 0..<vectors.rows {
      vectors.values[row * vectors.columns + row / numbers] = 1
      vectors.values[row * vectors.columns + topics + row % numbers] = 1
    }
    return PlantedShop(
      itemCount: topics * numbers, trained: trained, asked: asked, vectors: vectors)
  }()

  @Test(arguments: [1, 2] as [UInt64])
  func `items that nobody has bought yet are found by their texts, and not by rows of their own`(
    seed: UInt64
  ) throws {
    for words in [[], ["--adapter", "mlp"]] {
      let found = try Self.chains.accuracy(
        TextSASRec.self, Self.small + words, epochs: 60, seed: seed)
      #expect(found > 0.5, "\(words)")
    }
    let rows = try Self.chains.accuracy(
      SASRec.self, Self.small + ["--hash-init", "random"], epochs: 60, seed: seed)
    #expect(rows < 0.1)
  }

  /// Items whose texts lie in a plane, half of them on a ring and half inside it, each followed by one other.
  ///
  /// No linear map brings a point out of the hull of others, so an item inside never has the greatest inner product with anything.
  @Test(arguments: [1, 2] as [UInt64])
  func `mixed experts tell items whose texts lie between those of others, and one map cannot`(
    seed: UInt64
  ) throws {
    let count = 12
    let order = CounterRandom(seed: 3, stream: 0x5249_4E47).permutation(count)
    func next(_ item: Int) -> Int { order[((order.firstIndex(of: item) ?? 0) + 1) % count] }
    var vectors = Matrix(rows: count, columns: 2)
    for item in 0..<count {
      let (radius, angle) = (item < 6 ? 1.0 : 0.4, Double(item) * .pi / 3 + (item < 6 ? 0 : 0.3))
      vectors.values[2 * item] = Float(radius * cos(angle))
      vectors.values[2 * item + 1] = Float(radius * sin(angle))
    }
    let histories = (0..<count).map { first in
      (1..<6).reduce(into: [first]) { history, _ in history.append(next(history.last ?? 0)) }
    }
    let shop = PlantedShop(
      itemCount: count, trained: (0..<8).flatMap { _ in histories },
      asked: (0..<count).map { [$0, next($0)] }, vectors: vectors)
    let words = Self.small + ["--mode", "inductive"]
    func accuracy(_ experts: Int) throws -> Double {
      try shop.accuracy(
        UniSRec.self, words + ["--experts", "\(experts)"], epochs: 150, rate: 0.01, seed: seed)
    }
    let (mixed, single) = (try accuracy(8), try accuracy(1))
    #expect(mixed > 0.8 && single <= 0.5, "\(mixed) \(single)")
  }

  /// Items with one text and ways of their own.
  @Test func `rows of their own tell items of equal texts, in the transductive mode alone`() throws
  {
    let pairs = (0..<10).map { [$0, 10 + $0] }
    let shop = PlantedShop(
      itemCount: 20, trained: pairs + pairs, asked: pairs,
      vectors: Matrix(rows: 20, columns: 3, values: [Float](repeating: 0.5, count: 60)))
    func accuracy(_ mode: String) throws -> Double {
      try shop.accuracy(
        UniSRec.self, Self.small + ["--mode", mode], epochs: 80, rate: 0.01, seed: 4)
    }
    #expect(try accuracy("transductive") > 0.9)
    #expect(try accuracy("inductive") == 0)
  }
}
