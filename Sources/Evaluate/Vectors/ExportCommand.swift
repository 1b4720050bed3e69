import ArgumentParser
import CommandSupport
import Dataset
import Models
import Numerics
import ShardIO

/// Writes the vectors of users and items for other programs.
struct ExportCommand: StageCommand {
  /// The form of the vectors.
  enum Format: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// items.npy and users.npy.
    case npy
    /// vectors.safetensors with the matrices `items` and `users`.
    case safetensors
  }

  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write user and item vectors whose inner product is the score.",
    discussion: """
      Rows of items follow item_ids.txt, rows of users follow user_ids.txt; a user's vector is the state after \
      the whole kept history. Documentation/Vectors.md shows how to search them with FAISS.
      """,
    version: programVersion)

  @OptionGroup var stage: StageOptions

  @Option(help: "Form of the vectors.")
  var format: Format = .npy

  @OptionGroup(title: "New items") var newItemOptions: NewItemOptions

  @OptionGroup var work: WorkOptions

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "export")
    let inputs = try EvaluationInputs(stage, threads: work.threads)
    let listed = try newItemOptions.items(
      inputs, known: try inputs.itemVectors(threads: work.threads), threads: work.threads)
    let items = listed.vectors
    let sequences = inputs.data.sequences
    var output = try StageOutput(
      directory: stage.output, stage: "export", threads: work.threads)
    try output.writeFile("item_ids.txt", try lines(listed.data.catalogue.itemIDs))
    try output.writeFile("user_ids.txt", try lines(sequences.userIDs))
    switch format {
    case .npy:
      let header = VectorFile.numpyHeader(rows: items.rows, columns: items.columns)
      try output.writeFile("items.npy", header + VectorFile.bytes(items.values))
      var file = try output.beginFile("users.npy")
      try file.append(VectorFile.numpyHeader(rows: sequences.count, columns: items.columns))
      try appendUsers(inputs, to: &file)
      try output.endFile(file)
    case .safetensors:
      var file = try output.beginFile("vectors.safetensors")
      try file.append(
        try VectorFile.safetensorsHeader([
          ("items", items.rows, items.columns), ("users", sequences.count, items.columns),
        ]))
      try file.append(VectorFile.bytes(items.values))
      try appendUsers(inputs, to: &file)
      try output.endFile(file)
    }
    let counters = ["users": JSONValue(sequences.count), "items": JSONValue(items.rows)]
    try output.commit(
      configuration: newItemOptions.configuration.merging(
        ["format": .string(format.rawValue)]) { first, _ in first },
      inputs: inputs.references + listed.references, counters: counters)
    summary.facts = counters
    try summary.print(output: stage.output)
  }

  /// Appends the vectors of all users, block by block.
  private func appendUsers(
    _ inputs: EvaluationInputs, to file: inout OutputFile
  ) throws(PipelineError) {
    let sequences = inputs.data.sequences
    let progress = Progress("reading histories", total: sequences.count, isQuiet: work.quiet)
    for first in stride(from: 0, to: sequences.count, by: CaseRanker.blockSize) {
      let block = first..<min(sequences.count, first + CaseRanker.blockSize)
      var histories = RaggedArray<UInt32>()
      for user in block { histories.append(contentsOf: sequences.items[user]) }
      let users = inputs.model.userVectors(histories, threads: work.threads)
      guard users.values.allSatisfy(\.isFinite) else { throw .modelNotFinite("user") }
      try file.append(VectorFile.bytes(users.values))
      progress.advance(by: block.count)
    }
    progress.finish()
  }

  /// One id a line.
  private func lines(_ ids: [String]) throws(PipelineError) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids {
      guard !id.utf8.contains(0x0A) else { throw .lineEndInID(id) }
      bytes += id.utf8
      bytes.append(0x0A)
    }
    return bytes
  }
}
