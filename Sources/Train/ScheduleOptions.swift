public import ArgumentParser
import CommandSupport
import Numerics
import ShardIO
import Tape
import Training

extension LearningRateSchedule.Form: ExpressibleByArgument {}

/// How long and how fast; what is not given follows the size of the data by ``resolve(sequenceCount:eventCount:userCount:)``.
struct ScheduleOptions: ConfiguredOptions {
  @Option(
    help: """
      Sequences in a step (default: a 64th of all sequences, rounded down to a power of two, from 32 to 512).
      """)
  var batchSize: Int?

  @Option(help: "Learning rate of Adam.")
  var learningRate: Float = 1e-3

  @Option(
    help: "Learning rate after the warm-up: constant, or cosine, down to 0 at the last epoch.")
  var rateSchedule = LearningRateSchedule.Form.constant

  @Option(
    help: """
      Steps over which the learning rate rises from 0 (default: a fifth of an epoch, at most 500, where a step has 512 sequences \
      or more; else 0).
      """)
  var warmUpSteps: Int?

  @Option(help: "Decoupled weight decay (AdamW); 0 for none.")
  var weightDecay: Float = 0

  @Option(help: "Largest norm of the whole gradient, longer ones are scaled down; 0 for no limit.")
  var clipNorm: Float = 0

  @Option(
    help: """
      Decay of an exponential moving average (EMA) of all parameters over the steps, which is validated and written instead \
      of the last ones; 0 for none.
      """)
  var emaDecay = 0.0

  @Option(
    help: """
      Most epochs (default: as many as predict 32 million train events, from 10 to 200). With '--start-from', 0 carries the \
      earlier model over and trains nothing.
      """)
  var epochs: Int?

  @Option(
    help: """
      Epochs without a better validation after which training stops (default: as many as take 640 steps, at least 2).
      """)
  var patience: Int?

  @Option(
    help: """
      Users of the validation after each epoch, drawn once from the seed; the best parameters are then measured on all. \
      0 for all every time (default: all up to 20,000, else 10,000).
      """)
  var validationUsers: Int?

  @Option(
    help:
      "Tokens in a micro-batch, the unit of work of one thread; changes the last bits of results.")
  var microBatchTokens = 256

  /// One field for each option.
  static var fields: [OptionField<Self>] {
    [
      .integer("batchSize", \.batchSize, 1...65_536, default: { _ in 128 }),
      .number("learningRate", \.learningRate, 1e-12...10),
      .choice("rateSchedule", \.rateSchedule),
      .integer("warmUpSteps", \.warmUpSteps, 0...10_000_000, default: { _ in 0 }),
      .number("weightDecay", \.weightDecay, 0...100),
      .number("clipNorm", \.clipNorm, 0...1_000_000),
      .number("emaDecay", \.emaDecay, 0...(1 - 1e-12)),
      .integer("epochs", \.epochs, 0...100_000, default: { _ in 200 }),
      .integer("patience", \.patience, 1...100_000, default: { _ in 10 }),
      .integer("validationUsers", \.validationUsers, 0...1_000_000_000, default: { _ in 0 }),
      .integer("microBatchTokens", \.microBatchTokens, 1...1_000_000),
    ]
  }

  func validate() throws { try validateRanges() }

  /// Steps without a better validation that the default patience waits for.
  static let patienceSteps = 640
  /// Train events that the default number of epochs predicts.
  static let eventsRead = 32_000_000
  /// The numbers of epochs that ``eventsRead`` may choose.
  static let epochRange = 10...200
  /// Sequences in a step from which the learning rate warms up by default.
  static let warmedBatchSize = 512
  /// The most steps of the default warm-up.
  static let mostWarmUpSteps = 500

  /// Puts what the size of the data decides in place of what was not given.
  ///
  /// - Parameters:
  ///   - sequenceCount: the sequences of an epoch.
  ///   - eventCount: the train events of an epoch.
  ///   - userCount: all users.
  mutating func resolve(sequenceCount: Int, eventCount: Int, userCount: Int) {
    let batchSize = batchSize ?? Self.batchSize(sequenceCount: sequenceCount)
    self.batchSize = batchSize
    let steps = max(1, (sequenceCount + batchSize - 1) / batchSize)
    if patience == nil {
      patience = max(2, (Self.patienceSteps + steps - 1) / steps)
    }
    if epochs == nil {
      let wanted = (Self.eventsRead + eventCount - 1) / max(1, eventCount)
      epochs = min(max(wanted, Self.epochRange.lowerBound), Self.epochRange.upperBound)
    }
    if warmUpSteps == nil {
      warmUpSteps = batchSize < Self.warmedBatchSize ? 0 : min(steps / 5, Self.mostWarmUpSteps)
    }
    if validationUsers == nil { validationUsers = userCount <= 20_000 ? 0 : 10_000 }
  }

  /// The keys of what was not given and follows the data.
  var openKeys: Set<String> {
    let values = [
      "batchSize": batchSize, "patience": patience, "epochs": epochs, "warmUpSteps": warmUpSteps,
      "validationUsers": validationUsers,
    ]
    return Set(values.filter { $0.value == nil }.keys)
  }

  /// A 64th of the sequences, rounded down to a power of two, from 32 to 512.
  private static func batchSize(sequenceCount: Int) -> Int {
    var size = 32
    while size < 512, 2 * size * 64 <= sequenceCount { size *= 2 }
    return size
  }

  /// How long and how fast.
  var schedule: TrainingSchedule {
    var schedule = TrainingSchedule()
    schedule.batchSize = batchSize ?? schedule.batchSize
    schedule.epochs = epochs ?? schedule.epochs
    schedule.patience = patience ?? schedule.patience
    schedule.form = rateSchedule
    schedule.learningRate = learningRate
    schedule.warmUpSteps = warmUpSteps ?? schedule.warmUpSteps
    return schedule
  }

  /// The settings of the optimiser.
  var optimizer: Adam.Settings {
    var settings = Adam.Settings()
    settings.rate = learningRate
    settings.weightDecay = weightDecay
    settings.largestNorm = clipNorm
    return settings
  }
}
