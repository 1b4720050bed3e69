internal import ArgumentParser
internal import CommandSupport
internal import ShardIO
internal import SystemPackage
internal import Training

/// The tokenize stage.
@main
struct TokenizeCommand: StageCommand, StageProgram {
  static let configuration = CommandConfiguration(
    commandName: "h2rec-tokenize",
    abstract: "Turn item vectors into semantic ids: a tuple of codes for each item.",
    discussion: """
      Reads the item vectors of h2rec-preprocess, learns a codebook a level by residual k-means or another method, and writes codes, \
      codebooks and a report on them (codes.csv, report.json, report.md, report.html).
      """,
    version: programVersion)

  @Option(help: "Directory written by h2rec-preprocess.", completion: .directory)
  var data: String?

  @Option(help: "Directory to write.", completion: .directory)
  var output: String?

  @OptionGroup(title: "Learning")
  var quantizer: QuantizerArguments

  @OptionGroup(title: "Checkpoints of rq-vae")
  var checkpointing: CheckpointOptions

  @Option(
    help: """
      Learn nothing: keep the codes of items that a previous output has, and give new items theirs from its codebooks.
      """, completion: .directory)
  var encodeOnly: String?

  @Option(
    help:
      "Learn afresh, then name codes so that items keep those of a previous output where possible.",
    completion: .directory)
  var alignTo: String?

  @Flag(
    inversion: .prefixedNo,
    help:
      "With --align-to: whether to start from the previous codebooks (the default); far fewer codes change."
  )
  var warmStart: Bool?

  @Option(
    name: .customLong("import"),
    help: "Learn nothing: take the codes in this file (CSV: item id, codes; or JSON).",
    completion: .file(extensions: ["csv", "json"]))
  var importPath: String?

  @Option(
    help:
      "Error of new items against known ones from which --encode-only advises a new fit. (default: 1.5)"
  )
  var driftLimit: Double?

  @Option(help: "What happens to items with equal codes: keep, append, sinkhorn or reassign.")
  var collisions = CollisionPolicy.keep

  @Option(
    help: "Also write codes and codebooks in this format (npy or safetensors); may be repeated.")
  var export: [ExportFormat] = []

  @OptionGroup var csv: CSVGuardFlag

  @Option(
    help: "Write nothing; check the codes in a .csv or .json file, or in a previous output.",
    completion: .file())
  var lintOnly: String?

  @OptionGroup(title: "Limits")
  var lint: LintArguments

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    let modes = [encodeOnly, alignTo, importPath, lintOnly]
    guard modes.count(where: { $0 != nil }) <= 1 else {
      throw ValidationError(
        "'--encode-only', '--align-to', '--import' and '--lint-only' exclude one another.")
    }
    guard lintOnly != nil || data != nil else {
      throw ValidationError("Missing expected argument '--data <data>'")
    }
    guard lintOnly == nil || output == nil else {
      throw ValidationError("'--lint-only' writes nothing, so '--output' has no use.")
    }
    guard lintOnly != nil || output != nil else {
      throw ValidationError("Missing expected argument '--output <output>'")
    }
    guard collisions == .keep || encodeOnly == nil else {
      throw ValidationError("'--collisions \(collisions.rawValue)' would change frozen codes.")
    }
    guard lintOnly == nil || data != nil || !lint.needsData else {
      throw ValidationError("'--min-purity' and '--max-duplicate-share' need '--data'.")
    }
    if let driftLimit, !(driftLimit > 0 && driftLimit.isFinite) {
      throw ValidationError("'--drift-limit' must be a number above 0, not \(driftLimit).")
    }
    try refuseUnused()
  }

  /// Options that the chosen way to codes has no use for.
  private func refuseUnused() throws {
    let startName = warmStart == false ? "no-warm-start" : "warm-start"
    try refuse([(startName, warmStart != nil)], without: "--align-to", isThere: alignTo != nil)
    try refuse(
      [("drift-limit", driftLimit != nil)], without: "--encode-only", isThere: encodeOnly != nil)
    try refuse(
      [
        ("if-needed", shared.ifNeeded), ("export", !export.isEmpty),
        ("collisions", collisions != .keep), ("csv-guard", csv.csvGuard),
      ], if: lintOnly != nil,
      for: "--lint-only")
    let untouched = try CheckpointOptions.parse([])
    try refuse(
      [
        ("checkpoint-minutes", checkpointing.checkpointMinutes != untouched.checkpointMinutes),
        ("checkpoint-steps", checkpointing.checkpointSteps != untouched.checkpointSteps),
      ], without: "--quantizer rq-vae", isThere: quantizer.quantizer == .autoencoder && mode.learns)
  }

  func runStage() throws(PipelineError) {
    if let lintOnly { return try LintRun(path: lintOnly, data: data, limits: lint.limits).run() }
    let path = FilePath(output ?? "")
    let input = try StageInput(directory: FilePath(data ?? ""), expecting: "preprocess")
    let request = try request(input.reference, path)
    if try shared.isUpToDate(request, output: path, Summary(stage: "tokenize")) { return }
    let quantizer = shortened(input)
    try TokenizeRun(
      data: data ?? "", output: output ?? "", mode: mode,
      options: quantizer.options(seed: shared.seed), scope: quantizer.fitOn, limits: lint.limits,
      collisions: collisions, formats: export, isGuarded: csv.csvGuard,
      checkpointing: checkpointing, configuration: configuration(quantizer),
      threads: shared.threads, isQuiet: shared.quiet, request: request
    ).run()
  }

  /// What this run would do.
  private func request(
    _ input: StageReference, _ output: FilePath
  ) throws(PipelineError) -> StageRequest {
    var inputs = [input]
    for previous in [encodeOnly, alignTo] {
      guard let previous else { continue }
      inputs.append(
        try StageInput(directory: FilePath(previous), expecting: "tokenize").reference)
    }
    var request = request(
      "tokenize", output: output,
      leavingOut: CheckpointOptions.fieldNames.union([
        "data", "encodeOnly", "alignTo", "importPath", "lintOnly",
      ]),
      defaults: ["driftLimit": "1.5", "warmStart": "true"], inputs: inputs,
      files: importPath.map { [SourceFile("codes", $0)] } ?? [])
    request.configuration["mode"] = mode.name
    return request
  }

  private var mode: TokenizeRun.Mode {
    if let encodeOnly { return .encode(encodeOnly, driftLimit: driftLimit ?? 1.5) }
    if let alignTo { return .align(alignTo, isWarm: warmStart ?? true) }
    if let importPath { return .importing(importPath) }
    return .fit
  }

  /// The options with fewer codes, and a warning, where there are more codes than items.
  private func shortened(_ input: StageInput) -> QuantizerArguments {
    var quantizer = quantizer
    guard mode == .fit, let itemCount = input.manifest.counters["items"]?.integerValue else {
      return quantizer
    }
    let sizes = quantizer.codebooks.shortened(itemCount: Int(itemCount))
    if sizes != quantizer.codebooks {
      printWarning(
        "'--codebooks \(quantizer.codebooks)' has more codes than there are items, \(itemCount); "
          + "taken as '--codebooks \(sizes)'", at: input.directory.string)
    }
    quantizer.codebooks = sizes
    return quantizer
  }

  /// The options with everything resolved, without paths.
  private func configuration(_ quantizer: QuantizerArguments) -> [String: JSONValue] {
    var members = quantizer.configuration
    switch mode {
    case .fit: members["mode"] = "fit"
    case .align(_, let isWarm): members["mode"] = isWarm ? "align, warm start" : "align"
    case .encode(_, let limit): members = ["mode": "encode", "driftLimit": JSONValue(limit)]
    case .importing: members = ["mode": "import"]
    }
    members["collisions"] = .string(collisions.rawValue)
    members["csvGuard"] = .bool(csv.csvGuard)
    members["seed"] = .string(String(shared.seed))
    return members
  }
}
