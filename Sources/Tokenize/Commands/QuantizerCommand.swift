internal import ArgumentParser
internal import CommandSupport
internal import Dataset
internal import Numerics
internal import ShardIO
internal import SystemPackage
internal import Training

/// Learns codes with one quantiser.
struct QuantizerCommand<Recipe: QuantizerRecipe>: StageCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: Recipe.name, abstract: Recipe.abstract)
  }

  @OptionGroup var options: Recipe.Options

  @Option(
    help: """
      Learn from the codebooks of a previous output on, then name codes so that items keep theirs where possible.
      """, completion: .directory)
  var alignTo: String?

  @OptionGroup var collisions: CollisionOption
  @OptionGroup var run: RunOptions
  @OptionGroup var seedOption: SeedOption

  func runStage() throws(PipelineError) {
    let request = request(
      "tokenize", output: run.outputPath,
      leavingOut: CheckpointOptions.fieldNames.union(["data", "alignTo"]),
      inputs: try run.references(alignTo))
    if try run.isUpToDate(request) { return }
    let options = try shortened()
    let source = LearnedCodes<Recipe>(
      options: options, seed: seedOption.seed, alignTo: alignTo, place: run)
    try TokenizeRun(
      place: run, source: source, previous: alignTo, collisions: collisions.collisions,
      checkpointing: options.checkpointing, configuration: configuration(options),
      request: request
    ).run()
  }

  /// The options with fewer codes, and a warning, where there are more codes than items.
  ///
  /// Codes that are aligned keep the sizes of their levels.
  private func shortened() throws(PipelineError) -> Recipe.Options {
    var options = options
    let input = try StageInput(directory: FilePath(run.data), expecting: "preprocess")
    guard alignTo == nil, let itemCount = input.manifest.counters["items"]?.integerValue else {
      return options
    }
    let sizes = options.codes.codebooks.shortened(itemCount: Int(itemCount))
    if sizes != options.codes.codebooks {
      printWarning(
        "'--codebooks \(options.codes.codebooks)' has more codes than there are items, \(itemCount); "
          + "taken as '--codebooks \(sizes)'", at: input.directory.string)
    }
    options.codes.codebooks = sizes
    return options
  }

  /// The options with everything resolved, without paths.
  func configuration(_ options: Recipe.Options) -> [String: JSONValue] {
    let own: [String: JSONValue] = [
      "mode": alignTo == nil ? "fit" : "align", "quantizer": .string(Recipe.name),
      "seed": .string(String(seedOption.seed)),
    ]
    return options.configuration.merging(collisions.configuration) { $1 }.merging(own) { $1 }
  }
}

/// Codes that a quantiser learns.
private struct LearnedCodes<Recipe: QuantizerRecipe>: CodeSource {
  let options: Recipe.Options
  let seed: UInt64
  let alignTo: String?
  let place: RunOptions

  func codes(
    _ inputs: CodeInputs
  ) throws(PipelineError) -> (items: TokenizedItems, drift: FrozenEncoding.Drift?) {
    let itemVectors = try inputs.requiredVectors()
    let all = Array(0..<itemVectors.rows)
    let isPart = options.codes.fitOn == .train
    let rows = isPart ? all.filter { inputs.catalogue.trainCounts[$0] > 0 } : all
    let vectors = isPart ? itemVectors.gathering(rows) : itemVectors
    try requireEnough(vectors)
    var learning = Learning()
    learning.data = place.data
    learning.seed = seed
    learning.threads = place.threads
    learning.categories = rows.map { inputs.catalogue.categories[$0] }
    learning.checkpoints = inputs.checkpoints
    if let previous = inputs.previous, let alignTo {
      try previous.requireSpace(itemVectors, rows: inputs.rows, directory: alignTo)
      learning.start = previous.encoder
    }
    let progress = Progress(
      "tokenizing", total: Recipe.stepCount(options), isQuiet: place.quiet)
    learning.progress = { progress.advance(by: 1, detail: $0) }
    var items = try Recipe.fit(vectors, options, learning)
    progress.finish()
    guard items.isFinite else { throw .diverged() }
    if isPart { items.encode(itemVectors, threads: place.threads) }
    if let previous = inputs.previous {
      items.align(
        to: previous.codes.codes, levelCount: previous.codes.levelCount, rows: inputs.rows)
    }
    return (items, nil)
  }

  /// Refuses vectors that are too few or all equal.
  private func requireEnough(_ vectors: Matrix) throws(PipelineError) {
    guard (1..<max(1, vectors.rows)).contains(where: { vectors[row: $0] != vectors[row: 0] }) else {
      throw .allVectorsEqual(place.data, itemCount: vectors.rows)
    }
    for (level, size) in options.codes.sizes.enumerated() where size > vectors.rows {
      throw .fewerItemsThanCodes(
        place.data, itemCount: vectors.rows, level: level + 1, size: size)
    }
  }
}
