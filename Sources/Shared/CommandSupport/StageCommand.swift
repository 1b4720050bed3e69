public import ArgumentParser
internal import Glibc
public import ShardIO
internal import SystemPackage

/// A program of the pipeline: reads files, writes files, and reports failures in the common form.
public protocol StageCommand: ParsableCommand {
  /// Does the work.
  ///
  /// - Throws: `PipelineError`; its kind becomes the exit status.
  func runStage() throws(PipelineError)
}

extension StageCommand {
  /// Runs the stage; a failure goes to standard error, and its kind becomes the exit status.
  ///
  /// Where a pipeline asks whether the options can work, this is known by now.
  public func run() throws {
    if getenv(StagePipeline.checkVariable) != nil { return }
    do throws(PipelineError) {
      try runStage()
    } catch {
      // One write, so that the lines of two programs never mix in a log.
      writeToStandardError("\(programName): \(error)\n")
      throw ExitCode(error.kind.rawValue)
    }
  }
}

/// The name under which the program was started, without its directory.
public var programName: String {
  CommandLine.arguments.first.flatMap { FilePath($0).lastComponent?.string } ?? "h2rec"
}

/// Writes text in one call; that standard error is closed is no failure.
func writeToStandardError(_ text: String) {
  _ = try? FileDescriptor.standardError.writeAll(text.utf8)
}

/// Shows a remark about something that was made good, in the form of a compiler's warning, on standard error.
public func printWarning(_ text: String, at path: String) {
  writeToStandardError("\(programName): \(path): warning: \(text)\n")
}

/// Says something that a person may want to know, on standard error.
public func printNote(_ text: String, at path: String) {
  writeToStandardError("\(programName): \(path): \(text)\n")
}

/// Prints text on standard output, followed by a line end.
///
/// - Throws: `PipelineError` `.inputOutput`, for example when standard output is a file on a full disk. A reader that
///   has gone away (`| head`) ends the program quietly, as SIGPIPE does.
public func printResult(_ text: String) throws(PipelineError) {
  do {
    _ = try FileDescriptor.standardOutput.writeAll("\(text)\n".utf8)
  } catch {
    throw PipelineError(.inputOutput, "cannot write to standard output: \(error)")
  }
}
