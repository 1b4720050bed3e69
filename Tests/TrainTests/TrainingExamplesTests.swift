import Dataset
import Losses
import Metrics
import Retrieval
import ShardIO
import TestSupport
import Testing
import Training

@testable import Models
@testable import Training

/// What is read and predicted, and in which order.
@Suite struct NextItemExamplesTests {
  /// Train parts of 0, 1, 2, 3 and 7 items, and valid and test items 90 and 91 for everybody.
  private static let trainLengths = [0, 1, 2, 3, 7]

  private func sequences() -> UserSequences {
    let histories = Self.trainLengths.enumerated().map { (user: Int, length: Int) -> [UInt32] in
      (0..<length).map { UInt32(user * 10 + $0) } + [90, 91]
    }
    return UserSequences(
      userIDs: histories.indices.map { "u\($0)" }, items: RaggedArray(histories),
      times: RaggedArray(histories.map { $0.indices.map { Int64($0) } }),
      trainEnds: Self.trainLengths.map { UInt32($0) },
      validEnds: Self.trainLengths.map { UInt32($0 + 1) })
  }

  private func examples(
    maxLength: Int = 4, negativeCount: Int = 0, itemCount: Int = 100,
    kind: HistoryWindows = .last, seed: UInt64 = 1
  ) -> NextItemExamples {
    NextItemExamples(
      sequences(), maxLength: maxLength, negativeCount: negativeCount,
      sampler: ItemSampler(uniformBelow: itemCount), kind: kind, seed: seed)
  }

  @Test(arguments: 1...8)
  func `with all windows every train item but the first is a target once`(maxLength: Int) {
    let examples = examples(maxLength: maxLength, kind: .all)
    let batch = examples.batch(Array(0..<examples.count), epoch: 1)
    #expect(batch.targets.sorted() == [21, 31, 32] + (41...46))
    #expect(examples.targetCount == 9)
    #expect(batch.histories.allSatisfy { $0.count <= maxLength })
    // Before each target stands the item before it.
    let inputs = batch.histories.flatMap { $0 }
    #expect(zip(inputs, batch.targets).allSatisfy { $0.0 + 1 == $0.1 })
    // The most recent window of the longest history is the one that is read without the others.
    #expect(batch.histories.contains { Array($0) == Array((40...45).suffix(maxLength)) })
  }

  @Test(arguments: 1...8)
  func `with prefixes every train item but the first ends a window of its own`(maxLength: Int) {
    let examples = examples(maxLength: maxLength, kind: .prefixes)
    #expect(examples.count == 9 && examples.targetCount == 9)
    let batch = examples.batch(Array(0..<examples.count), epoch: 1)
    let (targets, negatives) = batch.predictions(at: .last)
    #expect(targets.sorted() == [21, 31, 32] + (41...46) && negatives.isEmpty)
    for (history, target) in zip(batch.histories, targets) {
      let first = target / 10 * 10
      #expect(Array(history) == Array((first..<target).suffix(maxLength)))
    }
  }

  @Test func `the share that is read counts targets`() {
    #expect(examples().targetCount == 7)
    #expect(examples(maxLength: 50).targetCount == 9)
    #expect(examples(maxLength: 1).targetCount == 3)
  }

  @Test func `windows of one user have negatives of their own`() {
    let examples = examples(maxLength: 2, negativeCount: 30, kind: .all)
    let windows = (0..<examples.count).map { examples.batch([$0], epoch: 1) }
      .filter { $0.histories[0].first! >= 40 && $0.histories[0].count == 2 }
    #expect(windows.count == 3)
    #expect(Set(windows.map(\.negatives)).count == 3)
    let recent = self.examples(maxLength: 2, negativeCount: 30)
    #expect(windows[0].negatives == recent.batch([2], epoch: 1).negatives)
  }

  @Test
  func `every train item but the first is a target, the most recent ones where there are many`() {
    let examples = examples()
    #expect(examples.count == 3)
    let batch = examples.batch([0, 1, 2], epoch: 1)
    #expect(batch.histories.map(Array.init) == [[20], [30, 31], [42, 43, 44, 45]])
    #expect(batch.targets == [21, 31, 32, 43, 44, 45, 46])
    #expect(batch.negatives.isEmpty)
  }

  @Test func `a batch has its members in the order asked for`() {
    let batch = examples(maxLength: 50).batch([2, 0], epoch: 1)
    #expect(batch.histories.map(Array.init) == [[40, 41, 42, 43, 44, 45], [20]])
    #expect(batch.targets == [41, 42, 43, 44, 45, 46, 21])
  }

  @Test func `negatives are uniform outside the user's train part`() {
    let examples = examples(negativeCount: 300, itemCount: 100)
    let batch = examples.batch([2, 1], epoch: 1)
    #expect(batch.negatives.count == 300 * 6)
    let ofLongest = batch.negatives.prefix(300 * 4)
    // Also not the train items that were cut off.
    #expect(ofLongest.allSatisfy { !(40...46).contains($0) && $0 < 100 })
    #expect(batch.negatives.dropFirst(1200).allSatisfy { !(30...32).contains($0) })
    // 93 items are left; 1,200 draws miss one of them with probability below 3e-4.
    #expect(Set(ofLongest).count == 93)
    #expect(examples.batch([1, 2], epoch: 1).negatives.suffix(1200) == ofLongest)
    #expect(examples.batch([2, 1], epoch: 2).negatives != batch.negatives)
  }

  @Test func `popular items are negatives more often, in proportion to a power of their count`() {
    // Everybody has seen items 0 to 2 alone; counts 1 and 16 to the power 1/2 are as 1 to 4.
    let world = UserSequences(
      userIDs: ["u"], items: RaggedArray([[0, 1, 2]]), times: RaggedArray([[0, 1, 2]]),
      trainEnds: [3], validEnds: [3])
    let sampler = ItemSampler(counts: [900, 900, 900, 1, 16, 0], power: 0.5)
    let examples = NextItemExamples(
      world, maxLength: 5, negativeCount: 6000, sampler: sampler, seed: 1)
    let drawn = examples.batch([0], epoch: 1).negatives
    let counts = (0..<6).map { item in drawn.count { $0 == UInt32(item) } }
    #expect(counts[0...2] == [0, 0, 0])
    // 12,000 draws with shares 1/6, 4/6, 1/6 (a count of 0 stands for 1): five standard deviations are 205 and 259.
    for (item, share) in [(3, 2000), (4, 8000), (5, 2000)] {
      #expect(abs(counts[item] - share) < 260)
    }
  }

  @Test func `a user who has seen everything gets any item as a negative`() {
    let world = UserSequences(
      userIDs: ["u"], items: RaggedArray([[0, 1, 2]]), times: RaggedArray([[0, 1, 2]]),
      trainEnds: [3], validEnds: [3])
    let examples = NextItemExamples(
      world, maxLength: 5, negativeCount: 2, sampler: ItemSampler(uniformBelow: 3), seed: 1)
    #expect(examples.batch([0], epoch: 1).negatives.count == 4)
  }

  @Test func `an epoch is a permutation, a function of seed and epoch`() {
    let world = PlantedWorld(userCount: 50)
    func batches(_ epoch: Int, seed: UInt64) -> [[Int]] {
      NextItemExamples(
        world.sequences, maxLength: 5, negativeCount: 0,
        sampler: ItemSampler(uniformBelow: 24), seed: seed
      ).batches(epoch: epoch, size: 16)
    }
    let first = batches(1, seed: 1)
    #expect(first.map(\.count) == [16, 16, 16, 2])
    #expect(first.flatMap { $0 }.sorted() == Array(0..<50))
    #expect(first.flatMap { $0 } != Array(0..<50))
    #expect(batches(1, seed: 1) == first)
    #expect(batches(2, seed: 1) != first)
    #expect(batches(1, seed: 2) != first)
  }

  @Test
  func `validation reads everything before the valid item and leaves the history out`() throws {
    func validation(_ sequences: UserSequences, _ network: TestNetwork) -> NextItemValidation {
      NextItemValidation(
        sequences, seed: 1, scoring: .vectors(network.model), itemCount: network.itemCount,
        threads: 2)
    }
    var hyper = ModelShape()
    hyper.architecture = .sasrec
    hyper.dimension = 8
    let network = TestNetwork(hyper, itemCount: 92, codeRows: [])
    let measured = validation(sequences(), network)
    // The user without a train part has nothing to read.
    #expect(measured.count == 4)
    // All scores are equal: ranks in the middle of 91, 90, 89 and 85 items, none in the first ten.
    let none = try #require(measured.measure())
    #expect(none.map(\.key) == ["validationNdcg@10", "validationHr@10"])
    #expect(none.map(\.value) == [0, 0])
    let small = validation(
      PlantedWorld(userCount: 3).sequences, TestNetwork(hyper, itemCount: 24, codeRows: []))
    // 24 items without 6: rank 9.5.
    let found = try #require(small.measure())
    #expect(found[1].value == 1 && abs(found[0].value - 0.294_783_735) < 1e-6)
    // Where repeats are kept, all 24 compete: rank 12.5.
    var kept = PlantedWorld(userCount: 3).sequences
    kept.keepsRepeats = true
    let repeats = validation(kept, TestNetwork(hyper, itemCount: 24, codeRows: []))
    #expect(try #require(repeats.measure()).map(\.value) == [0, 0])
  }
}
