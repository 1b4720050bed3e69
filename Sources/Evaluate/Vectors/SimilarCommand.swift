import ArgumentParser
import CommandSupport
import Dataset
import Models
import Numerics
import Retrieval
import ShardIO
import TextOutput

/// Writes the items most like each item.
struct SimilarCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "similar", abstract: "Write the items most like each item.",
    discussion: """
      Likeness is the cosine of the item vectors: of the whole vector, or of the half that comes from the \
      hash ID or from the semantic ID.
      """,
    version: programVersion)

  @OptionGroup var stage: StageOptions

  @Option(help: "Items to write for each item.")
  var count: Int = 20

  @Option(help: "Space in which items are compared.")
  var space: ItemSpace = .joint

  @Option(help: "Form of the lists.")
  var format: RecommendationFormat = .csv

  @Option(help: "Compression of the lists.")
  var compression: OutputCompression = .none

  @Flag(help: "Write the titles of the items too.")
  var titles = false

  @OptionGroup var csv: CSVGuardFlag

  @OptionGroup(title: "New items") var newItemOptions: NewItemOptions

  @OptionGroup var work: WorkOptions

  func validate() throws {
    guard count > 0 else {
      throw ValidationError("'--count' must be at least 1, not \(count).")
    }
    try refuse(
      [("csv-guard", csv.csvGuard)], if: format != .csv, for: "--format \(format.rawValue)")
    try refuse(
      [("compression", compression != .none)], if: format == .parquet, for: "--format parquet")
  }

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "similar")
    let inputs = try EvaluationInputs(stage, threads: work.threads)
    let listed = try newItemOptions.items(
      inputs, known: try inputs.ranker(threads: work.threads).items, threads: work.threads)
    guard let vectors = listed.vectors else {
      throw .noVectorsOfModel(inputs.trained.name, command: "similar")
    }
    guard !listed.marksNewItems || space != .hash else { throw .noHashOfNewItems() }
    let catalogue = listed.data.catalogue
    guard count < catalogue.count else {
      throw .listTooLong("--count", count, catalogue: catalogue.count - 1)
    }
    let directions = try space.directions(
      vectors, branches: inputs.diagnostics.branches, model: inputs.trained.name)
    var output = try StageOutput(
      directory: stage.output, stage: "similar", threads: work.threads)
    let encoding = RecommendationEncoding(
      format: format, compression: compression, isGuarded: csv.csvGuard, catalogue: catalogue,
      hasTitles: titles,
      newItems: listed.marksNewItems ? listed.newItems : nil, subject: "item_id",
      object: "similar_item_id")
    var file = try ListFile("similar-items", encoding, in: output)
    var bytes = encoding.header
    let progress = Progress("comparing items", total: catalogue.count, isQuiet: work.quiet)
    for first in stride(from: 0, to: catalogue.count, by: CaseRanker.blockSize) {
      let block = first..<min(catalogue.count, first + CaseRanker.blockSize)
      append(block, directions, catalogue, encoding, to: &bytes)
      try file.append(bytes)
      bytes.removeAll(keepingCapacity: true)
      progress.advance(by: block.count)
    }
    progress.finish()
    try file.end(in: &output)
    try output.commit(
      configuration: configuration, inputs: inputs.references + listed.references,
      counters: ["items": JSONValue(catalogue.count)])
    summary.facts["items"] = JSONValue(catalogue.count)
    try summary.print(output: stage.output)
  }

  /// The options that shape the output.
  private var configuration: [String: JSONValue] {
    let own: [String: JSONValue] = [
      "count": JSONValue(count), "space": .string(space.rawValue),
      "format": .string(format.rawValue), "compression": .string(compression.rawValue),
      "titles": .bool(titles), "csvGuard": .bool(csv.csvGuard),
    ]
    return own.merging(newItemOptions.configuration) { first, _ in first }
  }

  /// Appends the lists of a block of items, each without itself.
  private func append(
    _ block: Range<Int>, _ directions: Matrix, _ catalogue: Catalogue,
    _ encoding: RecommendationEncoding, to bytes: inout [UInt8]
  ) {
    let width = directions.columns
    let rows = Matrix(
      rows: block.count, columns: width,
      values: Array(directions.values[block.lowerBound * width..<block.upperBound * width]))
    let top = topK(
      users: rows, items: directions, count: count,
      excluded: RaggedArray(
        offsets: Array(0...block.count), values: block.map { UInt32($0) }),
      threads: work.threads)
    for item in block {
      encoding.append(
        user: catalogue.itemIDs[item], items: Array(top.items[item - block.lowerBound]),
        scores: Array(top.scores[item - block.lowerBound]), to: &bytes)
    }
  }
}
