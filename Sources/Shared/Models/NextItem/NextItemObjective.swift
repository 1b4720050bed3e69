public import Layers
internal import Losses
internal import Numerics
internal import Tape
public import Training

/// The loss of predicting the next item, over all states of a batch.
///
/// `@unchecked Sendable`: micro-batches write disjoint rows of the states between the parallel regions of a step.
public final class NextItemObjective: Objective, @unchecked Sendable {
  /// The name of the loss.
  public let name = "recommendation"
  private let loss: NextItemLoss
  private let itemEncoders: [any ItemEncoder]
  private let sampler: ItemSampler
  private let states: BatchStates
  private let crossEntropy: CrossEntropy
  private let sampledSoftmax: SampledSoftmax
  private let marks: ItemMarks
  private var firstStates: [Int] = []

  /// Creates the objective.
  ///
  /// - Parameters:
  ///   - loss: its form.
  ///   - itemEncoders: the output embedding, in the order of the states' columns.
  public init(_ loss: NextItemLoss, itemEncoders: [any ItemEncoder]) {
    self.loss = loss
    self.itemEncoders = itemEncoders
    let itemCount = itemEncoders[0].itemCount
    sampler = loss.sampler ?? ItemSampler(uniformBelow: itemCount)
    states = BatchStates(width: itemEncoders.reduce(0) { $0 + $1.width })
    crossEntropy = CrossEntropy(precision: loss.precision)
    sampledSoftmax = SampledSoftmax(precision: loss.precision)
    marks = ItemMarks(itemCount: itemCount)
  }

  /// Makes room for the states of all micro-batches.
  public func begin(_ microBatches: [SequenceBatch]) {
    var first = 0
    firstStates = microBatches.map { batch in
      defer {
        first +=
          batch.hidden?.count
          ?? (loss.readout == .all ? batch.items.count : batch.sequences.count)
      }
      return first
    }
    states.resize(first)
  }

  /// Copies the states of a micro-batch.
  public func receive(_ output: NextItemOutput, from index: Int) {
    states.receive(output.states, at: firstStates[index])
  }

  /// Gives the states of a micro-batch their gradient.
  public func passGradient(to output: NextItemOutput, of index: Int) {
    states.passGradient(to: output.states, from: firstStates[index])
  }

  /// The mean loss of a position in nats.
  public func evaluate(
    _ batch: NextItemBatch, _ outputs: [NextItemOutput], _ context: StepContext
  ) -> Double {
    let (targets, negatives) = batch.predictions(at: loss.readout)
    switch loss.form {
    case .crossEntropy:
      for encoder in itemEncoders { encoder.refresh(threads: context.threads) }
      return crossEntropy.add(
        states: states, targets: targets, encoders: itemEncoders, weight: 1,
        threads: context.threads)
    case .sampledSoftmax(let count):
      let draws = context.random.substream(0x5341_4D50)
      return sampledSoftmax.add(
        states: states, targets: targets,
        negatives: marks.borrow { sampler.items(count, draws, marks: &$0) }, sampler: sampler,
        encoders: itemEncoders, weight: 1, threads: context.threads)
    case .binary, .calibratedBinary:
      return addBinaryCrossEntropy(
        states: states, targets: targets, negatives: negatives, encoders: itemEncoders,
        weights: binaryWeights, weight: 1, threads: context.threads)
    }
  }

  private var binaryWeights: BinaryWeights {
    guard case .calibratedBinary(let count, let calibration) = loss.form else { return .plain }
    return .calibrated(
      calibration, negativeCount: count, itemCount: max(2, itemEncoders[0].itemCount))
  }
}
