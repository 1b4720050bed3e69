import ArgumentParser
import CommandSupport
import ShardIO
import SystemPackage

/// Prints the tables of a finished evaluation.
struct ShowCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print the metric tables of a finished evaluation.",
    version: programVersion)

  @Argument(
    help: "Output directory of the evaluate stage.", completion: .directory,
    transform: { FilePath($0) })
  var directory: FilePath

  @Flag(help: "Only a few lines: the model beside what needs no training.")
  var brief = false

  func runStage() throws(PipelineError) { try Self.show(directory, brief: brief) }

  /// Prints the tables of an evaluation, or a few lines of them, and where its report lies.
  static func show(_ directory: FilePath, brief: Bool) throws(PipelineError) {
    let input = try StageInput(directory: directory, expecting: "evaluate")
    let path = directory.appending("report.json").string
    let tables = try ReportTables(
      JSONValue(parsing: try input.file("report.json"), path: path), path: path)
    try printResult(brief ? tables.brief : tables.plain)
    let report = "report: \(directory.appending(Evaluation.reportName))"
    try printResult(brief ? report : "\n\(report)")
  }
}
