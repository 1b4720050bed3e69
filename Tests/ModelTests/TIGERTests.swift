import ArgumentParser
import Dataset
import Models
import Numerics
import Retrieval
import ShardIO
import Tape
import TestSupport
import Testing
import Training

/// TIGER: beams against exhaustive scoring, and the world in which the digits of the next item follow from those of two before.
@Suite struct TIGERTests {
  private static let sizes = [5, 4, 3]

  /// A catalogue in which some tuples have two items and some none.
  private static let codes: ItemCodes = {
    var tuples: [[UInt16]] = []
    for number in 0..<60 where number % 7 != 3 {
      tuples.append([UInt16(number / 12), UInt16(number / 3 % 4), UInt16(number % 3)])
    }
    tuples += [tuples[4], tuples[4], tuples[20]]
    return ItemCodes(
      levelSizes: sizes, codes: tuples.flatMap(\.self), codebooks: [], width: 0,
      usage: Array(repeating: 0, count: 12), center: [], isTextSpace: false)
  }()

  private func generator(_ words: String..., seed: UInt64 = 3) throws -> CodeGenerator {
    var data = ModelData(itemCount: Self.codes.count, codes: Self.codes)
    data.seed = seed
    var options = try TIGER.Options.parse(
      ["--dimension", "24", "--layers", "2", "--heads", "2", "--head-width", "8"]
        + ["--feed-forward", "32", "--max-length", "4", "--precision", "float32"] + words)
    options.resolve(data)
    let model = try TIGER.build(options, data)
    model.initialize(data)
    return model
  }

  private func lists(_ model: CodeGenerator) throws -> any ListScoring {
    guard case .lists(let lists) = model.scoring else {
      throw ValidationError("a generator makes lists")
    }
    return lists
  }

  private let histories = RaggedArray<UInt32>([
    [3], [7, 9, 12, 40, 41, 50], [], [30, 30, 2], [53, 20], [1, 2],
  ])

  @Test(arguments: [UInt64(3), 4])
  func `a beam as wide as the catalogue gives every item its likelihood`(seed: UInt64) throws {
    let model = try lists(try generator("--score", "exact", seed: seed))
    let all = Array(0..<UInt32(Self.codes.count))
    let found = model.lists(
      histories, count: all.count, excluded: RaggedArray(emptyRows: histories.count), threads: 2)
    let candidates = RaggedArray((0..<histories.count).map { _ in all })
    let scores = model.scores(histories, candidates: candidates, threads: 2)
    #expect(model.listLimit == all.count)
    for user in 0..<histories.count {
      #expect(found.items[user].sorted() == all)
      for (item, score) in zip(found.items[user], found.scores[user]) {
        let exact = scores[user][scores[user].startIndex + Int(item)]
        #expect(abs(score - exact) < 1e-4, "user \(user), item \(item)")
      }
      // Likelihoods of all tuples that there could be add up to 1; of those with an item to less.
      var tuples: [[UInt16]: Double] = [:]
      for item in all {
        tuples[Array(Self.codes.tuple(of: Int(item)))] = exponential(
          Double(scores[user][scores[user].startIndex + Int(item)]))
      }
      let sum = tuples.values.reduce(0, +)
      #expect(sum > 0.5 && sum < 1, "\(sum)")
    }
  }

  @Test func `a beam finds the best items, never one that is excluded, and equal codes tie`() throws
  {
    let wide = try lists(try generator("--score", "exact"))
    let narrow = try lists(try generator("--beam", "12"))
    let none = RaggedArray<UInt32>(emptyRows: histories.count)
    let best = wide.lists(histories, count: 5, excluded: none, threads: 1)
    let found = narrow.lists(histories, count: 5, excluded: none, threads: 2)
    #expect(found.items.values == best.items.values)
    #expect(
      found == narrow.lists(histories, count: 5, excluded: none, threads: 1), "threads differ")
    // Without the two best ones the list goes on with the next.
    let excluded = RaggedArray((0..<histories.count).map { Array(best.items[$0].prefix(2)) })
    let rest = narrow.lists(histories, count: 3, excluded: excluded, threads: 2)
    for user in 0..<histories.count {
      #expect(Array(rest.items[user]) == Array(best.items[user].dropFirst(2)))
    }
    // Items 4 and the two that share its codes.
    let shared = RaggedArray((0..<histories.count).map { _ in [UInt32(4), 51, 52] })
    let scores = wide.scores(histories, candidates: shared, threads: 1)
    for user in 0..<histories.count { #expect(Set(scores[user]).count == 1) }
    let listed = wide.lists(histories, count: 100, excluded: none, threads: 1)
    for user in 0..<histories.count {
      let places = [UInt32(4), 51, 52].compactMap { listed.items[user].firstIndex(of: $0) }
      #expect(places.count == 3 && places[1] == places[0] + 1 && places[2] == places[0] + 2)
    }
  }

  /// Each digit of an item follows from other digits of the two items before it, the first from the sum of theirs: a single item does
  /// not say what comes.
  private static let worldSize = 48
  private static func item(_ a: Int, _ b: Int, _ c: Int) -> Int {
    let pair: Int = (a % 4) * 4 + b % 4
    return pair * 3 + c % 3
  }

  private static let worldCodes: ItemCodes = {
    var digits: [UInt16] = []
    for number in 0..<UInt16(worldSize) {
      digits.append(number / 12)
      digits.append(number / 3 % 4)
      digits.append(number % 3)
    }
    return ItemCodes(
      levelSizes: [4, 4, 3], codes: digits, codebooks: [], width: 0,
      usage: Array(repeating: 0, count: 11), center: [], isTextSpace: false)
  }()

  /// The history of a user: two items at random, and what follows from them.
  private static func history(of user: Int) -> [UInt32] {
    let random = CounterRandom(seed: 5, stream: 1).substream(UInt64(user))
    var items: [Int] = []
    for draw in [UInt64(0), 1] { items.append(Int(random.bits(draw) % UInt64(worldSize))) }
    while items.count < 9 {
      let last: Int = items[items.count - 1]
      let before: Int = items[items.count - 2]
      let first: Int = last / 12 + before / 12
      let second: Int = last % 3 + before / 3
      items.append(item(first, second, last / 3 % 4))
    }
    return items.map { UInt32($0) }
  }

  private static let worldSequences: UserSequences = {
    let histories: [[UInt32]] = (0..<300).map { history(of: $0) }
    let times: [[Int64]] = histories.map { $0.indices.map { Int64($0) } }
    return UserSequences(
      userIDs: histories.indices.map { "u\($0)" }, items: RaggedArray(histories),
      times: RaggedArray(times), trainEnds: histories.map { UInt32($0.count - 2) },
      validEnds: histories.map { UInt32($0.count - 1) })
  }()

  /// The share of users whose test item heads their list after some of the items before it.
  private func accuracy(_ model: CodeGenerator, reading count: Int) throws -> Double {
    let sequences = Self.worldSequences
    let histories = RaggedArray(
      (0..<sequences.count).map { Array(sequences.items[$0].dropLast().suffix(count)) })
    let found = try lists(model).lists(
      histories, count: 1, excluded: RaggedArray(emptyRows: histories.count), threads: 2)
    let hits = (0..<sequences.count).count { user in
      Array(found.items[user]) == Array(sequences.testTargets(of: user))
    }
    return Double(hits) / Double(sequences.count)
  }

  @Test func `digits of two items together say what comes, and either alone does not`() throws {
    var data = ModelData(itemCount: Self.worldSize, codes: Self.worldCodes)
    data.seed = 2
    var options = try TIGER.Options.parse(
      ["--dimension", "32", "--layers", "2", "--heads", "2", "--head-width", "16", "--beam", "10"]
        + ["--feed-forward", "64", "--max-length", "4", "--dropout", "0", "--precision", "float32"])
    options.resolve(data)
    let model = try TIGER.build(options, data)
    model.initialize(data)
    var settings = TrainingStep<CodeGenerator>.Settings()
    settings.optimizer.rate = 0.004
    settings.seed = 2
    settings.threads = 2
    let step = TrainingStep(model, settings)
    let examples = model.examples(Self.worldSequences, seed: 2)
    // The first event of a user has no history; the one after it follows from nothing.
    #expect(examples.count == 300 * 6 && examples.targetCount == 300 * 6)
    var number = 0
    for epoch in 1...40 {
      for members in examples.batches(epoch: epoch, size: 64) {
        _ = step.run(examples.batch(members, epoch: epoch), number: number)
        number += 1
      }
    }
    let whole = try accuracy(model, reading: 4)
    #expect(whole > 0.9)
    #expect(try accuracy(model, reading: 1) < 0.5)
    let histories = (0..<300).map { Array(Self.worldSequences.items[$0].dropLast()) }
    let targets = (0..<300).flatMap { Array(Self.worldSequences.testTargets(of: $0)) }
    let measure = try #require(model.diagnostics.digits)
    let readings = measure(RaggedArray(histories), targets, 2)
    #expect(readings.count == 3 && readings.allSatisfy { $0.accuracy > 0.9 && $0.meanRank < 1.3 })
  }

  @Test func `digits of no history and of an untrained model are at chance`() throws {
    let model = try generator()
    let targets = Array(0..<UInt32(Self.codes.count))
    let measure = try #require(model.diagnostics.digits)
    let readings = measure(RaggedArray(emptyRows: targets.count), targets, 1)
    for (reading, size) in zip(readings, Self.sizes) {
      #expect(abs(reading.meanRank - Double(size + 1) / 2) < 0.6, "\(reading)")
    }
  }
}
