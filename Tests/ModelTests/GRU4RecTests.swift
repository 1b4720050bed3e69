import ArgumentParser
import Dataset
import Models
import Numerics
import Retrieval
import ShardIO
import Tape
import Testing
import Training

/// GRU4Rec where its mechanism is what wins: the next item depends on what was seen before the last one.
@Suite struct GRU4RecTests {
  private static let itemCount = 11

  /// Each item is the sum of the two before it, modulo their number: the last item alone says nothing of the next one.
  private let sequences: UserSequences = {
    let histories = (0..<itemCount * itemCount).map { (user: Int) -> [UInt32] in
      var items = [user % itemCount, user / itemCount]
      while items.count < 9 {
        items.append((items[items.count - 2] + items[items.count - 1]) % itemCount)
      }
      return items.map(UInt32.init)
    }
    return UserSequences(
      userIDs: histories.indices.map { "u\($0)" }, items: RaggedArray(histories),
      times: RaggedArray(histories.map { $0.indices.map { Int64($0) } }),
      trainEnds: histories.map { UInt32($0.count - 2) },
      validEnds: histories.map { UInt32($0.count - 1) })
  }()

  /// The share of users whose test item is the best scored one after some of the items before it.
  private func accuracy(_ model: SequentialModel, reading count: Int) throws -> Double {
    guard case .vectors(let scorer) = model.scoring else {
      Issue.record("GRU4Rec scores by vectors")
      return 0
    }
    let histories = RaggedArray(
      (0..<sequences.count).map { Array(sequences.items[$0].dropLast().suffix(count)) })
    let states = scorer.read(histories, threads: 2).states
    let items = scorer.itemVectors(threads: 2)
    let hits = (0..<sequences.count).count { user in
      let scores = (0..<Self.itemCount).map { item in
        zip(states[row: user], items[row: item]).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      }
      return sequences.testTargets(of: user).allSatisfy { scores[Int($0)] == scores.max() }
    }
    return Double(hits) / Double(sequences.count)
  }

  @Test(arguments: [UInt64(1), 2])
  func `what two items say together is learned, and neither says alone`(seed: UInt64) throws {
    var options = try GRU4Rec.Options.parse(
      ["--dimension", "32", "--dropout", "0", "--precision", "float32"])
    var data = ModelData(itemCount: Self.itemCount)
    data.seed = seed
    options.resolve(data)
    let model = try GRU4Rec.build(options, data)
    model.initialize(data)
    var settings = TrainingStep<SequentialModel>.Settings()
    settings.optimizer.rate = 0.01
    settings.precision = model.precision
    settings.seed = seed
    settings.threads = 2
    let step = TrainingStep(model, settings)
    let examples = model.examples(sequences, seed: seed)
    for number in 0..<400 {
      _ = step.run(examples.batch(Array(0..<examples.count), epoch: number), number: number)
    }
    // One in eleven by chance.
    #expect(try accuracy(model, reading: 8) > 0.9)
    #expect(try accuracy(model, reading: 1) < 0.4)
  }
}
