internal import ArgumentParser
internal import CommandSupport
internal import Dataset
internal import Kernels
internal import ShardIO
internal import SystemPackage

/// The tokenize stage.
@main
struct TokenizeCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "h2rec-tokenize",
    abstract: "Turn item vectors into semantic ids: a tuple of codes for each item.",
    discussion: """
      Reads the item vectors of h2rec-preprocess, learns a codebook a level by residual k-means, and writes codes, \
      codebooks and a report on them (report.json, report.md).
      """,
    version: programVersion)

  @Option(help: "Directory written by h2rec-preprocess.", completion: .directory)
  var data: String

  @Option(help: "Directory to write.", completion: .directory)
  var output: String

  @Option(
    help: "Codes of each level, coarsest first; as many levels as numbers.",
    transform: LevelSizes.init(parsing:))
  var codebooks = LevelSizes([256, 256, 256, 256])

  @Option(help: "Principal components the vectors are reduced to before; 0 keeps them as they are.")
  var pca = 128

  @Option(help: "Largest number of k-means iterations a level.")
  var iterations = 25

  @Option(help: "k-means searches a level; the one with the smallest error counts.")
  var restarts = 1

  @Option(help: "Items that all but the last two iterations look at; 0 for all of them.")
  var sampleSize = 0

  @Flag(help: "Move the codes of a level towards equal use, at the price of a larger error.")
  var balanced = false

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard pca >= 0 else { throw ValidationError("'--pca' must not be negative, not \(pca).") }
    guard (1...10_000).contains(iterations) else {
      throw ValidationError("'--iterations' must be from 1 to 10000, not \(iterations).")
    }
    guard (1...1000).contains(restarts) else {
      throw ValidationError("'--restarts' must be from 1 to 1000, not \(restarts).")
    }
    guard sampleSize == 0 || sampleSize >= codebooks.values.max() ?? 0 else {
      throw ValidationError(
        "'--sample-size' must be 0 or at least the size of a level, not \(sampleSize).")
    }
  }

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "tokenize")
    let input = try StageInput(directory: FilePath(data), expecting: "preprocess")
    var stage = try StageOutput(directory: FilePath(output), stage: "tokenize")
    let catalogue = try Catalogue(input)
    let codes = try fit(try readVectors(input, itemCount: catalogue.count))
    let report = CodeReport(codes, catalogue)
    for table in ItemCodes(codes, usage: report.statistics.levels.map(\.usage)).tables {
      try stage.write(table)
    }
    try stage.writeFile("report.json", try report.json.json())
    try stage.writeFile("report.md", Array(report.markdown.utf8))
    let counters: [String: JSONValue] = [
      "items": JSONValue(catalogue.count),
      "distinctTuples": JSONValue(report.statistics.distinctCount),
      "collisionRate": JSONValue(report.statistics.collisionRate),
    ]
    try stage.commit(
      configuration: configuration, inputs: [input.reference], counters: counters)
    summary.facts = counters
    summary.facts["relativeError"] = JSONValue(codes.relativeError)
    try summary.print(output: FilePath(output))
  }

  /// The options with everything resolved, as the manifest has them.
  private var configuration: [String: JSONValue] {
    [
      "codebooks": .array(codebooks.values.map { JSONValue($0) }),
      "pca": JSONValue(pca),
      "iterations": JSONValue(iterations),
      "restarts": JSONValue(restarts),
      "sampleSize": JSONValue(sampleSize),
      "balanced": .bool(balanced),
      "seed": .string(String(shared.seed)),
    ]
  }

  private func readVectors(
    _ input: StageInput, itemCount: Int
  ) throws(PipelineError) -> Matrix {
    guard input.hasTable(ItemVectors.tableKind) else { throw .noVectors(data) }
    let vectors = try ItemVectors(input)
    let matrix = Matrix(rows: vectors.count, columns: vectors.width, values: vectors.values)
    for (level, size) in codebooks.values.enumerated() where size > itemCount {
      throw .fewerItemsThanCodes(data, itemCount: itemCount, level: level + 1, size: size)
    }
    let first = matrix[row: 0]
    guard (1..<matrix.rows).contains(where: { matrix[row: $0] != first }) else {
      throw .allVectorsEqual(data, itemCount: itemCount)
    }
    return matrix
  }

  private func fit(_ vectors: consuming Matrix) throws(PipelineError) -> ResidualCodes {
    let progress = Progress("tokenizing", total: codebooks.values.count, isQuiet: shared.quiet)
    let options = QuantizerOptions(
      levelSizes: codebooks.values, componentCount: pca, iterationCount: iterations,
      seed: shared.seed, restartCount: restarts, sampleSize: sampleSize, isBalanced: balanced)
    let codes = quantize(vectors, options, threads: shared.threads) { level in
      progress.advance(by: level == 0 ? 0 : 1, detail: "level \(level + 1)")
    }
    progress.finish()
    return codes
  }
}

extension ItemCodes {
  /// The codes in the form that the stages exchange.
  init(_ codes: ResidualCodes, usage: [[Int]]) {
    self.init(
      levelSizes: codes.levelSizes, codes: codes.codes,
      codebooks: codes.codebooks.flatMap(\.values), width: codes.center.count,
      usage: usage.flatMap { $0.map(UInt32.init) }, center: codes.center)
  }
}
