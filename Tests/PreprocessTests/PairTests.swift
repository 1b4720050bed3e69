import Dataset
import Foundation
import ShardIO
import Testing
import TextInput

@testable import Preprocess

struct `Positive pairs` {
  /// Builds pairs; items are letters in the order of their first event.
  private func pairs(
    _ kind: PositivePairs.Kind, _ sequences: [String], trainEnds: [UInt32]? = nil,
    threads: Int = 2, _ change: (inout PairBuilder) -> Void = { _ in }
  ) throws -> [[String: Float]] {
    let rows = sequences.enumerated().flatMap { user, sequence in
      sequence.enumerated().map { ("u\(user)", String($1), Int64($0)) }
    }
    let (log, source) = try makeHistories(rows)
    var histories = source
    histories.threads = threads
    let kept = try histories.renumberItems(itemCount: log.items.count)
    var builder = PairBuilder()
    change(&builder)
    let pairs = try builder.pairs(
      [kind], histories, trainEnds: trainEnds ?? sequences.map { UInt32($0.count) },
      itemCount: kept.count)[0]
    return (0..<kept.count).map { item in
      let names = pairs.neighbours[item].map { log.items.text(kept[Int($0)]) }
      return Dictionary(uniqueKeysWithValues: zip(names, pairs.weights[item]))
    }
  }

  @Test func `decay weights are the mean over all occurrences`() throws {
    // a b at distance 1, a c at 2, a d at 3, a e at 4 (outside); a second user has b a at distance 1 and at distance 2.
    let found = try pairs(.decay, ["abcde", "bxa"])
    #expect(found[0] == ["b": Float((1.0 + 0.8) / 2), "c": 0.8, "d": Float(0.8 * 0.8), "x": 1])
    #expect(found[1]["a"] == found[0]["b"])
  }

  @Test func `decay never falls below three tenths`() throws {
    let found = try pairs(.decay, ["abcdefgh"]) { $0.window = 7 }
    #expect(found[0]["h"] == 0.3)
    #expect(found[0]["f"] == Float(0.8 * 0.8 * 0.8 * 0.8))
  }

  @Test func `only the train part counts`() throws {
    #expect(try pairs(.decay, ["abcde"], trainEnds: [2]) == [["b": 1], ["a": 1], [:], [:], [:]])
  }

  @Test func `an item is no neighbour of itself, and users do not touch`() throws {
    #expect(try pairs(.decay, ["aa", "b"]) == [[:], [:]])
  }

  @Test func `mutual information has one normaliser and needs two occurrences`() throws {
    // Window 1: a-b three times, a-c twice, b-d once, c-d twice. Ordered pairs: 16; a 5, b 4, c 4, d 3.
    let found = try pairs(.ppmi, ["ab", "ba", "ab", "ac", "ca", "bd", "cd", "dc"]) { $0.window = 1 }
    let ab = log(3.0 * 16 / (5 * 4))
    let ac = log(2.0 * 16 / (5 * 4))
    let cd = log(2.0 * 16 / (4 * 3))
    // Per item from 0.3 to 1, in between in proportion; a single neighbour gets 0.7.
    #expect(ab > ac && cd > ac)
    #expect(found[0] == ["b": 1, "c": 0.3])
    #expect(found[1] == ["a": 0.7])
    #expect(found[2] == ["a": 0.3, "d": 1])
    #expect(found[3] == ["c": 0.7])
  }

  @Test func `pairs that occur less often than chance are left out`() throws {
    // a-b twice of 50 ordered pairs, where a has 22 and b 5: 2 * 50 / (22 * 5) < 1, less than chance.
    let others = "cdefghijkl".flatMap { ["a\($0)", "a\($0)"] }
    let found = try pairs(.ppmi, ["ab", "ab", "bm", "bm", "bm"] + others.prefix(20)) {
      $0.window = 1
    }
    #expect(found[0]["b"] == nil)
    #expect(found[0]["c"] != nil)
  }

  @Test func `the best neighbours stay, ties by occurrences and then by number`() throws {
    let found = try pairs(.decay, ["ab", "ac", "ad", "da"]) { $0.maximumCount = 2 }
    #expect(found[0] == ["d": 1, "b": 1])
  }

  @Test(arguments: PositivePairs.Kind.allCases)
  func `the number of threads changes nothing`(kind: PositivePairs.Kind) throws {
    let sequences = (0..<200).map { user in
      String((0..<12).map { "abcdefghijklmnopqrstuvwxyz".randomLetter(user * 31 + $0 * $0 * 7) })
    }
    #expect(try pairs(kind, sequences) == pairs(kind, sequences, threads: 4))
  }
}

extension String {
  fileprivate func randomLetter(_ number: Int) -> Character {
    self[index(startIndex, offsetBy: (number * 2_654_435_761 >> 7) % count)]
  }
}

struct `Stored negatives` {
  private func histories(_ sequences: [[Int]]) -> Histories {
    Histories(
      users: sequences.indices.map { UInt32($0) },
      offsets: sequences.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) },
      items: sequences.joined().map { UInt32($0) },
      times: sequences.joined().map { Int64($0) })
  }

  /// The rows of all shards.
  private func drawn(_ source: TableSource) throws -> EvaluationNegatives {
    var drawn = EvaluationNegatives(users: [], negatives: RaggedArray())
    for index in 0..<source.shardCount {
      let table = try source.table(index)
      drawn.users += try table.fixed("user", as: UInt32.self)
      let rows = try table.ragged("negatives", as: UInt32.self)
      for row in 0..<rows.count { drawn.negatives.append(contentsOf: rows[row]) }
    }
    return drawn
  }

  @Test(arguments: [40, 130, 1000])
  func `are distinct items outside of the whole history`(itemCount: Int) throws {
    let sequences = (0..<50).map { user in (0..<20).map { ($0 * 7 + user) % itemCount } }
    let negatives = try drawn(
      NegativeSampler(count: 100, seed: 1).negatives(
        histories(sequences), validEnds: [UInt32](repeating: 19, count: 50), itemCount: itemCount))
    #expect(negatives.users == (0..<50).map { UInt32($0) })
    for (user, sequence) in sequences.enumerated() {
      let found = negatives.negatives[user].map { Int($0) }
      #expect(found.count == min(100, itemCount - Set(sequence).count))
      #expect(Set(found).count == found.count && Set(found).isDisjoint(with: sequence))
      #expect(found == found.sorted())
    }
  }

  @Test func `only users with a test target have some`() throws {
    let negatives = try drawn(
      NegativeSampler(count: 2, seed: 1).negatives(
        histories([[0], [1, 2, 3], [4, 5]]), validEnds: [1, 2, 2], itemCount: 10))
    #expect(negatives.users == [1])
  }

  @Test func `are uniform`() throws {
    // 5,000 users of one item each draw 2 of the 9 others: each item is drawn 5000 * 2 / 9 times, ± 5 standard deviations.
    let negatives = try drawn(
      NegativeSampler(count: 2, seed: 7).negatives(
        histories((0..<5000).map { _ in [9] }),
        validEnds: [UInt32](repeating: 0, count: 5000), itemCount: 10))
    var counts = [Double](repeating: 0, count: 10)
    for item in negatives.negatives.values { counts[Int(item)] += 1 }
    let expected = 10_000.0 / 9
    #expect(counts[9] == 0)
    #expect(counts.dropLast().allSatisfy { abs($0 - expected) < 5 * expected.squareRoot() })
  }

  @Test func `by popularity are drawn in proportion to train events`() throws {
    // Item k of 0 to 3 has k train events a thousand users; 4,000 users of item 4 draw one item each: k · 4000 / 6 times.
    let sequences = (0..<6000).map { [[1, 2, 2, 3, 3, 3][$0 % 6], 4] }
    let negatives = try drawn(
      NegativeSampler(count: 1, seed: 7).popularNegatives(
        histories(sequences + (0..<4000).map { _ in [4, 5] }),
        trainEnds: [UInt32](repeating: 1, count: 6000) + [UInt32](repeating: 0, count: 4000),
        validEnds: [UInt32](repeating: 2, count: 6000) + [UInt32](repeating: 1, count: 4000),
        trainCounts: [0, 1000, 2000, 3000, 0, 0]))
    #expect(negatives.users.count == 4000 && negatives.negatives.values.count == 4000)
    var counts = [Double](repeating: 0, count: 6)
    for item in negatives.negatives.values { counts[Int(item)] += 1 }
    for item in 0..<6 {
      let expected = item < 4 ? Double(item) * 4000 / 6 : 0
      #expect(abs(counts[item] - expected) <= 5 * expected.squareRoot(), "\(item): \(counts[item])")
    }
  }

  @Test func `by popularity are all distinct, and end where no item with train events is left`()
    throws
  {
    // 999 of 1,000 events are of item 0: the other draws come from what is left of it.
    let log = [[Int](repeating: 0, count: 999) + [1, 2, 3], [4, 5], [1, 0]]
    let negatives = try drawn(
      NegativeSampler(count: 3, seed: 1).popularNegatives(
        histories(log), trainEnds: [1000, 1, 1], validEnds: [1001, 1, 1],
        trainCounts: [999, 2, 0, 0, 1, 0]))
    #expect(negatives.users == [0, 1, 2])
    #expect(Array(negatives.negatives[0]) == [4])
    #expect(Array(negatives.negatives[1]) == [0, 1])
    #expect(Array(negatives.negatives[2]) == [4])
  }

  @Test func `depend on the seed and not on the threads`() throws {
    let data = histories((0..<5000).map { [$0 % 300, ($0 + 1) % 300] })
    let ends = [UInt32](repeating: 1, count: 5000)
    func draw(_ seed: UInt64, _ threads: Int) throws -> EvaluationNegatives {
      var parts = data
      parts.threads = threads
      return try drawn(
        NegativeSampler(count: 5, seed: seed)
          .negatives(parts, validEnds: ends, itemCount: 300))
    }
    #expect(try draw(1, 1) == draw(1, 3))
    #expect(try draw(1, 1) != draw(2, 1))
    func drawPopular(_ seed: UInt64, _ threads: Int) throws -> EvaluationNegatives {
      var parts = data
      parts.threads = threads
      return try drawn(
        NegativeSampler(count: 5, seed: seed).popularNegatives(
          parts, trainEnds: ends, validEnds: ends,
          trainCounts: (0..<300).map { $0 < 200 ? 17 : 16 }))
    }
    #expect(try drawPopular(1, 1) == drawPopular(1, 3))
    #expect(try drawPopular(1, 1) != drawPopular(2, 1))
  }
}
