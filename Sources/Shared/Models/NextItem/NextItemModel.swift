public import Dataset
public import Layers
internal import Losses
public import Numerics
public import Retrieval
public import Tape
public import Training

/// At which tokens states are computed.
public enum Readout: String, Sendable, CaseIterable {
  /// At every token: every position predicts its next item.
  case all
  /// At the last token of each sequence.
  case last
}

/// The states of a micro-batch, and what else a model's objectives read.
public struct NextItemOutput {
  /// `[T, w]`, or `[sequences, w]` where only the last tokens are read; the columns of the item encoders side by side.
  public var states: Tensor
  /// Normalised last states of the masked and of the full view, `[sequences, d]`, where the masked-granularity loss needs them.
  public var views: (masked: Tensor, full: Tensor)?
  /// The weights of the levels at every position, `[T, M]`; nil for a model without a gate.
  public var gateWeights: Tensor?

  /// States alone.
  public init(states: Tensor) { self.states = states }
}

/// A model that reads a history and scores every item as the next one by inner products.
public protocol NextItemModel: TrainableRecommender, VectorScoring
where Batch == NextItemBatch, Output == NextItemOutput {
  /// The most recent items of a history that are read, L.
  var maxLength: Int { get }

  /// The item encoders whose vectors side by side are the output embedding; the states have their columns in this order.
  var itemEncoders: [any ItemEncoder] { get }

  /// The names of the branches, one for each item encoder, for reports.
  var branchNames: [String] { get }

  /// How the training reads states, and its loss.
  var loss: NextItemLoss { get }

  /// The heads of the attention that ``states(_:at:on:random:observe:)`` shows; nil for a model without attention.
  var headCount: Int? { get }

  /// The states after the positions of some histories.
  ///
  /// - Parameters:
  ///   - batch: packed histories.
  ///   - readout: after which positions.
  ///   - tape: where the operations go; begun by the caller.
  ///   - random: random draws besides dropout, in training; nil to score.
  ///   - observe: sees the attention of every block; nil for nothing.
  /// - Returns: the states, and what comes with them.
  func states(
    _ batch: SequenceBatch, at readout: Readout, on tape: Tape, random: CounterRandom?,
    observe: AttentionObserver?
  ) -> NextItemOutput
}

extension NextItemModel {
  /// Floats in a state and in an item vector, w.
  public var stateWidth: Int { itemEncoders.reduce(0) { $0 + $1.width } }
  /// The number of items, I.
  public var itemCount: Int { itemEncoders[0].itemCount }

  /// The columns of each branch, and attention where there is some.
  func commonDiagnostics() -> Diagnostics {
    var result = Diagnostics()
    var first = 0
    for (name, encoder) in zip(branchNames, itemEncoders) {
      result.branches.append((name, first..<first + encoder.width))
      first += encoder.width
    }
    if headCount != nil { result.attention = { [self] in attention(over: $0) } }
    return result
  }

  /// The forward pass of training.
  public func forward(
    _ microBatch: SequenceBatch, on tape: Tape, random: CounterRandom
  ) -> NextItemOutput {
    states(microBatch, at: loss.readout, on: tape, random: random, observe: nil)
  }

  /// The inputs of the products of the layers in training.
  public var precision: ProductPrecision { loss.precision }

  /// Inner products of states and item vectors.
  public var scoring: Scoring { .vectors(self) }

  /// The train part of every user with at least two train items.
  public func examples(
    _ sequences: UserSequences, seed: UInt64
  ) -> any ExampleSource<NextItemBatch> {
    NextItemExamples(
      sequences, maxLength: maxLength, negativeCount: loss.form.negativesPerPosition,
      sampler: loss.sampler ?? ItemSampler(uniformBelow: itemCount),
      kind: loss.windows, seed: seed)
  }

  /// Full ranking of every validation target, with the history excluded unless the log keeps repeated items.
  public func validation(
    _ sequences: UserSequences, userCount: Int?, seed: UInt64, threads: Int
  ) -> any ValidationTask {
    NextItemValidation(
      sequences, userCount: userCount, seed: seed, scoring: scoring, itemCount: itemCount,
      threads: threads)
  }

  /// The loss of the next item alone.
  public func objectives() -> [any Objective<NextItemBatch, NextItemOutput>] {
    [NextItemObjective(loss, itemEncoders: itemEncoders)]
  }
}
