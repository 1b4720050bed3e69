public import ArgumentParser
internal import Glibc
public import ShardIO
public import SystemPackage

/// Whether a stage runs only where its output is not what it would make.
public struct IfNeededFlag: ParsableArguments {
  /// Whether the stage looks first.
  @Flag(
    help: "Do nothing if the output was made from these inputs with these options; make says so.")
  public var ifNeeded = false

  /// Creates the flag with its default.
  public init() {}

  /// Whether nothing has to be done; says so, or says why something has, and prints the summary where nothing has.
  ///
  /// - Parameters:
  ///   - request: what the stage would do.
  ///   - output: the directory of the output.
  ///   - summary: the summary of the stage.
  ///   - isQuiet: whether to print the summary alone.
  ///   - show: prints what else a person wants to see of an output that stays.
  /// - Returns: whether the output stays.
  /// - Throws: `PipelineError` `.inputOutput`, and what `show` throws.
  public func isUpToDate(
    _ request: StageRequest, output: FilePath, _ summary: Summary, isQuiet: Bool,
    show: () throws(PipelineError) -> Void = {}
  ) throws(PipelineError) -> Bool {
    guard ifNeeded else { return false }
    let isAsked = getenv(StagePipeline.askVariable) != nil
    if let reason = request.reasonToRun() {
      if isAsked { Glibc.exit(StagePipeline.wouldRun) }
      if !isQuiet { writeToStandardError("\(programName): \(output): runs, since \(reason)\n") }
      return false
    }
    if isAsked { return true }
    if !isQuiet {
      try printResult("\(output): up to date")
      try show()
    }
    var summary = summary
    summary.facts["upToDate"] = true
    try summary.print(output: output)
    return true
  }
}

extension SharedOptions {
  /// Whether nothing has to be done; see ``IfNeededFlag/isUpToDate(_:output:_:isQuiet:show:)``.
  public func isUpToDate(
    _ request: StageRequest, output: FilePath, _ summary: Summary,
    show: () throws(PipelineError) -> Void = {}
  ) throws(PipelineError) -> Bool {
    try needed.isUpToDate(request, output: output, summary, isQuiet: quiet, show: show)
  }
}

extension ParsableCommand {
  /// What determines the output of this command: all its options but those that only say where files lie or how fast it
  /// goes, and the files and outputs that it reads.
  ///
  /// An option that is added to the command later takes part by itself; one that names a file has to be left out here, and
  /// the file itself be given.
  ///
  /// - Parameters:
  ///   - stage: the stage.
  ///   - output: the directory that it writes.
  ///   - names: properties of the command that do not change the output, or name `inputs` or `files`.
  ///   - defaults: by property, what an option is worth that was not given and has no default of its own.
  ///   - inputs: the outputs of earlier stages that it reads.
  ///   - files: the files of the user that it reads.
  ///   - hasManifest: false for a folder of plain files; `files` are then those that it writes.
  /// - Returns: the request.
  public func request(
    _ stage: String, output: FilePath, leavingOut names: Set<String>,
    defaults: [String: String] = [:], inputs: [StageReference] = [], files: [SourceFile] = [],
    hasManifest: Bool = true
  ) -> StageRequest {
    let own: Set<String> = ["output", "threads", "limit", "quiet", "ifNeeded"]
    var values = optionValues(of: self, leavingOut: names.union(own))
    for (name, value) in defaults where values[name] == "none" { values[name] = value }
    values["command"] = Self.configuration.commandName ?? "\(Self.self)"
    return StageRequest(
      stage: stage, output: output, configuration: values, inputs: inputs, files: files,
      hasManifest: hasManifest)
  }
}
