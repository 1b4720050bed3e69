public import Numerics
public import Tape

/// The examples of one step, cut into micro-batches at fixed places.
public protocol StepBatch: Sendable {
  /// What one thread works on at a time.
  associatedtype MicroBatch: Sendable

  /// The positions that are trained.
  var tokenCount: Int { get }

  /// The micro-batches of about `tokenLimit` tokens; where they are cut depends on the batch alone, not on the number of threads.
  func microBatches(tokenLimit: Int) -> [MicroBatch]
}

/// Where the batches of a training come from; a function of the seed, the epoch and the place in it alone.
public protocol ExampleSource<Batch>: Sendable {
  /// The examples of a step.
  associatedtype Batch: StepBatch

  /// The number of examples in an epoch.
  var count: Int { get }

  /// The events that are predicted in an epoch; nil where examples are no events.
  var targetCount: Int? { get }

  /// The examples of an epoch, shuffled and cut into batches.
  ///
  /// - Parameters:
  ///   - epoch: from 1.
  ///   - size: examples in a batch; the last one may be smaller.
  /// - Returns: the numbers of the examples of each batch.
  func batches(epoch: Int, size: Int) -> [[Int]]

  /// What some examples hold.
  func batch(_ members: [Int], epoch: Int) -> Batch

  /// What the losses of a batch of some examples weigh in the means of an epoch.
  func lossWeight(of members: [Int]) -> Double
}

extension ExampleSource {
  /// Examples are no events.
  public var targetCount: Int? { nil }

  /// All batches count alike.
  public func lossWeight(of members: [Int]) -> Double { 1 }
}

/// A network that a ``TrainingStep`` can train.
public protocol TrainableModel: AnyObject, Sendable {
  /// The examples of a step.
  associatedtype Batch: StepBatch
  /// What the forward pass of a micro-batch leaves for the objectives.
  associatedtype Output

  /// Everything that is learned.
  var store: ParameterStore { get }

  /// What is minimised: the weighted sum of these, computed in this order.
  func objectives() -> [any Objective<Batch, Output>]

  /// The forward pass of a micro-batch; called on several threads, each with a tape of its own.
  ///
  /// - Parameters:
  ///   - microBatch: the examples.
  ///   - tape: where the operations go; begun by the caller.
  ///   - random: random draws of this micro-batch, besides dropout.
  /// - Returns: what the objectives read.
  func forward(_ microBatch: Batch.MicroBatch, on tape: Tape, random: CounterRandom) -> Output

  /// What the future of the training depends on besides the store, the optimiser and the position.
  var stateBlocks: [StateBlock] { get }

  /// Prepares for step `number`, from 0, before its forward pass.
  func prepareStep(_ number: Int)

  /// Passes gradients on that wait in tables of the model, after every tape has run backward.
  ///
  /// - Parameters:
  ///   - parameters: the gradient of all dense parameters, which may be added to.
  ///   - threads: the largest number of threads; changes no result.
  func passGradients(to parameters: AlignedBuffer, threads: Int)

  /// Moves what the optimiser does not move, after it has moved the rest.
  func finishStep()

  /// Makes anew what follows from the store: after each step, and where a checkpoint, averages or the best parameters were put into it.
  func storeDidChange()

  /// Ends an epoch, before it is validated; once more for the same epoch where the program was stopped while it validated.
  ///
  /// - Parameters:
  ///   - epoch: from 1.
  ///   - count: the most epochs that there may be.
  /// - Returns: what the training log says about it besides the losses.
  func finishEpoch(_ epoch: Int, of count: Int) -> [(key: String, value: Double)]
}

extension TrainableModel {
  /// Nothing.
  public var stateBlocks: [StateBlock] { [] }
  /// Needs no preparation.
  public func prepareStep(_ number: Int) {}
  /// All gradients are where they belong.
  public func passGradients(to parameters: AlignedBuffer, threads: Int) {}
  /// Moves nothing.
  public func finishStep() {}
  /// Keeps nothing that follows from the store.
  public func storeDidChange() {}
  /// Does nothing.
  public func finishEpoch(_ epoch: Int, of count: Int) -> [(key: String, value: Double)] { [] }
}

/// One of the losses of a model, over a whole batch.
///
/// A step calls `begin`, then `receive` for every micro-batch in parallel, `evaluate` once, and `passGradient` for every micro-batch in
/// parallel before its tape runs backward.
public protocol Objective<Batch, Output>: AnyObject, Sendable {
  associatedtype Batch: StepBatch
  associatedtype Output

  /// The name of the loss in logs and reports.
  var name: String { get }

  /// What the loss is multiplied by in the sum that is minimised.
  var weight: Float { get }

  /// Prepares for a batch of these micro-batches.
  func begin(_ microBatches: [Batch.MicroBatch])

  /// Takes what it needs of the forward pass of micro-batch number `index`.
  func receive(_ output: Output, from index: Int)

  /// Computes the loss and its gradients, those of parameters included.
  ///
  /// - Parameters:
  ///   - batch: the examples.
  ///   - outputs: of each micro-batch, in order.
  ///   - context: random draws of the step, and the number of threads.
  /// - Returns: the loss before its weight.
  func evaluate(_ batch: Batch, _ outputs: [Output], _ context: StepContext) -> Double

  /// Gives the output of micro-batch number `index` its gradient, where `evaluate` has not done so.
  func passGradient(to output: Output, of index: Int)
}

extension Objective {
  /// Counts as it is.
  public var weight: Float { 1 }
  /// Needs no preparation.
  public func begin(_ microBatches: [Batch.MicroBatch]) {}
  /// Takes nothing.
  public func receive(_ output: Output, from index: Int) {}
  /// Has passed everything on already.
  public func passGradient(to output: Output, of index: Int) {}
}

/// What an objective may use besides the batch.
public struct StepContext: Sendable {
  /// The random draws of the step.
  public let random: CounterRandom
  /// The largest number of threads; changes no result.
  public let threads: Int

  /// Creates a context.
  public init(random: CounterRandom, threads: Int) {
    self.random = random
    self.threads = threads
  }
}

/// The losses of a step, each before its weight, in the order of the model's objectives.
public struct StepLosses: Sendable {
  /// Name and value of each.
  public var parts: [(name: String, value: Double)] = []

  /// No losses.
  public init() {}

  /// The loss of a name, or nil.
  public subscript(name: String) -> Double? { parts.first { $0.name == name }?.value }
}
