/// What a training is measured on after each epoch; the task that a model is for decides what it is.
public protocol ValidationTask: Sendable {
  /// What the first metric is called in progress and messages, for example `NDCG@10`.
  var title: String { get }

  /// The key of the first metric in the training log and in the manifest, for example `validationNdcg@10`.
  var metricKey: String { get }

  /// The largest value that the first metric can have; infinity where there is none.
  var metricLimit: Double { get }

  /// The number of cases that are measured.
  var count: Int { get }

  /// Measures the model as it is.
  ///
  /// - Parameter isStopAsked: whether to give up; asked every few thousand cases.
  /// - Returns: the metrics; the same however often it is asked.
  func measure(until isStopAsked: () -> Bool) -> ValidationOutcome

  /// Measures the model after an epoch: ``measure(until:)``, unless the losses of the epoch have a part in it.
  ///
  /// - Parameters:
  ///   - losses: the mean of each loss over the steps of the epoch.
  ///   - isStopAsked: whether to give up.
  /// - Returns: what ``measure(until:)`` does.
  func measure(
    after losses: [(name: String, value: Double)], until isStopAsked: () -> Bool
  ) -> ValidationOutcome

  /// Whether a value of the first metric makes its epoch the best.
  func isBetter(_ value: Double, than best: Double) -> Bool
}

/// What became of a measurement.
public enum ValidationOutcome: Sendable {
  /// There is nothing to measure on.
  case nothing
  /// The metrics, each with its key in the training log; the first one decides which epoch is the best, and is not negative.
  case measured([(key: String, value: Double)])
  /// The program was asked to stop.
  case stopped
}

extension ValidationTask {
  /// None.
  public var metricLimit: Double { .infinity }

  /// Measures the model as it is, whatever the program is asked; nil where there is nothing to measure on.
  public func measure() -> [(key: String, value: Double)]? {
    guard case .measured(let metrics) = measure(until: { false }) else { return nil }
    return metrics
  }

  /// What the model as it is gives.
  public func measure(
    after losses: [(name: String, value: Double)], until isStopAsked: () -> Bool
  ) -> ValidationOutcome { measure(until: isStopAsked) }

  /// A greater one does.
  public func isBetter(_ value: Double, than best: Double) -> Bool { value > best }
}
