import ArgumentParser
import Numerics
import ShardIO
import Tape

/// How long and how fast.
struct ScheduleOptions: ParsableArguments {
  @Option(help: "Sequences in a step.")
  var batchSize = 128

  @Option(help: "Learning rate of Adam.")
  var learningRate: Float = 1e-3

  @Option(
    help: """
      Course of the learning rate after the warm-up: constant; cosine, down to 0 at the last epoch; step, lower by \
      --decay-factor every --decay-epochs.
      """)
  var rateSchedule = RateSchedule.Form.constant

  @Option(help: "Epochs between two drops of --rate-schedule step (default: 10).")
  var decayEpochs: Int?

  @Option(help: "Factor of each drop, above 0 and below 1 (default: 0.5).")
  var decayFactor: Float?

  @Option(help: "Steps over which the learning rate rises from 0.")
  var warmUpSteps = 0

  @Option(help: "Decoupled weight decay (AdamW); 0 for none.")
  var weightDecay: Float = 0

  @Option(help: "Largest norm of the whole gradient, longer ones are scaled down; 0 for no limit.")
  var clipNorm: Float = 0

  @Option(
    help: """
      Decay of an average of all parameters over the steps, which is validated and written instead of the last ones; \
      0 for none.
      """)
  var averageDecay = 0.0

  @Option(help: "Most epochs.")
  var epochs = 200

  @Option(help: "Epochs without a better validation NDCG@10 after which training stops.")
  var patience = 10

  @Option(
    help: """
      Users of the validation after each epoch, drawn once from the seed; the best parameters are then measured on all. \
      0 for all every time.
      """)
  var validationUsers = 0

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
    try requireRange("warm-up-steps", warmUpSteps, 0...10_000_000)
    try requireRange("weight-decay", weightDecay, 0...100)
    try requireRange("clip-norm", clipNorm, 0...1_000_000)
    guard averageDecay >= 0, averageDecay < 1 else {
      throw ValidationError("'--average-decay' must be from 0 to below 1, not \(averageDecay).")
    }
    try requireRange("validation-users", validationUsers, 0...1_000_000_000)
    try validateDecay()
    try requireRange("patience", patience, 1...100_000)
    try requireRange("micro-batch-tokens", microBatchTokens, 1...1_000_000)
  }

  private func validateDecay() throws {
    if let decayEpochs { try requireRange("decay-epochs", decayEpochs, 1...100_000) }
    if let decayFactor, !(decayFactor > 0 && decayFactor < 1) {
      throw ValidationError(
        "'--decay-factor' must be above 0 and below 1, not \(decayFactor).")
    }
    guard rateSchedule == .step || (decayEpochs == nil && decayFactor == nil) else {
      throw ValidationError(
        "'--decay-epochs' and '--decay-factor' are for '--rate-schedule step' alone.")
    }
  }

  /// The learning rate of every step.
  ///
  /// - Parameter stepsPerEpoch: steps in an epoch.
  /// - Returns: the rate as a function of the step.
  func rates(stepsPerEpoch: Int) -> RateSchedule {
    RateSchedule(
      form: rateSchedule, peak: learningRate, warmUpSteps: warmUpSteps,
      stepCount: epochs * stepsPerEpoch, decaySteps: (decayEpochs ?? 10) * stepsPerEpoch,
      decayFactor: decayFactor ?? 0.5)
  }

  /// The settings of the optimiser.
  var optimizer: Adam.Settings {
    var settings = Adam.Settings()
    settings.rate = learningRate
    settings.weightDecay = weightDecay
    settings.largestNorm = clipNorm
    return settings
  }

  /// The options as the manifest has them.
  var configuration: [String: JSONValue] {
    [
      "batchSize": JSONValue(batchSize), "learningRate": number(learningRate),
      "rateSchedule": JSONValue(rateSchedule.rawValue), "warmUpSteps": JSONValue(warmUpSteps),
      "decayEpochs": rateSchedule == .step ? JSONValue(decayEpochs ?? 10) : .null,
      "decayFactor": rateSchedule == .step ? number(decayFactor ?? 0.5) : .null,
      "averageDecay": JSONValue(averageDecay), "validationUsers": JSONValue(validationUsers),
      "weightDecay": number(weightDecay), "clipNorm": number(clipNorm),
      "epochs": JSONValue(epochs), "patience": JSONValue(patience),
      "microBatchTokens": JSONValue(microBatchTokens),
    ]
  }
}
