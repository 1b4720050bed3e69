import Foundation
import Layers
import Losses
import Numerics
import Tape
import Testing

@Suite struct SampledLossTests {
  private static let itemCount = 37
  private static let width = 10
  private static let targets: [UInt32] = (0..<70).map { UInt32($0 * 11 % itemCount) }

  /// A catalogue of two branches, random states, and what a loss leaves on them.
  private struct World {
    let hash = EmbeddingTable(count: itemCount, width: 6)
    let codes = EmbeddingTable(count: 5, width: 4)
    let states = BatchStates(width: width)
    let inputs: Tensor
    let encoders: [any ItemEncoder]
    private let tape = Tape(parameters: AlignedBuffer(count: 1))

    init() {
      let random = CounterRandom(seed: 3, stream: 2)
      hash.values.set((0..<itemCount * 6).map { Float(random.normal(UInt64($0))) })
      codes.values.set((0..<20).map { Float(random.normal(UInt64(5000 + $0))) })
      let rows = (0..<2 * itemCount).map { UInt32($0 * 3 % 5) }
      encoders = [
        ItemTable(hash), CodeBag(codes, rows: rows, levelCount: 2),
      ]
      tape.begin(recording: true, randomness: nil)
      inputs = tape.tensor(
        rows: targets.count, columns: width,
        values: (0..<targets.count * width).map { Float(random.normal(UInt64(9000 + $0))) })
      states.resize(targets.count)
      states.receive(inputs, at: 0)
    }

    /// The gradients of states and tables.
    var gradients: [[Float]] {
      states.passGradient(to: inputs, from: 0)
      return [inputs.gradientArray, hash.gradient.array, codes.gradient.array]
    }

    /// All scores, in Double.
    var scores: [[Double]] {
      for encoder in encoders { encoder.refresh(threads: 1) }
      let vectors = encoders.map(\.vectors.array)
      let values = inputs.array
      return targets.indices.map { row in
        (0..<itemCount).map { item in
          let vector = vectors[0][item * 6..<item * 6 + 6] + vectors[1][item * 4..<item * 4 + 4]
          return zip(values[row * width..<(row + 1) * width], vector)
            .reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
      }
    }
  }

  @Test func `with every item as a negative once it is the softmax over the catalogue`() {
    let whole = World()
    for encoder in whole.encoders { encoder.refresh(threads: 1) }
    let expected = CrossEntropy().add(
      states: whole.states, targets: Self.targets, encoders: whole.encoders, weight: 0.7,
      threads: 1)
    let sampled = World()
    let found = SampledSoftmax().add(
      states: sampled.states, targets: Self.targets,
      negatives: (0..<UInt32(Self.itemCount)).reversed(),
      sampler: ItemSampler(uniformBelow: Self.itemCount), encoders: sampled.encoders, weight: 0.7,
      threads: 2)
    #expect(abs(found - expected) < 1e-5)
    for (a, b) in zip(sampled.gradients, whole.gradients) {
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 2e-6 })
      #expect(b.contains { abs($0) > 1e-3 })
    }
  }

  @Test(.enabled(if: ProductPrecision.bfloat16.isAvailable))
  func `rounded inputs change loss and gradients by their last bits only`() {
    let worlds = ProductPrecision.allCases.map { precision in
      let world = World()
      let loss = SampledSoftmax(precision: precision).add(
        states: world.states, targets: Self.targets, negatives: [4, 0, 4, 11, 36, 20, 7],
        sampler: ItemSampler(uniformBelow: Self.itemCount), encoders: world.encoders, weight: 0.7,
        threads: 2)
      return (loss: loss, gradients: world.gradients)
    }
    #expect(worlds[0].loss != worlds[1].loss)
    #expect(abs(worlds[0].loss - worlds[1].loss) < 0.01 * worlds[0].loss)
    for (exact, rounded) in zip(worlds[0].gradients, worlds[1].gradients) {
      let scale = exact.reduce(0) { max($0, abs($1)) }
      #expect(scale > 0 && exact != rounded)
      #expect(zip(exact, rounded).allSatisfy { abs($0 - $1) < 0.02 * scale })
    }
  }

  @Test
  func `scores of negatives are raised by log I over n, and a target is no negative of itself`() {
    let world = World()
    let negatives: [UInt32] = [4, 0, 4, 11, 36]
    let found = SampledSoftmax().add(
      states: world.states, targets: Self.targets, negatives: negatives,
      sampler: ItemSampler(uniformBelow: Self.itemCount), encoders: world.encoders, weight: 1,
      threads: 1)
    let shift = log(Double(Self.itemCount) / Double(negatives.count))
    var sum = 0.0
    for (row, scores) in world.scores.enumerated() {
      let target = Self.targets[row]
      let others = negatives.filter { $0 != target }.map { exp(scores[Int($0)] + shift) }
      sum += log(exp(scores[Int(target)]) + others.reduce(0, +)) - scores[Int(target)]
    }
    #expect(abs(found - sum / Double(Self.targets.count)) < 1e-5)
    #expect(Self.targets.contains(4) && Self.targets.contains(36))
    #expect(Set(world.hash.touchedRows) == Set(Self.targets + negatives))
  }

  @Test func `scores of popular negatives are raised less`() {
    let world = World()
    let negatives: [UInt32] = [4, 0, 4, 11, 36]
    let weights = (0..<Self.itemCount).map { Double(1 + $0 % 5) }
    let found = SampledSoftmax().add(
      states: world.states, targets: Self.targets, negatives: negatives,
      sampler: ItemSampler(weights: weights), encoders: world.encoders, weight: 1, threads: 1)
    // −log(n q_i) with the probabilities as they were asked for.
    func shift(_ item: UInt32) -> Double { -log(5 * weights[Int(item)] / weights.reduce(0, +)) }
    var sum = 0.0
    for (row, scores) in world.scores.enumerated() {
      let target = Self.targets[row]
      let others = negatives.filter { $0 != target }.map { exp(scores[Int($0)] + shift($0)) }
      sum += log(exp(scores[Int(target)]) + others.reduce(0, +)) - scores[Int(target)]
    }
    #expect(abs(found - sum / Double(Self.targets.count)) < 1e-5)
    #expect(shift(4) < shift(0))
  }

  @Test func `the calibration of gBCE is that of its paper`() {
    // n = 4 of 21 items: rate 4 / 20 = 1/5. t = 0: power 1. t = 1: power 1/5. t = 1/2: 1/5 (−2 + 5) = 3/5.
    for (calibration, power) in [(0, 1), (1, 1.0 / 5), (0.5, 3.0 / 5)] {
      let weights = BinaryWeights.calibrated(calibration, negativeCount: 4, itemCount: 21)
      #expect(abs(weights.positive - Float(power / 5)) < 1e-7)
      #expect(weights.negative == Float(4.0 / 5))
    }
  }

  @Test func `weights scale both parts of the binary loss and their gradients`() {
    let negatives = Self.targets.map { ($0 + 5) % UInt32(Self.itemCount) }
    func run(_ weights: BinaryWeights) -> (Double, [Float]) {
      let world = World()
      let loss = addBinaryCrossEntropy(
        states: world.states, targets: Self.targets, negatives: negatives,
        encoders: world.encoders, weights: weights, weight: 1, threads: 1)
      return (loss, world.gradients[1])
    }
    let positive = run(BinaryWeights(positive: 1, negative: 0))
    let negative = run(BinaryWeights(positive: 0, negative: 1))
    let mixed = run(BinaryWeights(positive: 0.25, negative: 3))
    #expect(abs(mixed.0 - (0.25 * positive.0 + 3 * negative.0)) < 1e-6)
    for index in mixed.1.indices {
      #expect(abs(mixed.1[index] - (0.25 * positive.1[index] + 3 * negative.1[index])) < 1e-6)
    }
  }
}
