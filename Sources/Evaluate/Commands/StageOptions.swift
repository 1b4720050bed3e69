import ArgumentParser
import SystemPackage

/// The outputs that a command reads, and where it writes.
struct StageOptions: ParsableArguments {
  @Option(
    help: "Output directory of the preprocess stage.", completion: .directory,
    transform: { FilePath($0) })
  var data: FilePath

  @Option(
    help: "Output directory of the tokenize stage; not needed by a model without codes.",
    completion: .directory, transform: { FilePath($0) })
  var codes: FilePath?

  @Option(
    help: "Output directory of the train stage.", completion: .directory,
    transform: { FilePath($0) })
  var model: FilePath

  @Option(
    help: "Directory to write to.", completion: .directory, transform: { FilePath($0) })
  var output: FilePath
}
