internal import Layers
public import Losses
public import Numerics
public import Tape

/// One step of training: forward, losses, backward, optimiser, in phases between which threads meet.
///
/// A batch is cut into micro-batches at places that do not depend on the number of threads; each runs forward and
/// backward on one thread. Losses that couple the whole batch are computed between the two. Gradients are added in the
/// order of the micro-batches, so the same seed gives the same bits for any number of threads.
public final class TrainingStep {
  private final class Part: @unchecked Sendable {
    let tape: Tape
    var sequences = 0..<0
    var firstState = 0
    var batch = SequenceBatch([], maxLength: 1)
    var states: Tensor?
    var views: (masked: Tensor, full: Tensor)?

    init(_ tape: Tape) { self.tape = tape }
  }

  /// The network that is trained.
  public let network: Network
  /// Where the time of the steps so far went.
  public var phaseTimes = PhaseTimes()
  private let losses: LossSettings
  private let pairs: AlignmentPairs?
  let optimizer: Adam
  private let random: CounterRandom
  private let threads: Int
  private let sampler: ItemSampler
  /// The average of the parameters over the steps, where one is kept.
  let average: ParameterAverage?
  private let tokensPerPart: Int
  private let states: BatchStates
  private let crossEntropy: CrossEntropy
  private let sampledSoftmax: SampledSoftmax
  private let alignment: AlignmentLoss
  private let consistency: ConsistencyLoss
  private var parts: [Part] = []
  private let places: ItemPlaces

  /// Creates a step.
  ///
  /// - Parameters:
  ///   - network: the network; changed by ``run(_:number:)``.
  ///   - losses: the objective.
  ///   - pairs: the positives of the alignment loss; nil where only an item itself is positive.
  ///   - optimizer: the settings of Adam.
  ///   - sampler: how the negatives of the sampled softmax are drawn; nil for uniformly.
  ///   - averageDecay: of the average of the parameters; 0 for none.
  ///   - tokensPerPart: tokens in a micro-batch, about; part of what determines the result.
  ///   - seed: of all dropout masks and samples.
  ///   - threads: the largest number of threads; does not change the result.
  public init(
    network: Network, losses: LossSettings, pairs: AlignmentPairs?, optimizer: Adam.Settings,
    sampler: ItemSampler? = nil, averageDecay: Double = 0, tokensPerPart: Int = 256, seed: UInt64,
    threads: Int
  ) {
    self.network = network
    self.losses = losses
    self.pairs = pairs
    self.optimizer = Adam(
      parameters: network.parameters, tables: network.tables, settings: optimizer)
    self.sampler = sampler ?? ItemSampler(uniformBelow: network.itemCount)
    average =
      averageDecay > 0
      ? ParameterAverage(
        parameters: network.parameters, tables: network.tables, decay: averageDecay) : nil
    self.tokensPerPart = tokensPerPart
    self.threads = threads
    random = CounterRandom(seed: seed, stream: 0x5354_4550)
    crossEntropy = CrossEntropy(precision: losses.precision)
    sampledSoftmax = SampledSoftmax(precision: losses.precision)
    states = BatchStates(width: network.hyper.stateWidth)
    alignment = AlignmentLoss(precision: losses.precision)
    consistency = ConsistencyLoss(precision: losses.precision)
    places = ItemPlaces(itemCount: network.itemCount)
  }

  private var usesAlignment: Bool {
    losses.alignmentWeight > 0 && network.hyper.architecture == .h2rec
  }
  private var usesConsistency: Bool {
    losses.consistencyWeight > 0 && network.hyper.hasCross && network.hyper.levelCount > 1
  }

  /// The learning rate of the next steps.
  public var learningRate: Float {
    get { optimizer.settings.rate }
    set { optimizer.settings.rate = newValue }
  }

  /// Computes losses and gradients of a batch and moves all parameters.
  ///
  /// - Parameters:
  ///   - batch: the sequences.
  ///   - number: the number of the step; determines, with the seed, every random draw in it.
  /// - Returns: the losses before the move.
  public func run(_ batch: TrainingBatch, number: Int) -> StepLosses {
    let result = gradients(of: batch, number: number)
    let start = PhaseTimes.Mark()
    if let first = parts.first {
      average?.prepare(step: optimizer.stepCount + 1)
      optimizer.step(gradient: first.tape.gradient, threads: threads)
      average?.follow(step: optimizer.stepCount, threads: threads)
    }
    phaseTimes.add("optimizer", since: start)
    return result
  }

  /// Computes losses and leaves the gradients in the tables and in ``denseGradient``.
  public func gradients(of batch: TrainingBatch, number: Int) -> StepLosses {
    let stepRandom = random.substream(UInt64(number))
    let used = cut(batch)
    let start = PhaseTimes.Mark()
    forward(used, stepRandom)
    phaseTimes.add("forward", since: start)
    let result = addLosses(batch, used, stepRandom)
    let afterLosses = PhaseTimes.Mark()
    backward(used)
    phaseTimes.add("backward", since: afterLosses)
    return result
  }

  /// The gradient of the dense parameters from the last batch.
  public var denseGradient: AlignedBuffer? { parts.first?.tape.gradient }

  // MARK: - Phases

  private func cut(_ batch: TrainingBatch) -> [Part] {
    let ranges = batch.parts(tokensPerPart: tokensPerPart)
    while parts.count < ranges.count {
      parts.append(Part(Tape(parameters: network.parameters, precision: losses.precision)))
    }
    var firstState = 0
    for (part, sequences) in zip(parts, ranges) {
      part.sequences = sequences
      part.firstState = firstState
      part.batch = SequenceBatch(
        Array(batch.histories[sequences]), maxLength: network.hyper.maxLength)
      firstState += losses.targets == .all ? part.batch.items.count : sequences.count
    }
    states.resize(firstState)
    return Array(parts.prefix(ranges.count))
  }

  private func forward(_ used: [Part], _ random: CounterRandom) {
    let network = network
    let losses = losses
    let states = states
    let wantsViews = usesConsistency
    parallelFor(used.count, threads: threads) { index in
      let part = used[index]
      let partRandom = random.substream(UInt64(index))
      part.tape.begin(recording: true, randomness: partRandom)
      let output = network.forward(
        part.batch, at: losses.targets == .all ? .all : .last, on: part.tape,
        mask: wantsViews ? (losses.viewMask, partRandom.substream(0x4D41_534B)) : nil)
      part.views = output.views
      part.states = output.states
      states.receive(output.states, at: part.firstState)
    }
  }

  private func addLosses(
    _ batch: TrainingBatch, _ used: [Part], _ random: CounterRandom
  ) -> StepLosses {
    let predictions = Predictions(batch, last: losses.targets == .last)
    var result = StepLosses()
    var start = PhaseTimes.Mark()
    result.recommendation = addRecommendation(predictions, random)
    phaseTimes.add("recommendation", since: start)
    start = PhaseTimes.Mark()
    result.alignment = usesAlignment ? addAlignment(predictions.targets, random) : nil
    phaseTimes.add("alignment", since: start)
    start = PhaseTimes.Mark()
    result.consistency = usesConsistency ? addConsistency(used) : nil
    phaseTimes.add("consistency", since: start)
    return result
  }

  private func backward(_ used: [Part]) {
    let states = states
    parallelFor(used.count, threads: threads) { index in
      let part = used[index]
      if let output = part.states { states.passGradient(to: output, from: part.firstState) }
      part.tape.backward()
    }
    addGradients(of: used.flatMap(\.tape.gathers), threads: threads)
    used.first?.tape.gradient.add(used.dropFirst().map(\.tape.gradient), threads: threads)
  }

  // MARK: - Losses

  /// The targets and negatives that take part.
  private struct Predictions {
    var targets: [UInt32]
    var negatives: [UInt32]

    init(_ batch: TrainingBatch, last: Bool) {
      targets = batch.targets
      negatives = batch.negatives
      guard last else { return }
      let perTarget = negatives.count / max(1, targets.count)
      var end = 0
      let places = batch.histories.map { history in
        end += history.count
        return end - 1
      }
      targets = places.map { batch.targets[$0] }
      negatives = places.flatMap { batch.negatives[$0 * perTarget..<($0 + 1) * perTarget] }
    }
  }

  private func addRecommendation(
    _ predictions: Predictions, _ random: CounterRandom
  ) -> Double {
    switch losses.recommendation {
    case .crossEntropy:
      for branch in network.branches { branch.refresh(threads: threads) }
      let smoothed =
        losses.labelSmoothing > 0
        ? addLabelSmoothing(
          states: states, targets: predictions.targets, branches: network.branches,
          smoothing: losses.labelSmoothing, weight: 1) : 0
      return smoothed
        + crossEntropy.add(
          states: states, targets: predictions.targets, branches: network.branches, weight: 1,
          threads: threads)
    case .sampledSoftmax(let count):
      let draws = random.substream(0x5341_4D50)
      return sampledSoftmax.add(
        states: states, targets: predictions.targets,
        negatives: places.borrow { sampler.items(count, draws, marks: &$0) }, sampler: sampler,
        branches: network.branches, weight: 1, threads: threads)
    case .binary, .calibratedBinary:
      return addBinaryCrossEntropy(
        states: states, targets: predictions.targets, negatives: predictions.negatives,
        branches: network.branches, weights: binaryWeights, weight: 1, threads: threads)
    }
  }

  private var binaryWeights: BinaryWeights {
    guard case .calibratedBinary(let count, let calibration) = losses.recommendation else {
      return .plain
    }
    return .calibrated(calibration, negativeCount: count, itemCount: max(2, network.itemCount))
  }

  private func addAlignment(_ targets: [UInt32], _ random: CounterRandom) -> Double {
    var items = places.distinct(targets)
    if items.count > losses.alignmentItemLimit {
      let order = random.substream(0x414C_4947).permutation(items.count)
      items = order.prefix(losses.alignmentItemLimit).sorted().map { items[$0] }
    }
    let (pairs, places, chosen) = (pairs, places, items)
    return places.mark(chosen) {
      alignment.add(
        items: chosen, semantic: network.branches[1], hash: network.branches[0],
        temperature: losses.alignmentTemperature, weight: losses.alignmentWeight, threads: threads
      ) { rows in
        pairs?.lists(of: chosen[rows], in: places) ?? PositiveLists(identity: rows)
      }
    }
  }

  private func addConsistency(_ used: [Part]) -> Double {
    consistency.add(
      views: used.compactMap(\.views), temperature: losses.consistencyTemperature,
      weight: losses.consistencyWeight, threads: threads)
  }
}
