public import Numerics
public import Tape

/// One step of training: forward, losses, backward, optimiser, in phases between which threads meet.
///
/// A batch is cut into micro-batches at places that do not depend on the number of threads; each runs forward and
/// backward on one thread. Objectives, which may couple the whole batch, are computed between the two. Gradients are added in the
/// order of the micro-batches, so the same seed gives the same bits for any number of threads (decision 19).
public final class TrainingStep<Model: TrainableModel> {
  private final class Work: @unchecked Sendable {
    let tape: Tape
    var microBatch: Model.Batch.MicroBatch?
    var output: Model.Output?

    init(_ tape: Tape) { self.tape = tape }
  }

  /// What a step is made of besides the model.
  public struct Settings: Sendable {
    /// Adam's step size and decay rates.
    public var optimizer = Adam.Settings()
    /// The inputs of the products of the layers.
    public var precision = ProductPrecision.float32
    /// The decay of the EMA of the parameters; 0 for none.
    public var emaDecay = 0.0
    /// Tokens in a micro-batch, about; part of what determines the result.
    public var microBatchTokens = 256
    /// The seed of all dropout masks and samples.
    public var seed: UInt64 = 42
    /// The largest number of threads; does not change the result.
    public var threads = 1

    /// The defaults.
    public init() {}
  }

  /// The model that is trained.
  public let model: Model
  /// Where the time of the steps so far went.
  public var phaseTimes = PhaseTimes()
  private let settings: Settings
  private let objectives: [any Objective<Model.Batch, Model.Output>]
  private let optimizer: Adam
  private let random: CounterRandom
  private let average: ExponentialMovingAverage?
  private var work: [Work] = []

  /// Creates a step of a model that has its initial values.
  public init(_ model: Model, _ settings: Settings) {
    self.model = model
    self.settings = settings
    objectives = model.objectives()
    let store = model.store
    optimizer = Adam(
      parameters: store.values, tables: store.tables, settings: settings.optimizer)
    average =
      settings.emaDecay > 0
      ? ExponentialMovingAverage(
        parameters: store.values, tables: store.tables, decay: settings.emaDecay) : nil
    random = CounterRandom(seed: settings.seed, stream: 0x5354_4550)
  }

  /// The names of the losses, in their order.
  public var lossNames: [String] { objectives.map(\.name) }

  /// The learning rate of the next steps.
  public var learningRate: Float {
    get { optimizer.settings.rate }
    set { optimizer.settings.rate = newValue }
  }

  /// Computes losses and gradients of a batch and moves all parameters.
  ///
  /// - Parameters:
  ///   - batch: the examples.
  ///   - number: the number of the step; determines, with the seed, every random draw in it.
  /// - Returns: the losses before the move.
  public func run(_ batch: Model.Batch, number: Int) -> StepLosses {
    model.prepareStep(number)
    let result = gradients(of: batch, number: number)
    let start = PhaseTimes.Mark()
    if let first = work.first {
      average?.prepare(step: optimizer.stepCount + 1)
      optimizer.step(gradient: first.tape.gradient, threads: settings.threads)
      average?.follow(step: optimizer.stepCount, threads: settings.threads)
      model.finishStep()
      model.storeDidChange()
    }
    phaseTimes.add("optimizer", since: start)
    return result
  }

  /// Computes losses and leaves the gradients in the tables and in ``denseGradient``.
  public func gradients(of batch: Model.Batch, number: Int) -> StepLosses {
    let stepRandom = random.substream(UInt64(number))
    let used = cut(batch)
    let start = PhaseTimes.Mark()
    forward(used, stepRandom)
    phaseTimes.add("forward", since: start)
    let result = evaluate(batch, used, stepRandom)
    let afterLosses = PhaseTimes.Mark()
    backward(used)
    phaseTimes.add("backward", since: afterLosses)
    return result
  }

  /// The gradient of the dense parameters from the last batch.
  public var denseGradient: AlignedBuffer? { work.first?.tape.gradient }

  // MARK: - Phases

  private func cut(_ batch: Model.Batch) -> [Work] {
    let microBatches = batch.microBatches(tokenLimit: settings.microBatchTokens)
    while work.count < microBatches.count {
      work.append(Work(Tape(parameters: model.store.values, precision: settings.precision)))
    }
    for (place, microBatch) in zip(work, microBatches) { place.microBatch = microBatch }
    for objective in objectives { objective.begin(microBatches) }
    return Array(work.prefix(microBatches.count))
  }

  private func forward(_ used: [Work], _ random: CounterRandom) {
    let (model, objectives) = (model, objectives)
    parallelFor(used.count, threads: settings.threads) { index in
      let work = used[index]
      guard let microBatch = work.microBatch else { return }
      let own = random.substream(UInt64(index))
      work.tape.begin(recording: true, randomness: own)
      let output = model.forward(microBatch, on: work.tape, random: own)
      for objective in objectives { objective.receive(output, from: index) }
      work.output = output
    }
  }

  private func evaluate(
    _ batch: Model.Batch, _ used: [Work], _ random: CounterRandom
  ) -> StepLosses {
    let context = StepContext(random: random, threads: settings.threads)
    let outputs = used.compactMap(\.output)
    var result = StepLosses()
    for objective in objectives {
      let start = PhaseTimes.Mark()
      result.parts.append((objective.name, objective.evaluate(batch, outputs, context)))
      phaseTimes.add(objective.name, since: start)
    }
    return result
  }

  private func backward(_ used: [Work]) {
    let objectives = objectives
    parallelFor(used.count, threads: settings.threads) { index in
      let work = used[index]
      guard let output = work.output else { return }
      for objective in objectives { objective.passGradient(to: output, of: index) }
      work.tape.backward()
    }
    addGradients(of: used.flatMap(\.tape.gathers), threads: settings.threads)
    guard let gradient = used.first?.tape.gradient else { return }
    gradient.add(used.dropFirst().map(\.tape.gradient), threads: settings.threads)
    model.passGradients(to: gradient, threads: settings.threads)
  }

  // MARK: - State

  /// All numbers that the following steps depend on, besides their batches and ``resume(stepCount:averagedStep:)``.
  ///
  /// Parameters and tables, both moments of each, the EMA where one is kept, and what else the model keeps.
  public var stateBlocks: [StateBlock] {
    let values = model.store.stateBlocks
    return values
      + zip(values, optimizer.moments).flatMap { block, moments in
        [
          StateBlock("\(block.name)-first", moments.first, width: block.width),
          StateBlock(
            "\(block.name)-second", moments.second, width: block.width, content: .means),
        ]
      } + averageBlocks + model.stateBlocks
  }

  private var averageBlocks: [StateBlock] {
    guard let average else { return [] }
    let values = model.store.stateBlocks
    return zip([0] + stride(from: 1, to: average.blocks.count, by: 2), values).flatMap {
      index, block in
      let averages = StateBlock("\(block.name)-average", average.blocks[index], width: block.width)
      guard index > 0 else { return [averages] }
      return [
        averages,
        StateBlock(
          "\(block.name)-average-steps", average.blocks[index + 1], width: 1, content: .steps),
      ]
    }
  }

  /// Goes on after `stepCount` steps, whose results the caller has put into ``stateBlocks``.
  ///
  /// - Parameters:
  ///   - stepCount: the steps that were taken.
  ///   - averagedStep: the steps taken when ``withAverage(_:)`` was last called, 0 for never.
  public func resume(stepCount: Int, averagedStep: Int) {
    optimizer.resume(stepCount: stepCount)
    average?.resume(base: averagedStep)
    model.storeDidChange()
  }

  /// Calls `body` while the model has the EMA of its parameters, where one is kept.
  public func withAverage<Result>(_ body: () -> Result) -> Result {
    guard let average, optimizer.stepCount > 0 else { return body() }
    average.catchUp(to: optimizer.stepCount)
    average.exchange()
    model.storeDidChange()
    defer {
      average.exchange()
      model.storeDidChange()
    }
    return body()
  }
}
