import ArgumentParser
import Dataset
import Layers
import Models
import Numerics
import ShardIO
import Tape
import Testing
import Training

/// BERT4Rec where its mechanism is what wins: what comes first is told by what comes after it.
@Suite struct BERT4RecTests {
  @Test(arguments: [UInt64(1), 2])
  func `an item is told from one that has always come after it`(seed: UInt64) throws {
    let shop = PlantedShop.companions(pairs: 10, in: 3)
    let words = [
      "--dimension", "32", "--layers", "1", "--max-length", "6", "--loss", "ce",
    ]
    let found = try shop.accuracy(BERT4Rec.self, words, epochs: 100, seed: seed)
    // Without anything hidden but the last item, nothing is told from what comes after it; nor by SASRec.
    let others = [
      try shop.accuracy(BERT4Rec.self, words + ["--targets", "last"], epochs: 100, seed: seed),
      try shop.accuracy(SASRec.self, words, epochs: 100, seed: seed),
    ]
    #expect(found > 0.8, "\(found)")
    #expect(others.allSatisfy { $0 < 0.3 }, "\(others)")
  }

  @Test func `a hidden item changes nothing, the others change it from both sides`() throws {
    let data = ModelData(itemCount: 12)
    var options = try BERT4Rec.Options.parse(["--dimension", "16", "--max-length", "6"])
    options.resolve(data)
    let model = try BERT4Rec.build(options, data)
    model.initialize(data)
    func state(_ items: [UInt32]) -> [Float] {
      let tape = Tape(parameters: model.store.values)
      tape.begin(recording: false, randomness: nil)
      var batch = SequenceBatch([items[...]], maxLength: 7)
      batch.hidden = [2]
      return model.states(batch, at: .all, on: tape, random: nil, observe: nil).states.array
    }
    let base = state([1, 2, 3, 4, 5])
    #expect(base.count == 16 && state([1, 2, 9, 4, 5]) == base)
    #expect(state([1, 7, 3, 4, 5]) != base && state([1, 2, 3, 4, 7]) != base)
  }
}

/// Which items of a window are hidden.
@Suite struct HiddenItemTests {
  /// Users with 1, 2, 5 and 30 train items.
  private let sequences: UserSequences = {
    let histories = [1, 2, 5, 30].map { length in (0..<UInt32(length)).map { $0 } }
    return UserSequences(
      userIDs: histories.indices.map { "u\($0)" }, items: RaggedArray(histories),
      times: RaggedArray(histories.map { $0.indices.map { Int64($0) } }),
      trainEnds: histories.map { UInt32($0.count) }, validEnds: histories.map { UInt32($0.count) })
  }()

  private func examples(_ words: [String]) throws -> any ExampleSource<NextItemBatch> {
    var data = ModelData(itemCount: 40)
    data.trainLengths = [1, 2, 5, 30]
    var options = try BERT4Rec.Options.parse(["--dimension", "4", "--max-length", "19"] + words)
    options.resolve(data)
    return try BERT4Rec.build(options, data).examples(sequences, seed: 3)
  }

  @Test func `a share of a window is hidden, other items in each epoch, never all`() throws {
    let wanted = [(member: 0, count: 1), (1, 2), (2, 8)]
    let examples = try examples(["--hidden-share", "0.4", "--windows", "last"])
    for (member, count) in wanted {
      let epochs = (1...200).map { examples.batch([member], epoch: $0) }
      let hidden = epochs.compactMap(\.hidden)
      let size = [2, 5, 20][member]
      #expect(epochs.allSatisfy { $0.tokenCount == size && $0.targets.count == size })
      #expect(hidden.allSatisfy { $0.count == count || $0 == [size - 1] })
      #expect(hidden.allSatisfy { $0 == $0.sorted() && Set($0).count == $0.count })
      #expect(Set(hidden.flatMap { $0 }) == Set(0..<size))
      // One window in eleven hides its last item alone: 18 of 200, four standard deviations are 16.
      let ends = hidden.count { $0 == [size - 1] }
      if count > 1 { #expect((2...34).contains(ends)) }
      #expect(examples.batch([member], epoch: 7).hidden == hidden[6])
    }
  }

  @Test func `with the last targets alone the last item is what is hidden`() throws {
    let examples = try examples(["--targets", "last"])
    #expect((1...20).allSatisfy { examples.batch([1], epoch: $0).hidden == [4] })
  }

  @Test func `hidden items are the targets, with negatives of their own`() throws {
    let batch = try examples(["--loss", "bce", "--negatives", "3"]).batch([1], epoch: 4)
    let hidden = try #require(batch.hidden)
    #expect(batch.negatives.count == 3 * hidden.count)
    #expect(batch.negatives.allSatisfy { (5..<40).contains($0) })
    let parts = batch.microBatches(tokenLimit: 100)
    #expect(parts.flatMap { $0.hidden ?? [] } == hidden.map { UInt32($0) })
  }

  @Test func `windows before the most recent one are hidden in, too`() throws {
    let all = try examples(["--windows", "all"]).batch([3], epoch: 1)
    #expect(all.histories.map(Array.init) == [Array(0..<10)])
    #expect(throws: (any Error).self) {
      try BERT4Rec.Options.parse(["--windows", "prefixes", "--targets", "last"])
    }
  }
}
