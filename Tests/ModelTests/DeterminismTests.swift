import Layers
import TestSupport
import Testing

@testable import Models
@testable import Numerics
@testable import Tape

/// A step is a function of data, settings and seed, whatever the threads; and its first loss is known.
@Suite struct DeterminismTests {
  static let objectives: [NextItemLoss.Form] = [
    .crossEntropy, .binary(negativeCount: 3), .sampledSoftmax(negativeCount: 40),
  ]

  @Test(arguments: objectives)
  func `several steps with dropout give the same bytes on one and on two threads`(
    objective: NextItemLoss.Form
  ) {
    let one = bytes(objective, seed: 5, threads: 1)
    #expect(bytes(objective, seed: 5, threads: 2) == one)
    #expect(bytes(objective, seed: 5, threads: 2) == one)
    #expect(bytes(objective, seed: 6, threads: 1) != one)
  }

  @Test(.enabled(if: ProductPrecision.bfloat16.isAvailable), arguments: objectives)
  func `so do steps of rounded products, which are others`(
    objective: NextItemLoss.Form
  ) {
    let one = bytes(objective, .bfloat16, seed: 5, threads: 1)
    #expect(bytes(objective, .bfloat16, seed: 5, threads: 2) == one)
    #expect(bytes(objective, seed: 5, threads: 1) != one)
  }

  @Test func `dropout masks change from step to step`() {
    let world = world(.crossEntropy, seed: 5, threads: 1)
    let losses = (0..<2).map { world.step.gradients(of: world.batch, number: $0).recommendation }
    #expect(losses[0] != losses[1])
    #expect(world.step.gradients(of: world.batch, number: 0).recommendation == losses[0])
  }

  @Test func `the first loss with item vectors of zero is that of guessing`() {
    for objective in Self.objectives.prefix(2) {
      let world = world(objective, seed: 5, threads: 1)
      for table in world.network.tables { table.values.fill(0) }
      let loss = world.step.gradients(of: world.batch, number: 0).recommendation
      // log 31, and log 2 for the target and for the negatives.
      let expected = objective == .crossEntropy ? 3.433_987_204_485_146 : 1.386_294_361_119_891
      #expect(abs(loss - expected) < 1e-5)
    }
  }

  @Test func `hidden levels are the half with the smallest or largest weights, or a random half`() {
    let weights: [Float] = [0.4, 0.1, 0.3, 0.2, 0.1, 0.2, 0.3, 0.4, 0.25, 0.25, 0.25, 0.25]
    let random = CounterRandom(seed: 1, stream: 1)
    #expect(
      ViewMaskStrategy.low.hidden(weights: weights, levelCount: 4, random: random)
        == [0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0])
    #expect(
      ViewMaskStrategy.high.hidden(weights: weights, levelCount: 4, random: random)
        == [1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 0, 0])
    let many = [Float](repeating: 0.25, count: 4 * 400)
    let hidden = ViewMaskStrategy.random.hidden(weights: many, levelCount: 4, random: random)
    for sequence in 0..<400 {
      #expect(hidden[sequence * 4..<sequence * 4 + 4].reduce(0, +) == 2)
    }
    for level in 0..<4 {
      let count = stride(from: level, to: hidden.count, by: 4).count { hidden[$0] == 1 }
      // 400 draws of one half: five standard deviations.
      #expect(abs(count - 200) < 50)
    }
  }

  // MARK: - The world

  private struct World {
    let network: TestNetwork
    let step: TestStep
    let batch: NextItemBatch
  }

  /// 31 items, 40 sequences of 1 to 9 positions in about 13 micro-batches, all losses, dropout everywhere.
  private func world(
    _ objective: NextItemLoss.Form, _ precision: ProductPrecision = .float32,
    seed: UInt64, threads: Int
  ) -> World {
    var hyper = ModelShape()
    hyper.dimension = 8
    hyper.maxLength = 9
    hyper.crossHeadCount = 2
    hyper.dropout = 0.4
    hyper.gateDropout = 0.2
    hyper.cross = .residual
    hyper.levelSizes = [4, 8]
    let codeRows = (0..<31).flatMap { (item: Int) -> [UInt32] in
      [UInt32(item % 4), UInt32(4 + item / 4)]
    }
    let network = TestNetwork(hyper, itemCount: 31, codeRows: codeRows)
    network.initialize(seed: 9)
    var losses = LossShape()
    losses.recommendation = objective
    losses.precision = precision
    losses.viewMask = .random
    losses.alignmentItemLimit = 12
    let histories = (0..<40).map { (user: Int) -> ArraySlice<UInt32> in
      let length = 1 + user * 5 % 9
      return (0..<length).map { (place: Int) -> UInt32 in UInt32((user * 7 + place * 3) % 31) }[...]
    }
    let targets = histories.flatMap { history in history.map { ($0 + 3) % 31 } }
    let negatives = objective.negativesPerPosition
    let batch = NextItemBatch(
      histories: histories, targets: targets,
      negatives: (0..<targets.count * negatives).map { UInt32($0 * 11 % 31) })
    let step = TestStep(
      network: network, losses: losses, pairs: nil, optimizer: Adam.Settings(), tokensPerPart: 16,
      seed: seed, threads: threads)
    return World(network: network, step: step, batch: batch)
  }

  /// The bits of everything that is learned after four steps.
  private func bytes(
    _ objective: NextItemLoss.Form, _ precision: ProductPrecision = .float32,
    seed: UInt64, threads: Int
  ) -> [UInt32] {
    let world = world(objective, precision, seed: seed, threads: threads)
    for number in 0..<4 { _ = world.step.run(world.batch, number: number) }
    return (world.network.parameters.array + world.network.tables.flatMap(\.values.array))
      .map(\.bitPattern)
  }
}
