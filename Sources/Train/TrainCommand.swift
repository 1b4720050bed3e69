import ArgumentParser
import CommandSupport
import Dataset
import Losses
import Models
import Numerics
import ShardIO
import SystemPackage

/// The train stage.
@main
struct TrainCommand: StageCommand, StageProgram {
  static let configuration = CommandConfiguration(
    commandName: "h2rec-train",
    abstract: "Train a sequential recommender on hash IDs, semantic IDs, or both.",
    discussion: """
      Reads the outputs of h2rec-preprocess and h2rec-tokenize, trains until the validation NDCG@10 (full ranking) \
      stops improving, and writes the best parameters and a log (training-log.jsonl).
      """,
    version: programVersion)

  @Option(help: "Directory written by h2rec-preprocess.", completion: .directory)
  var data: String

  @Option(
    help: "Directory written by h2rec-tokenize; needed by --model h2rec and sid.",
    completion: .directory)
  var codes: String?

  @Option(help: "Directory to write.", completion: .directory)
  var output: String

  @OptionGroup(title: "Network") var network: NetworkOptions

  @OptionGroup(title: "Objective") var objective: ObjectiveOptions

  @OptionGroup(title: "Training") var schedule: ScheduleOptions

  @OptionGroup(title: "Checkpoints") var checkpointing: CheckpointOptions

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    let needsCodes = network.model != .sasrec
    if needsCodes, codes == nil {
      throw ValidationError("'--model \(network.model.rawValue)' needs '--codes DIR'.")
    }
    if !needsCodes, codes != nil {
      throw ValidationError("'--model sasrec' has no use for '--codes'; leave it out.")
    }
    try objective.auxiliary.validate(for: network)
    if objective.targets == .all, network.attention == .bidirectional {
      throw ValidationError(
        "'--attention bidirectional' shows every position its own target; add '--targets last'.")
    }
    if objective.targets == .all, network.gate == .user {
      throw ValidationError(
        "'--gate user' shows every position the last item; add '--targets last'.")
    }
  }

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "train")
    let dataInput = try StageInput(
      directory: FilePath(data), expecting: "preprocess", threads: shared.threads)
    var inputs = [dataInput.reference]
    var itemCodes: (codes: ItemCodes, input: StageInput)?
    if let codes {
      let input = try StageInput(directory: FilePath(codes), expecting: "tokenize")
      try input.requireInput(dataInput)
      inputs.append(input.reference)
      itemCodes = (try ItemCodes(input), input)
    }
    var stage = try StageOutput(
      directory: FilePath(output), stage: "train", threads: shared.threads)
    let loop = try prepare(dataInput, itemCodes)
    let configuration = configuration(loop.network.hyper)
    let checkpoints = Checkpoints(
      CheckpointStore(
        output: FilePath(output), configuration: configuration, inputs: inputs,
        threads: shared.threads), checkpointing, isQuiet: shared.quiet)
    // What was read can be read again: until there is something to save, a signal ends the program at once.
    StopRequest.watch()
    defer { StopRequest.endWatch() }
    let outcome = try loop.run(isQuiet: shared.quiet, checkpoints: checkpoints)
    for table in loop.network.savedTables { try stage.write(table) }
    try stage.writeFile(TrainingPosition.logName, outcome.log)
    let counters = outcome.counters
    try stage.commit(configuration: configuration, inputs: inputs, counters: counters)
    try checkpoints.remove()
    summary.facts = counters
    summary.facts["positionsPerSecond"] = JSONValue(outcome.positionsPerSecond)
    if let step = checkpoints.resumedStep { summary.facts["resumedStep"] = JSONValue(step) }
    try summary.print(output: FilePath(output))
  }

  /// The options with everything resolved, as the manifest has them.
  private func configuration(_ hyper: Hyperparameters) -> [String: JSONValue] {
    hyper.configuration
      .merging(objective.configuration) { first, _ in first }
      .merging(schedule.configuration) { first, _ in first }
      .merging([
        "hashInit": JSONValue(network.hashStart.rawValue), "seed": .string(String(shared.seed)),
      ]) { first, _ in first }
  }

  /// Reads what the network needs and gives it its start values.
  private func prepare(
    _ input: StageInput, _ codesRead: (codes: ItemCodes, input: StageInput)?
  ) throws(PipelineError) -> TrainingLoop {
    let itemCodes = codesRead?.codes
    let hyper = network.hyperparameters(levelSizes: itemCodes?.levelSizes ?? [])
    let needsVectors = (hyper.hasHash && network.hashStart == .pca) || itemCodes != nil
    let data = try PreprocessedData(input, includesVectors: needsVectors)
    if hyper.hasHash, network.hashStart == .pca, data.vectors == nil {
      throw .noVectors(self.data)
    }
    if let itemCodes, itemCodes.count != data.catalogue.count {
      throw .codesOfOtherItems(
        codes ?? "", found: itemCodes.count, expected: data.catalogue.count)
    }
    if let (codes, input) = codesRead {
      try codes.requireFit(input, itemCount: data.catalogue.count, vectors: data.vectors)
    }
    if itemCodes?.levelSizes.count == 1, let option = optionOfSeveralLevels {
      throw .oneLevel(codes ?? "", option: option)
    }
    let model = Network(
      hyper, itemCount: data.catalogue.count, codeRows: hyper.hasCodes ? itemCodes?.rows ?? [] : [])
    model.initialize(
      hashStart: network.hashStart,
      vectors: data.vectors.map {
        Matrix(rows: $0.count, columns: $0.width, values: $0.values)
      }, codes: itemCodes, seed: shared.seed, threads: shared.threads)
    return try loop(model, data, pairs: try pairs(input, model))
  }

  /// An option that was given although codes of one level leave it without use, or nil.
  private var optionOfSeveralLevels: String? {
    (network.optionsOfGate + objective.auxiliary.optionsOfMasks).first(where: \.isGiven)?.name
  }

  /// The training of a network that has its start values.
  private func loop(
    _ model: Network, _ data: PreprocessedData, pairs: AlignmentPairs?
  ) throws(PipelineError) -> TrainingLoop {
    let sampler = ItemSampler(
      counts: data.catalogue.trainCounts, power: objective.negativesPower)
    let step = TrainingStep(
      network: model, losses: objective.losses, pairs: pairs, optimizer: schedule.optimizer,
      sampler: sampler, averageDecay: schedule.averageDecay,
      tokensPerPart: schedule.microBatchTokens, seed: shared.seed, threads: shared.threads)
    let examples = TrainingExamples(
      data.sequences, maxLength: model.hyper.maxLength,
      negativeCount: objective.losses.recommendation.negativesPerPosition, sampler: sampler,
      seed: shared.seed)
    guard examples.count > 0 else { throw .nothingToTrain(self.data) }
    let all = Validation(data.sequences, threads: shared.threads)
    let sample = all.sample(schedule.validationUsers, seed: shared.seed)
    return TrainingLoop(
      network: model, step: step, examples: examples, validation: sample ?? all,
      finalValidation: sample == nil ? nil : all, schedule: schedule)
  }

  private func pairs(
    _ input: StageInput, _ model: Network
  ) throws(PipelineError) -> AlignmentPairs? {
    guard model.hyper.architecture == .h2rec, objective.losses.alignmentWeight > 0 else {
      return nil
    }
    let behaviour: PositivePairs? =
      switch objective.auxiliary.positives {
      case .none: nil
      case .ppmi: try PositivePairs(input, .ppmi, itemCount: model.itemCount)
      case .decay: try PositivePairs(input, .decay, itemCount: model.itemCount)
      }
    return AlignmentPairs(
      behaviour: behaviour, codeRows: model.codeRows, levelCount: model.hyper.levelCount,
      random: CounterRandom(seed: shared.seed, stream: 0x5041_4952))
  }
}
