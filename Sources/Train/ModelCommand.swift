import ArgumentParser
import CommandSupport
import Dataset
import Models
import Numerics
import ShardIO
import SystemPackage
import Training

/// Trains one model.
struct ModelCommand<Recipe: ModelRecipe>: StageCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: Recipe.name, abstract: Recipe.abstract)
  }

  @Option(help: "Directory written by h2rec-preprocess.", completion: .directory)
  var data: String

  @Option(
    help: "Directory written by h2rec-tokenize, for models of semantic IDs.",
    completion: .directory)
  var codes: String?

  @Option(help: "Directory to write.", completion: .directory)
  var output: String

  @OptionGroup var options: Recipe.Options

  @OptionGroup(title: "Training") var scheduling: ScheduleOptions

  @OptionGroup(title: "Warm start") var warmStarting: WarmStartOptions

  @OptionGroup(title: "Checkpoints") var checkpointing: CheckpointOptions

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    let needsCodes = Recipe.needs(options).contains(.codes)
    if needsCodes, codes == nil {
      throw ValidationError("'\(Recipe.name)' needs '--codes DIR'.")
    }
    if !needsCodes, codes != nil {
      throw ValidationError("'\(Recipe.name)' has no use for '--codes'; leave it out.")
    }
    if scheduling.epochs == 0, warmStarting.startFrom == nil {
      throw ValidationError("'--epochs 0' carries over an earlier model; it needs '--start-from'.")
    }
  }

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "train")
    let outputs = try EarlierOutputs(data: data, codes: codes, threads: shared.threads)
    let warmStart = try warmStarting.warmStart(threads: shared.threads)
    var request = request(outputs, warmStart)
    if try shared.isUpToDate(request, output: FilePath(output), summary) { return }
    let inputs = try TrainingInputs(outputs, needs: Recipe.needs(options), shared: shared)
    var stage = try StageOutput(
      directory: FilePath(output), stage: "train", threads: shared.threads)
    var training = try prepare(inputs, warmStart)
    if let warmStart {
      let carried = try warmStart.apply(
        to: training.model.store, of: Recipe.name, inputs, codes: outputs.codes)
      training.model.storeDidChange()
      training.carried = carried
      showCarried(carried, warmStart)
    }
    showChoices(training.configuration)
    showUnreadEvents(training.eventShare)
    let checkpoints = checkpointing.checkpoints(
      in: CheckpointStore(
        output: FilePath(output), configuration: training.configuration,
        inputs: training.references, threads: shared.threads), isQuiet: shared.quiet)
    // What was read can be read again: until there is something to save, a signal ends the program at once.
    StopRequest.watch()
    defer { StopRequest.endWatch() }
    let outcome = try training.loop.run(isQuiet: shared.quiet, checkpoints: checkpoints)
    for table in training.model.store.savedTables { try stage.write(table) }
    try stage.writeFile("training-log.jsonl", outcome.log)
    var counters = outcome.counters
    counters["trainEventShare"] = training.eventShare.map { JSONValue($0) }
    counters["warmStart"] = training.carried?.json
    if let step = checkpoints.resumedStep {
      request.earlierWork = (checkpoints.earlierSeconds, step)
    }
    try stage.commit(
      configuration: training.configuration, inputs: training.references, counters: counters,
      request: request)
    try checkpoints.remove()
    showLimit(outcome, training.configuration)
    summary.facts = counters
    summary.facts["positionsPerSecond"] = JSONValue(outcome.positionsPerSecond)
    if let step = checkpoints.resumedStep { summary.facts["resumedStep"] = JSONValue(step) }
    try summary.print(output: FilePath(output))
  }

  /// What this run would do; what `auto` stands for follows from the inputs and, for products, from the processor.
  private func request(_ outputs: EarlierOutputs, _ warmStart: WarmStart?) -> StageRequest {
    var request = request(
      "train", output: FilePath(output),
      leavingOut: CheckpointOptions.fieldNames.union(["data", "codes", "startFrom", "startData"]),
      inputs: outputs.references + (warmStart.map { [$0.model.reference] } ?? []))
    if request.configuration["precision"] == PrecisionChoice.auto.rawValue {
      request.configuration["precision"] = PrecisionChoice.auto.resolved.rawValue
    }
    return request
  }

  /// Says what the data and the processor decided in place of options that were not given.
  private func showChoices(_ resolved: [String: JSONValue]) {
    guard !shared.quiet else { return }
    let open = Recipe.Options.fields.filter { options.configuration[$0.key] == "auto" }
    let followed = ScheduleOptions.fields.filter { scheduling.openKeys.contains($0.key) }
    let names = (open.map { ($0.key, $0.optionName) }) + followed.map { ($0.key, $0.optionName) }
    let words = names.compactMap { key, name in
      resolved[key].flatMap { $0.stringValue ?? $0.integerValue.map { "\($0)" } }
        .map { "--\(name) \($0)" }
    }
    if !words.isEmpty {
      printNote("by the data and the processor: \(words.joined(separator: " "))", at: output)
    }
    if open.contains(where: { $0.key == "hashInit" }), resolved["hashInit"] == "random" {
      printNote("there are no item vectors, so the item table starts at random", at: data)
    }
  }

  /// Says what became of the items of the earlier model.
  private func showCarried(_ carried: WarmStart.Carried, _ warmStart: WarmStart) {
    guard !shared.quiet else { return }
    printNote(
      """
      starts from this model: \(carried.knownCount) items known, \(carried.borrowedCount) new ones by their neighbours, \
      \(carried.freshCount) from nothing, \(carried.droppedCount) gone
      """, at: warmStart.model.directory.string)
    if carried.hasCodes == false {
      printWarning(
        "the codes are not named as this model's were, so their rows start anew; see 'h2rec-tokenize encode' and '--align-to'",
        at: warmStart.model.directory.string)
    }
  }

  /// Says so where much of the histories is not read.
  private func showUnreadEvents(_ share: Double?) {
    guard !shared.quiet, let share, share < 0.95 else { return }
    printNote(
      "training reads \(Int((100 * share).rounded())) % of the train events, since histories are cut to the last '--max-length'; "
        + "'--windows all' reads every event", at: data)
  }

  /// Says so if training ended at the default number of epochs while it was still getting better.
  private func showLimit(_ outcome: TrainingOutcome, _ resolved: [String: JSONValue]) {
    guard !shared.quiet, scheduling.epochs == nil, outcome.bestEpoch == outcome.epochCount,
      resolved["epochs"] == JSONValue(outcome.epochCount)
    else { return }
    printNote(
      "epoch \(outcome.epochCount), the last one, was the best; more '--epochs' may reach more",
      at: output)
  }

  /// A training that is ready to run.
  private struct Prepared {
    let model: Recipe.Model
    let loop: TrainingLoop<Recipe.Model>
    /// The share of the train events, each user's first left out, that an epoch predicts; nil where examples are no events.
    let eventShare: Double?
    /// The options with everything resolved, as the manifest has them.
    let configuration: [String: JSONValue]
    /// What the manifest records of the outputs that were read.
    let references: [StageReference]
    /// What became of the rows of an earlier model; nil for a start from nothing.
    var carried: WarmStart.Carried?
  }

  /// Resolves the options, builds the model and gives it its initial values.
  private func prepare(
    _ inputs: TrainingInputs, _ warmStart: WarmStart?
  ) throws(PipelineError) -> Prepared {
    var (options, scheduling) = (options, scheduling)
    options.resolve(inputs.model)
    let model = try Recipe.build(options, inputs.model)
    let sequences = inputs.data.sequences
    let examples = model.examples(sequences, seed: shared.seed)
    guard examples.count > 0 else { throw .nothingToTrain(data) }
    let lengths = (0..<sequences.count).map { sequences.train(of: $0).count }
    let targets = lengths.reduce(0) { $0 + max(0, $1 - 1) }
    scheduling.resolve(
      sequenceCount: examples.count, eventCount: examples.targetCount ?? examples.count,
      userCount: sequences.count)
    model.initialize(inputs.model)
    var settings = TrainingStep<Recipe.Model>.Settings()
    settings.optimizer = scheduling.optimizer
    settings.precision = model.precision
    settings.emaDecay = scheduling.emaDecay
    settings.microBatchTokens = scheduling.microBatchTokens
    settings.seed = shared.seed
    settings.threads = shared.threads
    func validation(_ userCount: Int?) -> any ValidationTask {
      model.validation(
        sequences, userCount: userCount, seed: shared.seed, threads: shared.threads)
    }
    let sampled = scheduling.validationUsers.flatMap { $0 > 0 && $0 < sequences.count ? $0 : nil }
    let loop = TrainingLoop(
      step: TrainingStep(model, settings), examples: examples, validation: validation(sampled),
      finalValidation: sampled == nil ? nil : validation(nil), schedule: scheduling.schedule)
    return Prepared(
      model: model, loop: loop,
      eventShare: examples.targetCount.map { Double($0) / Double(max(1, targets)) },
      configuration: configuration(options, scheduling, inputs),
      references: inputs.references + (warmStart.map { [$0.model.reference] } ?? []))
  }

  private func configuration(
    _ options: Recipe.Options, _ scheduling: ScheduleOptions, _ inputs: TrainingInputs
  ) -> [String: JSONValue] {
    var own: [String: JSONValue] = [
      "model": JSONValue(Recipe.name), "seed": .string(String(shared.seed)),
    ]
    if let codes = inputs.model.codes {
      own["levelSizes"] = .array(codes.levelSizes.map { JSONValue($0) })
    }
    return options.configuration
      .merging(scheduling.configuration) { first, _ in first }
      .merging(own) { first, _ in first }
  }
}
