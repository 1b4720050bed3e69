internal import CommandSupport
internal import Dataset
internal import Numerics
internal import ShardIO
internal import SystemPackage
internal import Training

/// Where the codes of a run come from: learned, from earlier codebooks, or from a file.
protocol CodeSource {
  /// Whether codes cannot be had for items without vectors.
  var needsVectors: Bool { get }

  /// The codes of a catalogue, and how well earlier codebooks fit, where they come from some.
  ///
  /// - Throws: `PipelineError` where there are none.
  func codes(
    _ inputs: CodeInputs
  ) throws(PipelineError) -> (items: TokenizedItems, drift: FrozenEncoding.Drift?)
}

extension CodeSource {
  var needsVectors: Bool { true }
}

/// What codes are made from.
struct CodeInputs {
  let catalogue: Catalogue
  /// Row = item, not all equal; nil where the items have none and the source of the codes needs none.
  let vectors: Matrix?
  /// The earlier run, where the command names one.
  let previous: PreviousRun?
  /// The row of each item in the earlier run; nil for new items.
  let rows: [Int?]
  /// Where learning goes on from and is saved to; nil for neither.
  let checkpoints: Checkpoints?

  /// The item vectors, for a source that needs them.
  ///
  /// - Throws: `PipelineError` `.internalError` where a source says that it needs none.
  func requiredVectors() throws(PipelineError) -> Matrix {
    guard let vectors else {
      throw PipelineError(.internalError, "the source of the codes did not ask for vectors")
    }
    return vectors
  }
}

/// One run of the stage.
struct TokenizeRun {
  let place: RunOptions
  let source: any CodeSource
  /// The directory of an earlier output that the codes come from or are compared with.
  var previous: String?
  var collisions = CollisionPolicy.keep
  /// When learning is saved; nil for codes that are not learned step by step.
  var checkpointing: CheckpointOptions?
  /// The options as the manifest has them.
  let configuration: [String: JSONValue]
  /// What the output is made from, kept with it.
  let request: StageRequest

  /// Does the work and prints the summary.
  ///
  /// - Throws: `PipelineError`; nothing is written then, and an older output stays whole.
  func run() throws(PipelineError) {
    var summary = Summary(stage: "tokenize")
    let input = try StageInput(
      directory: FilePath(place.data), expecting: "preprocess", threads: place.threads)
    var stage = try StageOutput(
      directory: place.outputPath, stage: "tokenize", threads: place.threads)
    let previous = try previous.map { path throws(PipelineError) in try PreviousRun(path) }
    let catalogue = try Catalogue(input)
    try place.lint.limits.requireGrounds(
      place.data, hasVectors: input.hasTable(ItemVectors.tableKind),
      hasCategories: catalogue.categories.contains { !$0.isEmpty })
    let inputs = [input.reference] + (previous.map { [$0.reference] } ?? [])
    let checkpoints = checkpointing?.checkpoints(
      in: CheckpointStore(
        output: place.outputPath, configuration: configuration, inputs: inputs,
        threads: place.threads), isQuiet: place.quiet)
    let vectors = try readVectors(input, itemCount: catalogue.count)
    let report = try makeReport(
      CodeInputs(
        catalogue: catalogue, vectors: vectors, previous: previous,
        rows: previous?.rows(of: catalogue) ?? [], checkpoints: checkpoints))
    guard report.findings.isEmpty else { throw .badCodes(report.findings, place.output) }
    try write(report, vectors, to: &stage)
    var counters: [String: JSONValue] = [
      "items": JSONValue(catalogue.count),
      "distinctTuples": JSONValue(report.statistics.distinctCount),
      "collisionRate": JSONValue(report.statistics.collisionRate),
    ]
    if report.items.hasVectors {
      counters["relativeError"] = JSONValue(report.items.relativeError)
      // A frozen tokenizer hands on how well it fitted when it was learned.
      let ownError = report.drift == nil ? report.items.residuals.last : nil
      counters[PreviousRun.fitErrorCounter] = (ownError ?? previous?.fitError).map { JSONValue($0) }
    }
    // What a later run needs to encode with these codebooks.
    var configuration = configuration.merging(report.items.encoder.configuration) { $1 }
    if report.items.isNumbered {
      configuration["collisions"] = .string(CollisionPolicy.append.rawValue)
    }
    var request = request
    if let checkpoints, let step = checkpoints.resumedStep {
      request.earlierWork = (checkpoints.earlierSeconds, step)
    }
    try stage.commit(
      configuration: configuration.merging(["csvGuard": .bool(place.csv.csvGuard)]) { $1 },
      inputs: inputs, counters: counters, request: request)
    try checkpoints?.remove()
    summary.facts = counters
    summary.facts["drift"] = report.drift?.json
    summary.facts["churn"] = report.churn.map { JSONValue($0.all.values.last ?? 0) }
    summary.facts["resumedStep"] = checkpoints?.resumedStep.map { JSONValue($0) }
    try summary.print(output: place.outputPath)
  }

  private func makeReport(_ inputs: CodeInputs) throws(PipelineError) -> CodeReport {
    let found = try source.codes(inputs)
    var items = found.items
    let change = try items.separate(collisions, inputs.vectors)
    var report = CodeReport(items, inputs.catalogue, inputs.vectors, threads: place.threads)
    report.drift = found.drift
    report.collisionChange = collisions == .keep ? nil : change
    report.churn = inputs.previous.map {
      Churn(
        items.codes, levelCount: items.levelSizes.count, $0.codes, rows: inputs.rows,
        inputs.catalogue)
    }
    report.findings = place.lint.limits.findings(
      report.statistics, duplicateShare: report.duplicateShare, purity: report.purities?.first,
      isNumbered: items.isNumbered)
    return report
  }

  private func readVectors(
    _ input: StageInput, itemCount: Int
  ) throws(PipelineError) -> Matrix? {
    guard input.hasTable(ItemVectors.tableKind) else {
      guard source.needsVectors else { return nil }
      throw .noVectors(place.data)
    }
    let vectors = try ItemVectors(input)
    try TableRules(input, ItemVectors.tableKind).requireRows(
      vectors.count, itemCount, one: "item")
    let matrix = Matrix(rows: vectors.count, columns: vectors.width, values: vectors.values)
    let first = matrix[row: 0]
    guard (1..<matrix.rows).contains(where: { matrix[row: $0] != first }) else {
      throw .allVectorsEqual(place.data, itemCount: itemCount)
    }
    try requireScale(vectors)
    return matrix
  }

  /// Refuses vectors whose differences are so small that their squares leave the range of 32-bit numbers.
  private func requireScale(_ vectors: ItemVectors) throws(PipelineError) {
    var largest = 0.0
    for column in 0..<vectors.width {
      var low = vectors.values[column]
      var high = low
      for place in stride(from: column, to: vectors.values.count, by: vectors.width) {
        low = min(low, vectors.values[place])
        high = max(high, vectors.values[place])
      }
      largest = max(largest, Double(high) - Double(low))
    }
    guard largest >= Self.leastSpread else { throw .vectorsTooSmall(place.data, spread: largest) }
  }

  /// The least difference of two numbers of a column; the squares of a thousandth of it are still exact.
  private static let leastSpread = 1e-12

  private func write(
    _ report: CodeReport, _ vectors: Matrix?, to stage: inout StageOutput
  ) throws(PipelineError) {
    for table in ItemCodes(report.items).tables { try stage.write(table) }
    let sketch = vectors.map { SpaceSketch($0.values, center: report.items.center) }
    try stage.write(PreviousRun.table(report.catalogue.itemIDs, sketch))
    if let network = report.items.network { try stage.write(network.table) }
    try stage.writeFile("report.json", try report.json.json())
    try stage.writeFile("report.md", Array(report.markdown.utf8))
    let page = CodePage(report: report)
    try stage.writeFile("report.html", Array(page.html.utf8))
    let file = CodeFile(
      itemIDs: report.catalogue.itemIDs, codes: report.items.codes,
      levelCount: report.items.levelSizes.count, isGuarded: place.csv.csvGuard)
    try file.write("codes.csv", to: &stage)
    try report.items.export(place.export, to: &stage)
  }
}
