internal import ArgumentParser
internal import CommandSupport
internal import Foundation
internal import ShardIO
internal import SystemPackage
internal import TextInput

/// Reads the user's data and writes the output of stage 1.
struct RunCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Read a log, items and vectors; write the output of stage 1 (the default).",
    discussion: """
      Ids are dense in the output: users in ascending order of their ids, items in the order of their first event in \
      (user, time) order. Events of one user at the same time are in the order of a hash, or of the rows with '--ties \
      file'; with the hash neither the names nor the order of the files change the output. Popularity, groups and \
      positive pairs are made of train events only.
      """)

  @OptionGroup(title: "Input")
  var input: InputOptions

  @OptionGroup(title: "Filters")
  var filters: FilterOptions

  @OptionGroup(title: "Derived data")
  var derivation: DerivationOptions

  @Option(help: "Directory for the output; not needed with '--dry-run'.", completion: .directory)
  var output: String?

  @Flag(
    help: ArgumentHelp(
      "Check everything and show what a run would do; write nothing, to '--bad-rows' neither.",
      discussion: """
        Shows the formats and columns found, the counts, and the memory, disk space and time that the run will need.
        """))
  var dryRun = false

  @OptionGroup(title: "Memory")
  var memory: MemoryOptions

  @OptionGroup(title: "General")
  var shared: SharedOptions

  func validate() throws {
    try refuse([("if-needed", shared.ifNeeded)], if: dryRun, for: "--dry-run")
    if output == nil, !dryRun { throw ValidationError("Missing expected argument '--output'.") }
    try refuse(
      [("rating-column", input.ratingColumn != nil)], without: "--minimum-rating",
      isThere: filters.minimumRating != nil)
    try refuse(
      [("event-column", input.eventColumn != nil)], without: "--events",
      isThere: !filters.events.isEmpty)
    guard input.timestampFormat == .none else { return }
    try refuse(
      [("from", filters.from != nil), ("until", filters.until != nil)], if: true,
      for: "--timestamp-format none")
    for (name, point) in [
      ("valid-from", derivation.validFrom), ("test-from", derivation.testFrom),
    ] where point != nil && point?.quantile == nil {
      throw ValidationError(
        "'--\(name)' must be a quantile such as 0.8 with '--timestamp-format none'.")
    }
  }

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "preprocess")
    let (input, folder) = try input.lookedUp()
    var run = PreprocessRun(
      input: input, filters: filters, derivation: derivation, seed: shared.seed,
      threads: shared.threads, storage: memory.storage(output: dryRun ? nil : output))
    if let folder, !shared.ifNeeded { tell(folder) }
    guard let output, !dryRun else {
      run.encoder = try input.earlierEncoder()
      return try rehearse(run, &summary)
    }
    let path = FilePath(output)
    let request = try request(input, path)
    if isKept(input.badRows), try shared.isUpToDate(request, output: path, summary) { return }
    if let folder, shared.ifNeeded { tell(folder) }
    run.encoder = try input.earlierEncoder()
    var stage = try StageOutput(directory: path, stage: "preprocess", threads: shared.threads)
    var result = try run.compute(isQuiet: shared.quiet)
    showDoubts(PreprocessReport(result.counters, run.configuration))
    for table in result.tables { try stage.write(table) }
    let report = PreprocessReport(result.counters, run.configuration)
    try stage.writeFile("report.json", try JSONValue.object(result.counters).json())
    try stage.writeFile("report.md", Array(report.markdown.utf8))
    try writeBadRows(result.badRows)
    try stage.commit(
      configuration: run.configuration, inputs: [], counters: result.counters, request: request)
    result.clock.finish("write")
    if !shared.quiet {
      try printResult(report.markdown)
      try printResult("report: \(path.appending("report.md"))\n")
    }
    summary.facts = Self.facts(result)
    try summary.print(output: path)
  }

  /// What this run would do.
  private func request(
    _ input: InputOptions, _ output: FilePath
  ) throws(PipelineError) -> StageRequest {
    var files = try expandPaths(input.interactions).map { SourceFile("interactions", $0) }
    // What a query finds is not known before it is asked.
    if input.sql != nil { files.append(SourceFile("sql", ByteStream.standardInputPath)) }
    for (role, path) in [
      ("items", input.items), ("vectors", input.vectors), ("vector ids", input.vectorIds),
    ] {
      if let path { files.append(SourceFile(role, path)) }
    }
    let locations: Set = [
      "dataFolder", "interactions", "sql", "items", "vectors", "vectorIds", "badRows", "memory",
      "temporaryDirectory", "dryRun", "textEncoder",
    ]
    var request = self.request(
      "preprocess", output: output, leavingOut: locations,
      defaults: [
        "heldOut": "1", "missingItems": "error", "missingVectors": "error", "pairCount": "50",
        "pairMinimum": "2", "pairWindow": "3", "text": TextTemplate.usual, "textVectors": "128",
      ], files: files)
    // By what it does, not by where it is: it may be in the output that this run replaces.
    if let directory = input.textEncoder {
      request.configuration["textEncoder"] = try TextEncoder.identity(in: directory)
    }
    return request
  }

  private func tell(_ folder: DataFolder) {
    guard !shared.quiet else { return }
    printNote(folder.summary, at: input.dataFolder ?? "")
  }

  /// Does everything but writing, and shows what came out.
  private func rehearse(_ run: PreprocessRun, _ summary: inout Summary) throws(PipelineError) {
    let result = try run.compute(isQuiet: shared.quiet)
    showDoubts(PreprocessReport(result.counters, run.configuration))
    for source in result.sources {
      let columns = source.columns.map { "\($0.role) = \($0.column)" }.joined(separator: ", ")
      let delimiter =
        source.format == .csv && source.delimiter != UInt8(ascii: ",")
        ? source.delimiter.map { " delimited by '\(Unicode.Scalar($0))'" } ?? "" : ""
      try printResult(
        "\(source.name): \(source.format.rawValue)\(delimiter), \(source.rowCount) rows, \(columns)"
      )
    }
    try printResult(PreprocessReport(result.counters, run.configuration).markdown)
    var byteCount = 0
    for table in result.tables {
      for index in 0..<table.shardCount { byteCount += try table.shard(index).count }
    }
    try printResult(
      """
      The run will need about \(summary.peakMegabytes) MiB of memory, \(byteCount / 1000 + 1) kB on disk and \
      \(summary.seconds) s, as this one did, which left out the writing alone.

      """)
    summary.facts = Self.facts(result)
    summary.facts["dryRun"] = true
    summary.facts["diskBytes"] = JSONValue(byteCount)
    try summary.print(output: FilePath(output ?? ""))
  }

  /// Warns about what is probably not as the user thinks it is, with '--quiet' too.
  private func showDoubts(_ report: PreprocessReport) {
    let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
    let place = input.place
    for doubt in report.doubts + [report.futureWarning(now: now)].compactMap(\.self) {
      printWarning(doubt, at: place)
    }
  }

  private func writeBadRows(_ rows: [UInt8]) throws(PipelineError) {
    guard let path = input.badRows else { return }
    var file = try AtomicFile(replacing: FilePath(path))
    try file.append(rows)
    try file.commit()
  }

  private static func facts(_ result: PreprocessRun.Result) -> [String: JSONValue] {
    var facts: [String: JSONValue] = [:]
    for name in ["users", "items", "interactions", "rowsBad", "eventsTiedShare"] {
      facts[name] = result.counters[name]
    }
    facts["phases"] = .object(result.clock.seconds)
    return facts
  }
}
