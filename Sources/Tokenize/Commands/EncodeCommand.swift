internal import ArgumentParser
internal import CommandSupport
internal import Numerics
internal import ShardIO

/// Gives items the codes of earlier codebooks.
struct EncodeCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode",
    abstract:
      "Give new items codes from the codebooks of a previous output; the others keep theirs.")

  @Option(help: "The previous output of h2rec-tokenize.", completion: .directory)
  var codes: String

  @OptionGroup var drift: DriftOption
  @OptionGroup var run: RunOptions

  func runStage() throws(PipelineError) {
    let request = request(
      "tokenize", output: run.outputPath, leavingOut: ["data", "codes"],
      inputs: try run.references(codes))
    if try run.isUpToDate(request) { return }
    let source = FrozenCodes(
      codes: codes, driftLimit: drift.driftLimit, threads: run.threads)
    try TokenizeRun(
      place: run, source: source, previous: codes,
      configuration: drift.configuration.merging(["mode": "encode"]) { $1 }, request: request
    ).run()
  }
}

/// When codebooks are too old.
struct DriftOption: ConfiguredOptions {
  @Option(
    help:
      "Error of new or known items, as a multiple of that at the fit, from which a new fit is advised."
  )
  var driftLimit = 1.5

  static var fields: [OptionField<Self>] {
    [.number("driftLimit", \.driftLimit, 1e-12...1e12)]
  }

  func validate() throws { try validateRanges() }
}

/// Codes from codebooks that stay as they are.
private struct FrozenCodes: CodeSource {
  let codes: String
  let driftLimit: Double
  let threads: Int

  func codes(
    _ inputs: CodeInputs
  ) throws(PipelineError) -> (items: TokenizedItems, drift: FrozenEncoding.Drift?) {
    guard let previous = inputs.previous else {
      throw PipelineError(.internalError, "no previous run to encode with")
    }
    let vectors = try inputs.requiredVectors()
    try previous.requireSpace(vectors, rows: inputs.rows, directory: codes)
    let frozen = FrozenEncoding(
      vectors, previous, rows: inputs.rows, limit: driftLimit, threads: threads)
    return (frozen.items, frozen.drift)
  }
}
