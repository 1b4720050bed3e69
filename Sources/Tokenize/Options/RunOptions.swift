internal import ArgumentParser
internal import CommandSupport
internal import ShardIO
internal import SystemPackage

/// The options of every command that writes codes.
struct RunOptions: ParsableArguments {
  @Option(help: "Directory written by h2rec-preprocess.", completion: .directory)
  var data: String

  @Option(help: "Directory to write.", completion: .directory)
  var output: String

  @Option(
    help: "Also write codes and codebooks in this format (npy or safetensors); may be repeated.")
  var export: [ExportFormat] = []

  @OptionGroup var csv: CSVGuardFlag

  @OptionGroup(title: "Limits")
  var lint: LintArguments

  @OptionGroup var work: WorkOptions
  @OptionGroup var needed: IfNeededFlag

  var threads: Int { work.threads }
  var quiet: Bool { work.quiet }
  var outputPath: FilePath { FilePath(output) }

  /// The reference to the output of h2rec-preprocess, and those of earlier runs.
  ///
  /// - Throws: `PipelineError` where one of them is not there.
  func references(_ previous: String?) throws(PipelineError) -> [StageReference] {
    var found = [try StageInput(directory: FilePath(data), expecting: "preprocess").reference]
    if let previous {
      found.append(try StageInput(directory: FilePath(previous), expecting: "tokenize").reference)
    }
    return found
  }

  /// Whether the output is what the request would make; says so.
  ///
  /// - Throws: `PipelineError` `.inputOutput`.
  func isUpToDate(_ request: StageRequest) throws(PipelineError) -> Bool {
    try needed.isUpToDate(
      request, output: outputPath, Summary(stage: "tokenize"), isQuiet: quiet)
  }
}

/// What happens to items with equal codes, for commands that may change codes.
struct CollisionOption: ConfiguredOptions {
  @Option(help: "What happens to items with equal codes: keep, append, sinkhorn or reassign.")
  var collisions = CollisionPolicy.keep

  static var fields: [OptionField<Self>] { [.choice("collisions", \.collisions)] }
}
