internal import ArgumentParser
internal import CommandSupport
internal import ShardIO

/// Takes codes that another program made.
struct ImportCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take the codes of all items from a file.")

  @Argument(
    help: """
      File of codes: CSV (item id, codes), JSON (an object of lists, or a list of objects) or JSON lines. A code is a \
      whole number or a text such as <a_170>; lists of them may also be one text, <a_170><b_3>.
      """,
    completion: .file(extensions: ForeignCodes.extensions))
  var file: String

  @OptionGroup var collisions: CollisionOption
  @OptionGroup var run: RunOptions

  func runStage() throws(PipelineError) {
    let request = request(
      "tokenize", output: run.outputPath, leavingOut: ["data", "file"],
      inputs: try run.references(nil), files: [SourceFile("codes", file)])
    if try run.isUpToDate(request) { return }
    try TokenizeRun(
      place: run, source: ForeignSource(file: file, threads: run.threads),
      collisions: collisions.collisions,
      configuration: collisions.configuration.merging(["mode": "import"]) { $1 },
      request: request
    ).run()
  }
}

/// Codes from a file.
private struct ForeignSource: CodeSource {
  let file: String
  let threads: Int

  var needsVectors: Bool { false }

  func codes(
    _ inputs: CodeInputs
  ) throws(PipelineError) -> (items: TokenizedItems, drift: FrozenEncoding.Drift?) {
    let items = try TokenizedItems(
      try ForeignCodes(file), path: file, inputs.catalogue, inputs.vectors, threads: threads)
    return (items, nil)
  }
}
