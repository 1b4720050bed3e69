import Dataset
import Retrieval
import ShardIO
import TestSupport
import Testing

@testable import Models
@testable import Numerics
@testable import Tape
@testable import Training

/// Whole trainings of small networks: what they learn, when they stop, what they leave.
@Suite struct TrainingLoopTests {
  private let world = PlantedWorld()

  static let binary: LossShape = {
    var losses = LossShape()
    losses.recommendation = .binary(negativeCount: 4)
    return losses
  }()

  static let calibrated: LossShape = {
    var losses = LossShape()
    losses.recommendation = .calibratedBinary(negativeCount: 4, calibration: 0.75)
    return losses
  }()

  static let sampled: LossShape = {
    var losses = LossShape()
    losses.recommendation = .sampledSoftmax(negativeCount: 12)
    return losses
  }()

  @Test(
    arguments: ModelShape.Architecture.allCases, [LossShape(), binary, calibrated, sampled])
  func `every form learns a planted order`(
    architecture: ModelShape.Architecture, losses: LossShape
  ) throws {
    let network = world.network(architecture)
    let loop = try world.loop(network, epochs: 40, losses: losses)
    #expect(try #require(loop.validation.ndcg) < 0.6)
    let outcome = try loop.run(isQuiet: true)
    #expect(try #require(outcome.bestMetric) > 0.9)
    #expect(loop.validation.ndcg == outcome.bestMetric)
  }

  @Test func `training stops after patience epochs and leaves the best parameters`() throws {
    let stopped = world.network(.h2rec)
    let outcome = try world.loop(stopped, epochs: 100, patience: 3).run(isQuiet: true)
    try #require(outcome.epochCount == outcome.bestEpoch + 3 && outcome.epochCount < 100)
    let straight = world.network(.h2rec)
    let shorter = try world.loop(straight, epochs: outcome.bestEpoch).run(isQuiet: true)
    #expect(shorter.bestEpoch == outcome.bestEpoch && shorter.bestMetric == outcome.bestMetric)
    #expect(straight.parameters.array == stopped.parameters.array)
    #expect(straight.tables.map(\.values.array) == stopped.tables.map(\.values.array))
    let longer = world.network(.h2rec)
    _ = try world.loop(longer, epochs: outcome.bestEpoch + 1, patience: 1).run(isQuiet: true)
    #expect(longer.parameters.array == stopped.parameters.array)
  }

  @Test func `the log has a line for every epoch and marks the best`() throws {
    let outcome = try world.loop(world.network(.h2rec), epochs: 5).run(isQuiet: true)
    let lines = try outcome.log.split(separator: 0x0A).map {
      try JSONValue(parsing: Array($0), path: "training-log.jsonl")
    }
    #expect(lines.compactMap { $0["epoch"]?.integerValue } == [1, 2, 3, 4, 5])
    // 48 users, 16 in a step.
    #expect(lines.compactMap { $0["step"]?.integerValue } == [3, 6, 9, 12, 15])
    #expect(lines[outcome.bestEpoch - 1]["isBest"] == true)
    var best = -1.0
    for line in lines {
      let value = try #require(line["validationNdcg@10"]?.numberValue)
      #expect(line["isBest"] == JSONValue(value > best))
      best = max(best, value)
      for part in ["recommendation", "alignment", "maskedGranularity"] {
        #expect((line[part]?.numberValue ?? -1) > 0)
      }
    }
    #expect(outcome.counters["steps"] == 15 && outcome.positions == 5 * 48 * 5)
  }

  @Test func `the same seed gives the same training, another one another`() throws {
    func trained(_ seed: UInt64) throws -> [Float] {
      let network = world.network(.h2rec)
      _ = try world.loop(network, epochs: 2, seed: seed).run(isQuiet: true)
      return network.parameters.array + network.tables.flatMap(\.values.array)
    }
    let first = try trained(1)
    #expect(try trained(1) == first)
    #expect(try trained(2) != first)
  }

  @Test func `an average of the parameters is what is validated and left`() throws {
    let plain = world.network(.h2rec)
    _ = try world.loop(plain, epochs: 3).run(isQuiet: true)
    let network = world.network(.h2rec)
    let loop = try world.loop(network, epochs: 3, emaDecay: 0.75)
    let outcome = try loop.run(isQuiet: true)
    #expect(network.parameters.array != plain.parameters.array)
    #expect(network.tables[0].values.array != plain.tables[0].values.array)
    #expect(loop.validation.ndcg == outcome.bestMetric)
  }

  /// The validation of a model on a sample of the users, or on all.
  private func validation(
    _ userCount: Int?, seed: UInt64 = 1, of model: any VectorScoring
  ) -> NextItemValidation {
    NextItemValidation(
      world.sequences, userCount: userCount, seed: seed, scoring: .vectors(model),
      itemCount: world.itemCount,
      threads: 1)
  }

  @Test func `a sample of the users is validated, and all of them at the end`() throws {
    let network = world.network(.h2rec)
    let loop = try world.loop(network, epochs: 2) { model in
      (self.validation(10, of: model), self.validation(nil, of: model))
    }
    let model = network.model
    #expect(validation(10, of: model).count == 10 && validation(nil, of: model).count == 48)
    #expect(validation(48, of: model).count == 48)
    let outcome = try loop.run(isQuiet: true)
    #expect(outcome.bestMetric == loop.validation.ndcg)
    #expect(outcome.bestMetric == validation(10, of: model).ndcg)
    #expect(outcome.bestMetric != validation(10, seed: 2, of: model).ndcg)
    #expect(outcome.finalMetric == validation(nil, of: model).ndcg)
    #expect(outcome.counters["validationNdcg@10"] == outcome.finalMetric.map { JSONValue($0) })
    #expect(
      outcome.counters["sampledValidationNdcg@10"] == outcome.bestMetric.map { JSONValue($0) })
  }

  @Test
  func `without a user to validate on the last epoch counts, and no figure is made up`() throws {
    let everything = UserSequences(
      userIDs: world.sequences.userIDs, items: world.sequences.items, times: world.sequences.times,
      trainEnds: world.sequences.trainEnds.map { $0 + 2 },
      validEnds: world.sequences.trainEnds.map { $0 + 2 })
    let outcome = try world.loop(world.network(.h2rec), epochs: 3, patience: 1) { model in
      let none = NextItemValidation(
        everything, seed: 1, scoring: .vectors(model), itemCount: self.world.itemCount, threads: 1)
      return (none, none)
    }.run(isQuiet: true)
    #expect(outcome.epochCount == 3 && outcome.bestEpoch == 3 && outcome.bestMetric == nil)
    #expect(outcome.counters["validationNdcg@10"] == .null)
    #expect(!String(decoding: outcome.log, as: UTF8.self).contains("validation"))
  }

  // MARK: - Numerical trouble

  @Test(arguments: [Float.nan, .infinity])
  func `a loss that is no number ends the run and names step, part and parameter`(
    value: Float
  ) throws {
    let network = world.network(.h2rec)
    let hash = try #require(network.hash)
    hash.values[3] = value
    let loop = try world.loop(network, epochs: 2)
    let error = #expect(throws: PipelineError.self) { try loop.run(isQuiet: true) }
    #expect(error?.kind == .internalError)
    #expect(
      error?.message.hasPrefix(
        "the recommendation loss of step 1 is no finite number; the first parameter that is not finite is '"
      ) == true)
    #expect(error?.note == "lower --learning-rate; nothing was written")
  }

  @Test func `parameters that break in the last step are not left as the best`() throws {
    let network = world.network(.sasrec)
    let loop = try world.loop(network, epochs: 1, batchSize: 48, rate: .infinity)
    let error = #expect(throws: PipelineError.self) { try loop.run(isQuiet: true) }
    #expect(error?.kind == .internalError)
    #expect(error?.message == "the parameter 'positions' is not finite after step 1")
  }
}
