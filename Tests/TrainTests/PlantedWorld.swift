import Dataset
import Models
import Retrieval
import ShardIO
import Tape
import TestSupport

@testable import Training

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
  func network(_ architecture: ModelShape.Architecture, seed: UInt64 = 1) -> TestNetwork {
    var hyper = ModelShape()
    hyper.architecture = architecture
    hyper.dimension = 16
    hyper.maxLength = 6
    hyper.layerCount = 1
    hyper.crossHeadCount = 2
    hyper.dropout = 0.1
    hyper.gateDropout = 0.1
    hyper.cross = .residual
    hyper.levelSizes = architecture == .sasrec ? [] : [6, 4]
    let codeRows = (0..<itemCount).flatMap { (item: Int) -> [UInt32] in
      [UInt32(item / 4), UInt32(6 + item % 4)]
    }
    let network = TestNetwork(
      hyper, itemCount: itemCount, codeRows: hyper.hasCodes ? codeRows : [])
    network.initialize(seed: seed)
    return network
  }

  /// The training of a network; `validation` is what is measured after each epoch, and at the end, nil for all users alone.
  func loop(
    _ network: TestNetwork, epochs: Int, patience: Int = 1000, batchSize: Int = 16,
    rate: Float = 0.01,
    losses: LossShape = LossShape(), emaDecay: Double = 0, seed: UInt64 = 1,
    validation: ((any VectorScoring) -> (epochs: any ValidationTask, end: any ValidationTask))? =
      nil
  ) throws -> any RunnableTraining {
    network.set(losses, pairs: nil)
    var schedule = TrainingSchedule()
    schedule.batchSize = batchSize
    schedule.epochs = epochs
    schedule.patience = patience
    schedule.learningRate = rate
    func make<Model: NextItemModel>(_ model: Model) -> any RunnableTraining {
      var settings = TrainingStep<Model>.Settings()
      settings.optimizer.rate = rate
      settings.emaDecay = emaDecay
      settings.microBatchTokens = 32
      settings.seed = seed
      settings.threads = 2
      let tasks = validation?(model)
      return TrainingLoop(
        step: TrainingStep(model, settings), examples: model.examples(sequences, seed: seed),
        validation: tasks?.epochs
          ?? model.validation(sequences, userCount: nil, seed: seed, threads: 2),
        finalValidation: tasks?.end, schedule: schedule)
    }
    return make(network.model)
  }
}

/// A training of any model.
protocol RunnableTraining {
  var validation: any ValidationTask { get }
  func run(isQuiet: Bool, checkpoints: Checkpoints?) throws(PipelineError) -> TrainingOutcome
}

extension RunnableTraining {
  func run(isQuiet: Bool) throws(PipelineError) -> TrainingOutcome {
    try run(isQuiet: isQuiet, checkpoints: nil)
  }
}

extension TrainingLoop: RunnableTraining {
  func run(isQuiet: Bool, checkpoints: Checkpoints?) throws(PipelineError) -> TrainingOutcome {
    try run(isQuiet: isQuiet, checkpoints: checkpoints, epochDone: { _ in })
  }
}

extension ValidationTask {
  /// The first metric, NDCG@10.
  var ndcg: Double? { measure()?.first?.value }
}
