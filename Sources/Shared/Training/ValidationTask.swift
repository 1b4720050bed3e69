/// What a training is measured on after each epoch; the task that a model is for decides what it is.
public protocol ValidationTask: Sendable {
  /// What the first metric is called in progress and messages, for example `NDCG@10`.
  var title: String { get }

  /// The key of the first metric in the training log and in the manifest, for example `validationNdcg@10`.
  var metricKey: String { get }

  /// The metrics of the model as it is, each with its key in the training log, for example `validationNdcg@10`; the first one, 0
  /// or more, decides which epoch is the best. Nil where there is nothing to measure on.
  func measure() -> [(key: String, value: Double)]?

  /// The metrics after an epoch; ``measure()`` unless the losses of the epoch have a part in them.
  ///
  /// - Parameter losses: the mean of each loss over the steps of the epoch.
  /// - Returns: what ``measure()`` does.
  func measure(after losses: [(name: String, value: Double)]) -> [(key: String, value: Double)]?

  /// Whether a value of the first metric makes its epoch the best.
  func isBetter(_ value: Double, than best: Double) -> Bool
}

extension ValidationTask {
  /// What the model as it is gives.
  public func measure(
    after losses: [(name: String, value: Double)]
  ) -> [(key: String, value: Double)]? { measure() }

  /// A greater one does.
  public func isBetter(_ value: Double, than best: Double) -> Bool { value > best }
}
