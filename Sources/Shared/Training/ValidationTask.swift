/// What a training is measured on after each epoch; the task that a model is for decides what it is.
public protocol ValidationTask: Sendable {
  /// What the first metric is called in progress and messages, for example `NDCG@10`.
  var title: String { get }

  /// The key of the first metric in the training log and in the manifest, for example `validationNdcg@10`.
  var metricKey: String { get }

  /// The metrics of the model as it is, each with its key in the training log, for example `validationNdcg@10`; the first one decides
  /// which epoch is the best, greater being better. Nil where there is nothing to measure on.
  func measure() -> [(key: String, value: Double)]?
}
