import ArgumentParser
import Dataset
import Losses
import Models
import ShardIO

@testable import Train

/// A shop in which every item is always followed by the next one, in a circle.
struct PlantedWorld {
  let itemCount = 24
  let sequences: UserSequences

  /// - Parameter userCount: user u starts at item u and buys eight items.
  init(userCount: Int = 48) {
    let itemCount = itemCount
    let histories = (0..<userCount).map { (user: Int) -> [UInt32] in
      (0..<8).map { UInt32((user + $0) % itemCount) }
    }
    sequences = UserSequences(
      userIDs: histories.indices.map { "u\($0)" }, items: RaggedArray(histories),
      times: RaggedArray(histories.map { $0.indices.map { Int64($0) } }),
      trainEnds: histories.map { UInt32($0.count - 2) },
      validEnds: histories.map { UInt32($0.count - 1) })
  }

  /// A small network over this shop; items have codes of their own.
  func network(_ architecture: Hyperparameters.Architecture, seed: UInt64 = 1) -> Network {
    var hyper = Hyperparameters()
    hyper.architecture = architecture
    hyper.dimension = 16
    hyper.maxLength = 6
    hyper.layerCount = 1
    hyper.crossHeadCount = 2
    hyper.dropout = .uniform(0.1, gate: 0.1)
    hyper.cross = .residual
    hyper.levelSizes = architecture == .sasrec ? [] : [6, 4]
    let codeRows = (0..<itemCount).flatMap { (item: Int) -> [UInt32] in
      [UInt32(item / 4), UInt32(6 + item % 4)]
    }
    let network = Network(
      hyper, itemCount: itemCount, codeRows: hyper.hasCodes ? codeRows : [])
    network.initialize(hashStart: .random, vectors: nil, codes: nil, seed: seed, threads: 1)
    return network
  }

  /// The training of a network.
  func loop(
    _ network: Network, epochs: Int, patience: Int = 1000, batchSize: Int = 16, rate: Float = 0.01,
    losses: LossSettings = LossSettings(), averageDecay: Double = 0, seed: UInt64 = 1
  ) throws -> TrainingLoop {
    let sampler = ItemSampler(uniformBelow: itemCount)
    var schedule = try ScheduleOptions.parse([
      "--batch-size", "\(batchSize)", "--epochs", "\(epochs)", "--patience", "\(patience)",
    ])
    schedule.learningRate = rate
    let step = TrainingStep(
      network: network, losses: losses, pairs: nil, optimizer: schedule.optimizer,
      sampler: sampler, averageDecay: averageDecay, tokensPerPart: 32, seed: seed, threads: 2)
    let negatives = losses.recommendation.negativesPerPosition
    return TrainingLoop(
      network: network, step: step,
      examples: TrainingExamples(
        sequences, maxLength: network.hyper.maxLength, negativeCount: negatives,
        sampler: sampler, seed: seed), validation: Validation(sequences, threads: 2),
      schedule: schedule)
  }
}
