import ArgumentParser
import Kernels
import ShardIO

/// How long and how fast.
struct ScheduleOptions: ParsableArguments {
  @Option(help: "Sequences in a step.")
  var batchSize = 128

  @Option(help: "Learning rate of Adam.")
  var learningRate: Float = 1e-3

  @Option(help: "Most epochs.")
  var epochs = 200

  @Option(help: "Epochs without a better validation NDCG@10 after which training stops.")
  var patience = 10

  @Option(
    help:
      "Tokens in a micro-batch, the unit of work of one thread; changes the last bits of results.")
  var microBatchTokens = 256

  func validate() throws {
    try requireRange("batch-size", batchSize, 1...65_536)
    guard learningRate > 0, learningRate <= 10 else {
      throw ValidationError(
        "'--learning-rate' must be above 0 and at most 10, not \(learningRate).")
    }
    try requireRange("epochs", epochs, 1...100_000)
    try requireRange("patience", patience, 1...100_000)
    try requireRange("micro-batch-tokens", microBatchTokens, 1...1_000_000)
  }

  /// The settings of the optimiser.
  var optimizer: Adam.Settings {
    var settings = Adam.Settings()
    settings.rate = learningRate
    return settings
  }

  /// The options as the manifest has them.
  var configuration: [String: JSONValue] {
    [
      "batchSize": JSONValue(batchSize), "learningRate": number(learningRate),
      "epochs": JSONValue(epochs), "patience": JSONValue(patience),
      "microBatchTokens": JSONValue(microBatchTokens),
    ]
  }
}
