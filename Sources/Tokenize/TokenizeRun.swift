internal import Clustering
internal import CommandSupport
internal import Dataset
internal import Numerics
internal import Quantizers
internal import ShardIO
internal import SystemPackage
internal import Training

/// One run of the stage.
struct TokenizeRun {
  /// Where the codes come from; paths are those of previous outputs or files.
  enum Mode: Equatable {
    case fit
    case align(String, isWarm: Bool)
    case encode(String, driftLimit: Double)
    case importing(String)

    /// Its name, without the paths.
    var name: String {
      switch self {
      case .fit: "fit"
      case .align: "align"
      case .encode: "encode"
      case .importing: "import"
      }
    }

    /// Whether codes are learned.
    var learns: Bool {
      switch self {
      case .fit, .align: true
      case .encode, .importing: false
      }
    }
  }

  let data: String
  let output: String
  let mode: Mode
  let options: QuantizerOptions
  let scope: FitScope
  let limits: LintLimits
  let collisions: CollisionPolicy
  let formats: [ExportFormat]
  /// Whether no field of codes.csv may be a formula.
  let isGuarded: Bool
  let checkpointing: CheckpointOptions
  /// The options as the manifest has them.
  let configuration: [String: JSONValue]
  let threads: Int
  let isQuiet: Bool
  /// What the output is made from, kept with it.
  var request: StageRequest?

  /// Does the work and prints the summary.
  ///
  /// - Throws: `PipelineError`; nothing is written then, and an older output stays whole.
  func run() throws(PipelineError) {
    var summary = Summary(stage: "tokenize")
    let input = try StageInput(
      directory: FilePath(data), expecting: "preprocess", threads: threads)
    var stage = try StageOutput(
      directory: FilePath(output), stage: "tokenize", threads: threads)
    let previous = try previousRun()
    let catalogue = try Catalogue(input)
    try limits.requireGrounds(
      data, hasVectors: input.hasTable(ItemVectors.tableKind),
      hasCategories: catalogue.categories.contains { !$0.isEmpty })
    let inputs = [input.reference] + (previous.map { [$0.reference] } ?? [])
    let checkpoints = checkpointing.checkpoints(
      in: CheckpointStore(
        output: FilePath(output), configuration: configuration, inputs: inputs, threads: threads),
      isQuiet: isQuiet)
    let report = try makeReport(input, catalogue, previous, checkpoints)
    guard report.findings.isEmpty else { throw .badCodes(report.findings, output) }
    try write(report, to: &stage)
    let counters: [String: JSONValue] = [
      "items": JSONValue(catalogue.count),
      "distinctTuples": JSONValue(report.statistics.distinctCount),
      "collisionRate": JSONValue(report.statistics.collisionRate),
      "relativeError": JSONValue(report.items.relativeError),
    ]
    // What a later run needs to encode with these codebooks.
    var configuration = configuration
    configuration["distance"] = .array(
      report.items.encoder.distances.map { .string($0.rawValue) })
    if report.items.isParallel { configuration["quantizer"] = "vq" }
    if report.items.isNumbered {
      configuration["collisions"] = .string(CollisionPolicy.append.rawValue)
    }
    try stage.commit(
      configuration: configuration, inputs: inputs, counters: counters, request: request)
    try checkpoints.remove()
    summary.facts = counters
    summary.facts["drift"] = report.drift?.json
    summary.facts["churn"] = report.churn.map { JSONValue($0.all.values.last ?? 0) }
    summary.facts["resumedStep"] = checkpoints.resumedStep.map { JSONValue($0) }
    try summary.print(output: FilePath(output))
  }

  private func previousRun() throws(PipelineError) -> PreviousRun? {
    switch mode {
    case .align(let path, _), .encode(let path, _): try PreviousRun(path)
    case .fit, .importing: nil
    }
  }

  private func makeReport(
    _ input: StageInput, _ catalogue: Catalogue, _ previous: PreviousRun?,
    _ checkpoints: Checkpoints
  ) throws(PipelineError) -> CodeReport {
    let vectors = try readVectors(input, itemCount: catalogue.count)
    let rows = previous?.rows(of: catalogue) ?? []
    var drift: FrozenEncoding.Drift?
    var items: TokenizedItems
    switch mode {
    case .fit, .align:
      items = try fit(vectors, catalogue, previous, checkpoints)
      if let previous {
        items.align(to: previous.codes.codes, levelCount: previous.codes.levelCount, rows: rows)
      }
    case .encode(let path, let limit):
      guard let previous else {
        throw PipelineError(.internalError, "no previous run to encode with")
      }
      try previous.requireWidth(vectors.columns, directory: path)
      let frozen = FrozenEncoding(vectors, previous, rows: rows, limit: limit, threads: threads)
      items = frozen.items
      drift = frozen.drift
    case .importing(let path):
      items = try TokenizedItems(
        try ForeignCodes(path), path: path, catalogue, vectors, threads: threads)
    }
    let change = items.separate(collisions, vectors)
    var report = CodeReport(items, catalogue, vectors, threads: threads)
    report.drift = drift
    report.collisionChange = collisions == .keep ? nil : change
    report.churn = previous.map {
      Churn(items.codes, levelCount: items.levelSizes.count, $0.codes, rows: rows, catalogue)
    }
    report.findings = limits.findings(
      report.statistics, duplicateShare: report.duplicateShare, purity: report.purities?.first)
    return report
  }

  private func fit(
    _ vectors: Matrix, _ catalogue: Catalogue, _ previous: PreviousRun?, _ checkpoints: Checkpoints
  ) throws(PipelineError) -> TokenizedItems {
    let all = Array(0..<vectors.rows)
    let rows = scope == .all ? all : all.filter { catalogue.trainCounts[$0] > 0 }
    var options = options
    if options.autoencoder.needsTags, options.method == .autoencoder {
      options.tags = AutoencoderTags(
        categories: rows.map { catalogue.categories[$0] }, levelCount: options.levelSizes.count)
      guard options.tags != nil else { throw .noCategories(data) }
    }
    guard scope == .train else { return try fit(vectors, options, previous, checkpoints) }
    guard let first = rows.first,
      rows.contains(where: { vectors[row: $0] != vectors[row: first] })
    else { throw .allVectorsEqual(data, itemCount: rows.count) }
    var items = try fit(vectors.gathering(rows), options, previous, checkpoints)
    items.encode(vectors, threads: threads)
    return items
  }

  private func fit(
    _ vectors: consuming Matrix, _ options: QuantizerOptions, _ previous: PreviousRun?,
    _ checkpoints: Checkpoints
  ) throws(PipelineError) -> TokenizedItems {
    for (level, size) in options.levelSizes.enumerated() where size > vectors.rows {
      throw .fewerItemsThanCodes(data, itemCount: vectors.rows, level: level + 1, size: size)
    }
    let width = options.reducedWidth(vectors.columns) ?? vectors.columns
    let isProduct = [.product, .optimizedProduct].contains(options.method)
    if isProduct, options.levelSizes.count > width {
      throw .fewerCoordinatesThanLevels(data, width: width, levelCount: options.levelSizes.count)
    }
    var options = options
    if let previous, mode == .align(alignPath, isWarm: true) {
      try previous.requireWidth(vectors.columns, directory: alignPath)
      options.start = previous.encoder
    }
    let progress = Progress("tokenizing", total: options.stepCount, isQuiet: isQuiet)
    let items = try quantize(vectors, options, threads: threads, checkpoints: checkpoints) { step in
      progress.advance(by: 1, detail: step)
    }
    progress.finish()
    guard items.isFinite else { throw .diverged() }
    return items
  }

  private var alignPath: String {
    if case .align(let path, _) = mode { path } else { "" }
  }

  private func readVectors(
    _ input: StageInput, itemCount: Int
  ) throws(PipelineError) -> Matrix {
    guard input.hasTable(ItemVectors.tableKind) else { throw .noVectors(data) }
    let vectors = try ItemVectors(input)
    try TableRules(input, ItemVectors.tableKind).requireRows(
      vectors.count, itemCount, one: "item")
    let matrix = Matrix(rows: vectors.count, columns: vectors.width, values: vectors.values)
    let first = matrix[row: 0]
    guard (1..<matrix.rows).contains(where: { matrix[row: $0] != first }) else {
      throw .allVectorsEqual(data, itemCount: itemCount)
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
    guard largest >= Self.leastSpread else { throw .vectorsTooSmall(data, spread: largest) }
  }

  /// The least difference of two numbers of a column; the squares of a thousandth of it are still exact.
  private static let leastSpread = 1e-12

  private func write(_ report: CodeReport, to stage: inout StageOutput) throws(PipelineError) {
    for table in ItemCodes(report.items).tables { try stage.write(table) }
    try stage.write(PreviousRun.table(report.catalogue.itemIDs))
    if let network = report.items.network { try stage.write(network.table) }
    try stage.writeFile("report.json", try report.json.json())
    try stage.writeFile("report.md", Array(report.markdown.utf8))
    let page = CodePage(report: report, map: report.map)
    try stage.writeFile("report.html", Array(page.html.utf8))
    let file = CodeFile(
      itemIDs: report.catalogue.itemIDs, codes: report.items.codes,
      levelCount: report.items.levelSizes.count, isGuarded: isGuarded)
    try file.write("codes.csv", to: &stage)
    try report.items.export(formats, to: &stage)
  }
}
